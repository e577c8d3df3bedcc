//! Where sessions are kept.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// The place that keeps sessions: a directory, as `file://DIR`, relative or absolute.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct StateUrl(PathBuf);

/// A string that names no place to keep sessions in. A password in it is not repeated.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a place for state: use file://DIR")]
pub struct InvalidState(String);

impl StateUrl {
    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        &self.0
    }
}

impl Default for StateUrl {
    fn default() -> Self {
        Self(".lockstep/state".into())
    }
}

impl FromStr for StateUrl {
    type Err = InvalidState;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.strip_prefix("file://") {
            Some(dir) if !dir.is_empty() => Ok(Self(dir.into())),
            _ => Err(InvalidState(redacted(url))),
        }
    }
}

/// Replaces the password of `scheme://user:password@host`.
pub(super) fn redacted(url: &str) -> String {
    let credentials = url
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match credentials {
        Some((scheme, (user, host))) => {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{scheme}://{user}:[redacted]@{host}")
        }
        None => url.to_owned(),
    }
}

impl TryFrom<String> for StateUrl {
    type Error = InvalidState;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        url.parse()
    }
}

impl From<StateUrl> for String {
    fn from(url: StateUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file://{}", self.0.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_are_taken_and_no_password_is_repeated() {
        let cases = [
            ("file:///var/lib/lockstep", Ok("/var/lib/lockstep")),
            ("file://state", Ok("state")),
            ("file://", Err("`file://`")),
            ("state", Err("`state`")),
            (
                "postgres://me:s3cret@db/x",
                Err("`postgres://me:[redacted]@db/x`"),
            ),
            (
                "postgres://me:p@ss@db/x",
                Err("`postgres://me:[redacted]@db/x`"),
            ),
        ];
        for (url, expected) in cases {
            match (url.parse::<StateUrl>(), expected) {
                (Ok(state), Ok(dir)) => assert_eq!(state.dir(), Path::new(dir)),
                (Err(error), Err(named)) => {
                    assert!(error.to_string().starts_with(named), "{error}")
                }
                (parsed, _) => panic!("{url}: {parsed:?}"),
            }
        }
    }
}
