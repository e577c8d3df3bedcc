//! What listings and counts show of the files.

use std::{
    cmp::{Ordering, Reverse},
    time::Duration,
};

use super::Files;
use crate::{
    principal::Principal,
    workflow::{
        Error, Listing, SessionId, SessionQuery, Status, Summary,
        query::Place,
        store::{Age, Counts},
    },
};

impl Files {
    /// Lists a page. Only files that changed are read.
    pub(in crate::workflow) async fn list(
        &self,
        query: &SessionQuery,
        age: &Age,
    ) -> Result<Listing, Error> {
        let after = query.place()?;
        self.notice_changes().await?;
        let index = self.index.lock().await;
        let mut found: Vec<(Place, Status, &Summary)> = Vec::new();
        let mut count = 0;
        for summary in index.summaries() {
            let status = summary.status_at(age.now, age.ttl);
            if !query.wants(summary, status) {
                continue;
            }
            count += 1;
            let place = query.sort.place(summary);
            if after.is_none_or(|after| place > after) {
                found.push((place, status, summary));
            }
        }
        let more = found.len() > query.limit;
        let by_place = |a: &(Place, _, _), b: &(Place, _, _)| -> Ordering { a.0.cmp(&b.0) };
        if more {
            // What comes after the page needs no order.
            found.select_nth_unstable_by(query.limit, by_place);
            found.truncate(query.limit);
        }
        found.sort_unstable_by(by_place);
        let last = found.last().map(|(place, ..)| *place);
        let listed = |(_, status, summary): (Place, Status, &Summary)| Summary {
            status,
            ..summary.clone()
        };
        Ok(Listing {
            count,
            next: last.filter(|_| more).map(|last| query.cursor(last)),
            sessions: found.into_iter().map(listed).collect(),
        })
    }

    pub(in crate::workflow) async fn ids(
        &self,
        owner: Option<&Principal>,
    ) -> Result<Vec<SessionId>, Error> {
        self.notice_new().await?;
        let mut sessions: Vec<_> = {
            let index = self.index.lock().await;
            let summaries = index.summaries().filter(|summary| summary.is_of(owner));
            let changed =
                summaries.map(|summary| (Reverse(summary.updated_at.instant()), summary.id));
            changed.collect()
        };
        sessions.sort_unstable();
        Ok(sessions.into_iter().map(|(_, id)| id).collect())
    }

    pub(in crate::workflow) async fn count(
        &self,
        age: &Age,
        owner: Option<&Principal>,
    ) -> Result<Counts, Error> {
        self.notice_changes().await?;
        let mut counts = Counts::default();
        let index = self.index.lock().await;
        for summary in index.summaries().filter(|summary| summary.is_of(owner)) {
            let status = summary.status_at(age.now, age.ttl);
            counts.add(status, summary.workflow.as_str(), 1);
        }
        Ok(counts)
    }

    pub(in crate::workflow) async fn too_old(
        &self,
        retention: Duration,
        age: &Age,
        most: usize,
    ) -> Result<Vec<SessionId>, Error> {
        self.notice_changes().await?;
        let index = self.index.lock().await;
        let mut old: Vec<_> = index
            .summaries()
            .filter(|summary| {
                let status = summary.status_at(age.now, age.ttl);
                age.is_beyond(retention, status, &summary.updated_at)
            })
            .map(|summary| (summary.updated_at.instant(), summary.id))
            .collect();
        old.sort_unstable();
        Ok(old.into_iter().take(most).map(|(_, id)| id).collect())
    }
}
