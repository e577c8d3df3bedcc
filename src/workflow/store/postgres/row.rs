//! What a row has of a session beside its document, to be found and listed by.

use serde::Serialize;

use crate::{
    principal::Principal,
    workflow::{
        Caller, Error, Moment, Phase, Session, SessionId, Status, Summary, TargetFile, WorkflowType,
    },
};

/// What changes in a row when its session does.
pub(super) struct Row {
    pub(super) status: &'static str,
    /// Whether the session holds the place of its key's unfinished one.
    pub(super) open: bool,
    pub(super) current_phase: i64,
    pub(super) updated_ns: i64,
    pub(super) started_by: Option<String>,
    pub(super) touched_by: Option<String>,
    pub(super) principal: Option<String>,
    /// The whole session, in the form of a session file.
    pub(super) session: String,
}

impl Row {
    pub(super) fn of(session: &Session) -> Result<Self, Error> {
        let status = session.status();
        Ok(Self {
            status: status.as_str(),
            open: status != Status::Completed,
            current_phase: i64::from(session.current.0),
            updated_ns: nanos(&session.updated_at),
            started_by: session.record().started_by.as_ref().map(json),
            touched_by: session.record().touched_by.as_ref().map(json),
            principal: session.principal().map(ToString::to_string),
            session: json(session),
        })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what a session is made of is plain JSON")
}

/// Returns a moment as a row has it: nanoseconds, which end in the year 2262.
pub(super) fn nanos(moment: &Moment) -> i64 {
    nanos_of(moment.instant())
}

pub(super) fn nanos_of(instant: jiff::Timestamp) -> i64 {
    let nanos = instant.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// Reads an id; none if somebody wrote into the table what is no id.
pub(super) fn id(row: &tokio_postgres::Row, column: usize) -> Option<SessionId> {
    SessionId::try_from(row.get::<_, &str>(column)).ok()
}

/// The columns of a summary, in the order that [`summary`] reads them.
pub(super) const SUMMARY: &str = "id, workflow, target, status, current_phase, created_at, \
     updated_at, started_by, touched_by, principal";

/// Reads a summary; none if somebody wrote into the table what is none.
pub(super) fn summary(row: &tokio_postgres::Row) -> Option<Summary> {
    let status: &str = row.get(3);
    let caller = |column: usize| -> Option<Caller> {
        serde_json::from_str(row.get::<_, Option<&str>>(column)?).ok()
    };
    let moment = |column: usize| Moment::try_from(row.get::<_, String>(column)).ok();
    Some(Summary {
        id: id(row, 0)?,
        workflow: WorkflowType::try_from(row.get::<_, &str>(1)).ok()?,
        target: TargetFile::try_from(row.get::<_, &str>(2)).ok()?,
        status: Status::ALL.into_iter().find(|one| one.as_str() == status)?,
        current: Phase(u32::try_from(row.get::<_, i64>(4)).ok()?),
        created_at: moment(5)?,
        updated_at: moment(6)?,
        principal: match row.get::<_, Option<&str>>(9) {
            Some(name) => Some(Principal::try_from(name).ok()?),
            None => None,
        },
        started_by: caller(7),
        touched_by: caller(8),
    })
}
