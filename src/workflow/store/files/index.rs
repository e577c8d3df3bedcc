//! What the session files hold, in short: found without reading them again.

use std::collections::{BTreeSet, HashMap};

use super::{Found, Identity};
use crate::{
    principal::Principal,
    workflow::{
        Error, SessionId, Status, Summary,
        store::{Key, Room},
    },
};

/// The sessions of the state directory as they were last seen.
///
/// It may lag behind the files, which other processes change too: who relies on an entry compares
/// its [`Identity`] with the file's.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<SessionId, Entry, foldhash::quality::RandomState>,
    by_key: HashMap<Key, BTreeSet<SessionId>>,
    /// How many each principal has, starts under way included.
    owned: HashMap<Principal, usize>,
    /// Starts under way, whose files are not there yet.
    reserved: usize,
    /// Counts the entries put, so that a listing does not drop what is newer than itself.
    clock: u64,
    /// Counts the listings.
    listings: u64,
}

#[derive(Debug)]
struct Entry {
    summary: Summary,
    identity: Identity,
    put_at: u64,
    /// The last listing that found it.
    listed_in: u64,
}

/// A session as it was last seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) id: SessionId,
    pub(super) identity: Identity,
    pub(super) complete: bool,
}

/// The time at which a listing began.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListingBegan(u64);

impl Index {
    /// Notes the state of a session.
    pub(super) fn put(&mut self, found: &Found) {
        let summary = Summary::of(&found.session);
        let key = Key::of(&found.session);
        self.remove(summary.id);
        self.gained(key.owner.as_ref());
        self.clock += 1;
        self.by_key.entry(key).or_default().insert(summary.id);
        let entry = Entry {
            identity: found.identity,
            put_at: self.clock,
            listed_in: 0,
            summary,
        };
        self.entries.insert(entry.summary.id, entry);
    }

    /// Forgets a session.
    pub(super) fn remove(&mut self, id: SessionId) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        let key = Key {
            workflow: entry.summary.workflow,
            target: entry.summary.target,
            owner: entry.summary.principal,
        };
        self.lost(key.owner.as_ref());
        if let Some(ids) = self.by_key.get_mut(&key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    /// Returns what is known of the sessions of `key`.
    pub(super) fn sessions_of(&self, key: &Key) -> Vec<Known> {
        let ids = self.by_key.get(key).into_iter().flatten();
        let known = |id| {
            let entry: &Entry = self.entries.get(id)?;
            Some(Known {
                id: *id,
                identity: entry.identity,
                complete: entry.summary.status == Status::Completed,
            })
        };
        ids.filter_map(known).collect()
    }

    /// Notes that a listing of the directory begins.
    pub(super) fn listing_begins(&self) -> ListingBegan {
        ListingBegan(self.clock)
    }

    /// Drops what a listing did not find, and returns what it found new, or under another
    /// identity than is known. A listing of names alone finds no other identities.
    pub(super) fn merge(
        &mut self,
        began: ListingBegan,
        listed: impl IntoIterator<Item = (SessionId, Option<Identity>)>,
    ) -> Vec<SessionId> {
        self.listings += 1;
        let (this, mut found, mut unknown) = (self.listings, 0, Vec::new());
        for (id, identity) in listed {
            let Some(entry) = self.entries.get_mut(&id) else {
                unknown.push(id);
                continue;
            };
            found += usize::from(entry.listed_in != this);
            entry.listed_in = this;
            if identity.is_some_and(|identity| identity != entry.identity) {
                unknown.push(id);
            }
        }
        if found < self.entries.len() {
            let gone = |(id, entry): (&SessionId, &Entry)| {
                (entry.put_at <= began.0 && entry.listed_in != this).then_some(*id)
            };
            let gone: Vec<_> = self.entries.iter().filter_map(gone).collect();
            gone.into_iter().for_each(|id| self.remove(id));
        }
        unknown
    }

    /// Sets a place aside for a new session.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySessions`] if all are taken, [`Error::TooManyOwnSessions`] if those of `owner`
    /// are.
    pub(super) fn reserve(&mut self, room: Room, owner: Option<&Principal>) -> Result<(), Error> {
        if self.entries.len() + self.reserved >= room.all {
            return Err(Error::TooManySessions { most: room.all });
        }
        let owned = owner.and_then(|owner| self.owned.get(owner).copied());
        if let Some(most) = room.each.filter(|most| owned.unwrap_or_default() >= *most) {
            return Err(Error::TooManyOwnSessions { most });
        }
        self.reserved += 1;
        self.gained(owner);
        Ok(())
    }

    /// Gives a place back, which the session now has by itself or will not need.
    pub(super) fn release(&mut self, owner: Option<&Principal>) {
        self.reserved -= 1;
        self.lost(owner);
    }

    fn gained(&mut self, owner: Option<&Principal>) {
        if let Some(owner) = owner {
            *self.owned.entry(owner.clone()).or_default() += 1;
        }
    }

    fn lost(&mut self, owner: Option<&Principal>) {
        let Some(owner) = owner else { return };
        match self.owned.get_mut(owner) {
            Some(owned) if *owned > 1 => *owned -= 1,
            _ => drop(self.owned.remove(owner)),
        }
    }

    /// Returns every session.
    pub(super) fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.entries.values().map(|entry| &entry.summary)
    }
}
