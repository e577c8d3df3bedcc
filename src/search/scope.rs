//! The passages that a query allows.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use globset::{GlobBuilder, GlobMatcher};

use super::{
    corpus::{Chunk, STANDARDS},
    query::Filter,
};

/// Which positions of a snapshot may be in an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// By position; none allows all.
    allowed: Option<Arc<[bool]>>,
}

impl Scope {
    /// Finds the positions of the chunks that `filter` allows.
    pub(super) fn of(filter: &Filter, chunks: &[Arc<Chunk>]) -> Self {
        if *filter == Filter::default() {
            return Self::default();
        }
        let files = Files::of(filter, chunks);
        let allows = |chunk: &Arc<Chunk>| {
            let phase = filter.phase.is_none_or(|phase| chunk.phase == Some(phase));
            let tagged = |tag| chunk.tags.binary_search(tag).is_ok();
            phase
                && (filter.tags.is_empty() || filter.tags.iter().any(tagged))
                && files
                    .as_ref()
                    .is_none_or(|files| files.0.contains(&*chunk.file))
        };
        Self {
            allowed: Some(chunks.iter().map(allows).collect()),
        }
    }

    /// Returns what is allowed by position, or none if everything is.
    pub(super) fn allowed(&self) -> Option<&Arc<[bool]>> {
        self.allowed.as_ref()
    }

    /// Returns how many of `all` positions are allowed.
    pub(super) fn count(&self, all: usize) -> usize {
        match &self.allowed {
            None => all,
            Some(allowed) => allowed.iter().filter(|allowed| **allowed).count(),
        }
    }
}

/// Returns the tags that there are, if `filter` asks for tags and none of them is there.
pub(super) fn known_tags(filter: &Filter, chunks: &[Arc<Chunk>]) -> Vec<String> {
    if filter.tags.is_empty() {
        return Vec::new();
    }
    let tags: BTreeSet<_> = chunks.iter().flat_map(|chunk| chunk.tags.iter()).collect();
    match filter.tags.iter().any(|tag| tags.contains(tag)) {
        true => Vec::new(),
        false => tags.into_iter().cloned().collect(),
    }
}

/// The names of the files that a filter allows: each is looked at once, not for every passage.
struct Files<'a>(HashSet<&'a str>);

impl<'a> Files<'a> {
    fn of(filter: &Filter, chunks: &'a [Arc<Chunk>]) -> Option<Self> {
        if filter.file.is_none() && filter.category.is_none() {
            return None;
        }
        let glob = filter.file.as_deref().map(matcher);
        let mut files: Vec<&str> = chunks.iter().map(|chunk| &*chunk.file).collect();
        files.dedup();
        let allows = |file: &&str| {
            let path = file.strip_prefix(STANDARDS).unwrap_or(file);
            let path = path.trim_start_matches('/');
            let inside = |category: &str| {
                let rest = path.strip_prefix(category);
                rest.is_some_and(|rest| rest.starts_with('/'))
            };
            filter.category.as_deref().is_none_or(inside)
                && glob
                    .as_ref()
                    .is_none_or(|glob| glob.is_match(path) || glob.is_match(file))
        };
        Some(Self(files.into_iter().filter(allows).collect()))
    }
}

/// A glob without `/` is of names, in any directory.
fn matcher(glob: &str) -> GlobMatcher {
    let anywhere = match glob.contains('/') {
        true => glob.to_owned(),
        false => format!("**/{glob}"),
    };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
    glob.expect("a query holds only globs that compile")
        .compile_matcher()
}
