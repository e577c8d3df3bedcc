//! Who a caller is, once that is proven.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The longest name in characters: subjects of tokens are identifiers, not texts.
const MAX_CHARS: usize = 255;

/// Whoever is on the other side of standard input.
const LOCAL: &str = "local";

/// A proven caller, whom sessions belong to.
///
/// Invariant: the name has 1 to 255 characters, none of them a control character, and no blanks
/// around it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Principal(Arc<str>);

/// A name that no principal can have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a principal's name has 1 to 255 characters, no control character and no blanks around it")]
pub struct InvalidPrincipal;

impl Principal {
    /// Returns whoever started the process and talks with it over standard input.
    pub fn local() -> Self {
        Self(LOCAL.into())
    }

    /// Takes the name of a caller from elsewhere, which is never that of [`Self::local`].
    ///
    /// # Errors
    ///
    /// If the name is none, or `local`.
    pub fn remote(name: &str) -> Result<Self, InvalidPrincipal> {
        Self::try_from(name).and_then(|principal| match &*principal.0 {
            LOCAL => Err(InvalidPrincipal),
            _ => Ok(principal),
        })
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Principal {
    type Error = InvalidPrincipal;

    fn try_from(name: &str) -> Result<Self, InvalidPrincipal> {
        let plain = name.trim() == name && !name.contains(char::is_control);
        match name.chars().count() {
            1..=MAX_CHARS if plain => Ok(Self(name.into())),
            _ => Err(InvalidPrincipal),
        }
    }
}

impl TryFrom<String> for Principal {
    type Error = InvalidPrincipal;

    fn try_from(name: String) -> Result<Self, InvalidPrincipal> {
        Self::try_from(name.as_str())
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.0.as_ref().to_owned()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_elsewhere_is_short_plain_and_not_the_one_of_standard_input() {
        let (fits, long) = ("x".repeat(255), "x".repeat(256));
        let cases = [
            ("team-a", true),
            ("auth0|5f7c", true),
            (fits.as_str(), true),
            (long.as_str(), false),
            ("", false),
            (" a", false),
            ("a\n", false),
            ("local", false),
        ];
        for (name, valid) in cases {
            assert_eq!(Principal::remote(name).is_ok(), valid, "{name:?}");
        }
        assert!(Principal::try_from("local").is_ok());
    }
}
