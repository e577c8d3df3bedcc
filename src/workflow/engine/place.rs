//! Who has the place of the one unfinished session of a workflow, a target and an owner.

use std::sync::Arc;

use super::Engine;
use crate::workflow::{
    Error, Session, SessionId, Status,
    store::{Key, StartTurn},
};

/// The right to give the place of `key` away: no start, here or in another process, does it
/// meanwhile.
pub(super) struct ClaimedPlace {
    pub(super) key: Key,
    /// The session that has the place.
    taken_by: Option<SessionId>,
    /// Sessions that had it, and are not taken up any more although they are unfinished.
    pub(super) left: Vec<Arc<Session>>,
    _turn: StartTurn,
}

impl ClaimedPlace {
    /// Checks that session `id` can have the place.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`] if another session than `id` has the place.
    pub(super) fn check_free_for(&self, id: SessionId) -> Result<(), Error> {
        match self.taken_by.filter(|other| *other != id) {
            Some(other) => Err(Error::Superseded { id, other }),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// Waits until nobody else gives the place of `key` away, and finds who has it. Nobody may hold
    /// a session's turn meanwhile.
    pub(super) async fn claim_place(&self, key: Key) -> Result<ClaimedPlace, Arc<Error>> {
        let turn = self.store.start_turn(&key).await?;
        let unfinished = self.unfinished(&turn, &key).await?;
        Ok(ClaimedPlace {
            key,
            taken_by: unfinished.newest.map(|session| session.id),
            left: unfinished.left,
            _turn: turn,
        })
    }
}

/// Returns the place that a session takes by becoming `next`: it was finished, or nobody's.
pub(super) fn place_taken(session: &Session, next: &Session) -> Option<Key> {
    let has_one = |session: &Session| session.status() != Status::Completed;
    let key = Key::of(next);
    let had_it = has_one(session) && Key::of(session) == key;
    (has_one(next) && !had_it).then_some(key)
}
