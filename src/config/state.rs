//! Where sessions are kept.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// The place that keeps sessions: a directory, as `file://DIR`, relative or absolute; or a
/// database, as `postgres://USER:PASSWORD@HOST/DATABASE`.
///
/// What is shown of it has no password. As a setting it is written out as a whole.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum StateUrl {
    /// A file each, in this directory.
    Files(PathBuf),
    /// A row each, in the database of this URL.
    Postgres(String),
}

/// A string that names no place to keep sessions in. A password in it is not repeated.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{url}` is not a place for state: {problem}; use file://DIR or \
     postgres://USER:PASSWORD@HOST:PORT/DATABASE"
)]
pub struct InvalidState {
    url: String,
    problem: String,
}

impl StateUrl {
    /// Returns the directory; none if sessions are kept in a database.
    pub fn dir(&self) -> Option<&Path> {
        match self {
            Self::Files(dir) => Some(dir),
            Self::Postgres(_) => None,
        }
    }
}

impl Default for StateUrl {
    fn default() -> Self {
        Self::Files(".lockstep/state".into())
    }
}

impl FromStr for StateUrl {
    type Err = InvalidState;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let invalid = |problem: &str| InvalidState {
            url: redacted(url),
            problem: problem.to_owned(),
        };
        if let Some(dir) = url.strip_prefix("file://") {
            return match dir.is_empty() {
                true => Err(invalid("it names no directory")),
                false => Ok(Self::Files(dir.into())),
            };
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid("its kind is unknown"));
        }
        // The server's certificate is checked whenever there is one.
        let url = url
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        match url.parse::<tokio_postgres::Config>() {
            Ok(config) if config.get_hosts().is_empty() => Err(invalid("it names no host")),
            Ok(_) => Ok(Self::Postgres(url)),
            Err(error) => Err(invalid(&told(&error))),
        }
    }
}

fn told(error: &tokio_postgres::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

/// Replaces the password of `scheme://user:password@host?password=…`.
pub(super) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:[redacted]@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let rest = match rest.split_once("password=") {
        Some((before, after)) => {
            let others = after
                .split_once('&')
                .map(|(_, others)| format!("&{others}"));
            format!("{before}password=[redacted]{}", others.unwrap_or_default())
        }
        None => rest,
    };
    format!("{scheme}://{rest}")
}

impl TryFrom<String> for StateUrl {
    type Error = InvalidState;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        url.parse()
    }
}

impl From<StateUrl> for String {
    fn from(url: StateUrl) -> Self {
        match url {
            StateUrl::Files(dir) => format!("file://{}", dir.display()),
            StateUrl::Postgres(url) => url,
        }
    }
}

impl fmt::Display for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&String::from(self.clone())))
    }
}

impl fmt::Debug for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_databases_are_taken_and_no_password_is_shown() {
        let cases = [
            ("file:///var/lib/lockstep", Ok("file:///var/lib/lockstep")),
            ("file://state", Ok("file://state")),
            ("file://", Err("`file://`")),
            ("state", Err("`state`")),
            (
                "mysql://me:s3cret@db/x",
                Err("`mysql://me:[redacted]@db/x`"),
            ),
            (
                "postgres://me:s3cret@db/x",
                Ok("postgres://me:[redacted]@db/x"),
            ),
            (
                "postgres://me:p%40ss@db:5433/x?sslmode=verify-full",
                Ok("postgres://me:[redacted]@db:5433/x?sslmode=require"),
            ),
            (
                "postgresql://me@db/x?password=s3cret&connect_timeout=1",
                Ok("postgresql://me@db/x?password=[redacted]&connect_timeout=1"),
            ),
            (
                "postgres://me:s3cret@db/x?sslmod=require",
                Err("`postgres://me:[redacted]@db/x?sslmod=require`"),
            ),
            (
                "postgres:///x",
                Err("`postgres:///x` is not a place for state: it names no host"),
            ),
        ];
        for (url, expected) in cases {
            match (url.parse::<StateUrl>(), expected) {
                (Ok(state), Ok(shown)) => {
                    assert_eq!(state.to_string(), shown);
                    assert_eq!(format!("{state:?}"), shown);
                }
                (Err(error), Err(named)) => {
                    assert!(error.to_string().starts_with(named), "{error}");
                    assert!(!format!("{error:?}").contains("s3cret"));
                }
                (parsed, _) => panic!("{url}: {parsed:?}"),
            }
        }
    }
}
