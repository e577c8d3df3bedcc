//! Which sessions a listing shows, and in which order.

use std::{cmp::Reverse, fmt, sync::Arc};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Error, SessionId, Status, Summary, WorkflowType};
use crate::principal::Principal;

/// The most sessions that one page shows: 100 lines fit the 10,000 tokens that an agent may spend
/// on looking for one.
pub const MAX_LISTED: usize = 100;

/// The longest prefix of a target in bytes that is looked for: as long as targets are.
const MAX_PREFIX_BYTES: usize = 4_096;

/// Which sessions a listing shows.
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// Only those that stand so.
    pub status: Option<Status>,
    /// Only those that run this workflow.
    pub workflow: Option<WorkflowType>,
    /// Only those whose target begins so.
    pub target_prefix: Option<Prefix>,
    /// Only those of this principal; an engine that acts for one puts it there.
    pub owner: Option<Principal>,
    /// Their order.
    pub sort: Sort,
    /// The most that one page has, from 1 to 100.
    pub limit: usize,
    /// Where the page begins; none for the first.
    pub cursor: Option<Cursor>,
}

/// A page of the sessions that there are.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Those of this page.
    pub sessions: Vec<Summary>,
    /// How many there are on all pages.
    pub count: usize,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
}

/// The order of a listing: newest first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// By the last change.
    #[default]
    UpdatedAt,
    /// By the start.
    CreatedAt,
}

/// The beginning of a target.
///
/// Invariant: not longer than a target can be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prefix(Arc<str>);

/// Where a page begins. Opaque to callers: it is made by one listing and used by the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor {
    at: Timestamp,
    id: SessionId,
    /// Stands for filters and order.
    query: [u8; 4],
}

/// A session's place in an order. Ids make it unique.
pub(super) type Place = (Reverse<Timestamp>, SessionId);

impl Default for SessionQuery {
    fn default() -> Self {
        Self {
            status: None,
            workflow: None,
            target_prefix: None,
            owner: None,
            sort: Sort::default(),
            limit: MAX_LISTED,
            cursor: None,
        }
    }
}

impl From<Option<Status>> for SessionQuery {
    fn from(status: Option<Status>) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }
}

impl SessionQuery {
    /// Says whether a session, which stands so now, is to be shown.
    pub(super) fn wants(&self, summary: &Summary, status: Status) -> bool {
        let workflow = self.workflow.as_ref();
        let prefix = self.target_prefix.as_ref();
        self.status.is_none_or(|wanted| wanted == status)
            && summary.is_of(self.owner.as_ref())
            && workflow.is_none_or(|wanted| *wanted == summary.workflow)
            && prefix.is_none_or(|prefix| summary.target.as_str().starts_with(&*prefix.0))
    }

    /// Returns the place after which the page begins.
    ///
    /// # Errors
    ///
    /// [`Error::Cursor`] if the cursor is of other filters, or of another order.
    pub(super) fn place(&self) -> Result<Option<Place>, Error> {
        match &self.cursor {
            None => Ok(None),
            Some(cursor) if cursor.query == self.fingerprint() => {
                Ok(Some((Reverse(cursor.at), cursor.id)))
            }
            Some(_) => Err(Error::Cursor {
                problem: "of a listing with other filters or another sort",
            }),
        }
    }

    pub(super) fn cursor(&self, (Reverse(at), id): Place) -> Cursor {
        Cursor {
            at,
            id,
            query: self.fingerprint(),
        }
    }

    fn fingerprint(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        let texts = [
            Some(self.sort.as_str()),
            self.status.map(Status::as_str),
            self.workflow.as_ref().map(WorkflowType::as_str),
            self.target_prefix.as_ref().map(|prefix| &*prefix.0),
        ];
        for text in texts {
            // No text holds a NUL, and an absent one is none that is empty.
            hash.update([u8::from(text.is_some())]);
            hash.update(text.unwrap_or_default());
            hash.update([0]);
        }
        let digest = hash.finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl Sort {
    /// Every order, the default first.
    pub const ALL: [Self; 2] = [Self::UpdatedAt, Self::CreatedAt];

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpdatedAt => "updated_at",
            Self::CreatedAt => "created_at",
        }
    }

    pub(super) fn place(self, summary: &Summary) -> Place {
        let at = match self {
            Self::UpdatedAt => &summary.updated_at,
            Self::CreatedAt => &summary.created_at,
        };
        (Reverse(at.instant()), summary.id)
    }
}

impl Prefix {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Prefix {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        match text.len() {
            0..=MAX_PREFIX_BYTES => Ok(Self(text.into())),
            bytes => Err(Error::TooLarge {
                what: "target_file",
                bytes,
                most: MAX_PREFIX_BYTES,
            }),
        }
    }
}

impl TryFrom<&str> for Cursor {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        parse(text).ok_or(Error::Cursor {
            problem: "not one that list_sessions returned",
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = u32::from_be_bytes(self.query);
        write!(f, "{query:08x}.{}.{}", self.at.as_nanosecond(), self.id)
    }
}

fn parse(text: &str) -> Option<Cursor> {
    let (query, rest) = text.split_once('.')?;
    let (at, id) = rest.split_once('.')?;
    let cursor = Cursor {
        at: Timestamp::from_nanosecond(at.parse().ok()?).ok()?,
        id: SessionId::try_from(id).ok()?,
        query: u32::from_str_radix(query, 16).ok()?.to_be_bytes(),
    };
    // One spelling for each.
    (cursor.to_string() == text).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling_and_belongs_to_its_filters() {
        let query = SessionQuery::from(Some(Status::Active));
        let place = (Reverse(Timestamp::UNIX_EPOCH), SessionId::new());
        let text = query.cursor(place).to_string();

        let cursor = Cursor::try_from(text.as_str()).unwrap();

        let again = SessionQuery {
            cursor: Some(cursor.clone()),
            ..query
        };
        assert_eq!(again.place().unwrap(), Some(place));
        let other = SessionQuery {
            cursor: Some(cursor),
            ..SessionQuery::default()
        };
        assert!(matches!(other.place(), Err(Error::Cursor { .. })));
        let spoilt = [
            String::new(),
            "next".to_owned(),
            text.replace('.', ""),
            text.to_uppercase(),
            format!("+{text}"),
            format!("{text} "),
            text.replace(".0.", ".99999999999999999999999999999."),
        ];
        for text in spoilt {
            let refused = Cursor::try_from(text.as_str());
            assert!(matches!(refused, Err(Error::Cursor { .. })), "{text:?}");
        }
    }
}
