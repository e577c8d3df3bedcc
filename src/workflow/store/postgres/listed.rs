//! What listings and counts show of the rows: asked of indexes, a page at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::ToSql;

use super::{Postgres, row};
use crate::{
    principal::Principal,
    workflow::{
        Error, Listing, SessionId, SessionQuery, Sort, Status, Summary, WorkflowType,
        store::{Age, Counts},
    },
};

/// A `WHERE` that grows, and its parameters.
#[derive(Default)]
struct Filter {
    conditions: Vec<String>,
    parameters: Vec<Box<dyn ToSql + Send + Sync>>,
}

impl Filter {
    fn parameter(&mut self, value: impl ToSql + Send + Sync + 'static) -> usize {
        self.parameters.push(Box::new(value));
        self.parameters.len()
    }

    fn sql(&self) -> String {
        match self.conditions.as_slice() {
            [] => String::new(),
            conditions => format!(" WHERE {}", conditions.join(" AND ")),
        }
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let parameters = self.parameters.iter();
        parameters
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect()
    }

    /// Wants what belongs to `owner`, if that is anybody.
    fn owner(&mut self, owner: Option<&Principal>) {
        if let Some(owner) = owner {
            let at = self.parameter(owner.as_str().to_owned());
            self.conditions.push(format!("principal = ${at}::text"));
        }
    }

    /// Wants what stands so, at the age that it has.
    fn status(&mut self, status: Status, age: &Age) {
        let expires = age.ttl.map(|ttl| self.parameter(earlier(age.now, ttl)));
        let condition = match (status, expires) {
            (Status::Completed, _) => "status = 'completed'".to_owned(),
            (Status::Expired, None) => "false".to_owned(),
            (Status::Expired, Some(cut)) => {
                format!("status <> 'completed' AND updated_ns < ${cut}::bigint")
            }
            (other, None) => format!("status = '{}'", other.as_str()),
            (other, Some(cut)) => {
                format!(
                    "status = '{}' AND updated_ns >= ${cut}::bigint",
                    other.as_str()
                )
            }
        };
        // A parameter that no condition names has no type.
        if status == Status::Completed && expires.is_some() {
            self.parameters.pop();
        }
        self.conditions.push(condition);
    }
}

impl Postgres {
    /// Lists a page.
    pub(in crate::workflow) async fn list(
        &self,
        query: &SessionQuery,
        age: &Age,
    ) -> Result<Listing, Error> {
        let after = query.place()?;
        let mut filter = Filter::default();
        filter.owner(query.owner.as_ref());
        if let Some(status) = query.status {
            filter.status(status, age);
        }
        if let Some(workflow) = &query.workflow {
            let at = filter.parameter(workflow.as_str().to_owned());
            filter.conditions.push(format!("workflow = ${at}::text"));
        }
        if let Some(prefix) = &query.target_prefix {
            // No target holds a control character, and no text of the database a NUL.
            let prefix = prefix.as_str().replace('\0', "\u{1}");
            let at = filter.parameter(prefix);
            let condition = format!("starts_with(target, ${at}::text)");
            filter.conditions.push(condition);
        }
        let count = format!("SELECT count(*) FROM lockstep_sessions{}", filter.sql());
        let counted = self
            .connections
            .read("list", &count, &filter.parameters())
            .await?;
        let count = counted.first().map_or(0, |row| row.get::<_, i64>(0));

        let by = match query.sort {
            Sort::UpdatedAt => "updated_ns",
            Sort::CreatedAt => "created_ns",
        };
        if let Some((at, id)) = after {
            let nanos = filter.parameter(row::nanos_of(at.0));
            let id = filter.parameter(id.to_string());
            filter.conditions.push(format!(
                "({by} < ${nanos}::bigint OR {by} = ${nanos}::bigint AND id > ${id}::text)"
            ));
        }
        let page = format!(
            "SELECT {} FROM lockstep_sessions{} ORDER BY {by} DESC, id LIMIT {}",
            row::SUMMARY,
            filter.sql(),
            query.limit + 1,
        );
        let rows = self
            .connections
            .read("list", &page, &filter.parameters())
            .await?;
        let more = rows.len() > query.limit;
        let aged = |summary: Summary| Summary {
            status: summary.status_at(age.now, age.ttl),
            ..summary
        };
        let summaries = rows.iter().take(query.limit).filter_map(row::summary);
        let sessions: Vec<_> = summaries.map(aged).collect();
        let last = sessions.last().filter(|_| more);
        Ok(Listing {
            count: usize::try_from(count).unwrap_or_default(),
            next: last.map(|last| query.cursor(query.sort.place(last))),
            sessions,
        })
    }

    pub(in crate::workflow) async fn ids(
        &self,
        owner: Option<&Principal>,
    ) -> Result<Vec<SessionId>, Error> {
        let mut filter = Filter::default();
        filter.owner(owner);
        let ids = format!(
            "SELECT id FROM lockstep_sessions{} ORDER BY updated_ns DESC, id",
            filter.sql()
        );
        let rows = self
            .connections
            .read("list", &ids, &filter.parameters())
            .await?;
        Ok(rows.iter().filter_map(|row| row::id(row, 0)).collect())
    }

    pub(in crate::workflow) async fn count(
        &self,
        age: &Age,
        owner: Option<&Principal>,
    ) -> Result<Counts, Error> {
        let mut filter = Filter::default();
        let cut = filter.parameter(age.ttl.map_or(i64::MIN, |ttl| earlier(age.now, ttl)));
        filter.owner(owner);
        let count = format!(
            "SELECT workflow, CASE WHEN status <> 'completed' AND updated_ns < ${cut}::bigint \
             THEN 'expired' ELSE status END, count(*) FROM lockstep_sessions{} GROUP BY 1, 2",
            filter.sql()
        );
        let rows = self
            .connections
            .read("count", &count, &filter.parameters())
            .await?;
        let mut counts = Counts::default();
        for row in rows {
            let (workflow, status): (&str, &str) = (row.get(0), row.get(1));
            let status = Status::ALL.into_iter().find(|one| one.as_str() == status);
            let workflow = WorkflowType::try_from(workflow);
            if let (Some(status), Ok(workflow)) = (status, workflow) {
                let sessions = usize::try_from(row.get::<_, i64>(2)).unwrap_or_default();
                counts.add(status, workflow.as_str(), sessions);
            }
        }
        Ok(counts)
    }

    pub(in crate::workflow) async fn too_old(
        &self,
        retention: Duration,
        age: &Age,
        most: usize,
    ) -> Result<Vec<SessionId>, Error> {
        const OLD: &str = "SELECT id FROM lockstep_sessions \
             WHERE status = 'completed' AND updated_ns < $1::bigint \
             OR status <> 'completed' AND updated_ns < $2::bigint \
             ORDER BY updated_ns, id LIMIT $3::bigint";
        let completed = earlier(age.now, retention);
        let expired = |ttl: Duration| earlier(age.now, ttl.max(retention));
        let unfinished = age.ttl.map_or(i64::MIN, expired);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self
            .connections
            .read("list", OLD, &[&completed, &unfinished, &most])
            .await?;
        Ok(rows.iter().filter_map(|row| row::id(row, 0)).collect())
    }
}

/// Returns the time that was `ago`, as a row has it; the first there is if it was before that.
fn earlier(now: Timestamp, ago: Duration) -> i64 {
    let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX);
    let then = now.checked_sub(ago);
    then.map_or(i64::MIN, row::nanos_of)
}
