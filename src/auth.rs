//! Proves who calls: by a token of a file, or by a JSON web token of an OAuth 2.1 issuer.
//!
//! A token is never kept, logged or passed on: what is compared and cached is its SHA-256.

mod denied;
mod fetch;
mod jwt;
mod keys;
mod live;
mod ring;
mod tokens;

use std::{path::PathBuf, time::Duration};

use tracing::warn;

pub use self::denied::Denied;
use self::{jwt::Jwt, tokens::Tokens};
use crate::{
    observed::{
        Metrics, Rare,
        metrics::{AuthDecision, AuthMetrics},
    },
    principal::Principal,
};

/// The one scheme that is taken (RFC 6750).
const SCHEME: &str = "bearer ";

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub enum Settings {
    /// By a token of this file.
    Tokens(PathBuf),
    /// By a token of an issuer.
    Jwt(JwtSettings),
}

/// Which JSON web tokens count.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// Where the issuer's keys are.
    pub keys: KeySource,
    /// How much the issuer's clock may differ from ours.
    pub leeway: Duration,
    /// The claim that names the caller.
    pub principal_claim: String,
    /// A scope that a token must have, if any.
    pub required_scope: Option<String>,
    /// The whole address of the endpoint that tokens are for.
    pub public_url: String,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// On the web.
    Web {
        /// The address of the keys; none if the issuer's metadata says it.
        url: Option<String>,
        /// Certificates in PEM that the server's must be signed by; none: those of the system.
        tls_ca: Option<PathBuf>,
    },
}

/// What protects the endpoint, for clients that look for an issuer (RFC 9728).
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The whole address of the endpoint.
    pub public_url: &'a str,
    /// Who issues tokens for it.
    pub issuer: &'a str,
    /// The scope that they must have, if any.
    pub scope: Option<&'a str>,
}

/// What keeps callers from being told apart.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of tokens or keys cannot be used.
    #[error("{} cannot be used: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without anything that it holds.
        problem: String,
    },

    /// No encrypted connection to the issuer can be made.
    #[error("the issuer's keys cannot be asked for: {0}")]
    Tls(String),
}

/// Proves who calls.
#[derive(Debug)]
pub struct Authenticator {
    scheme: Scheme,
    metrics: AuthMetrics,
    denials: Rare,
}

#[derive(Debug)]
enum Scheme {
    Tokens(Tokens),
    Jwt(Box<Jwt>),
}

impl Authenticator {
    /// Reads what tokens are held against. An issuer that does not answer keeps nobody from
    /// starting: its keys are asked for again.
    ///
    /// # Errors
    ///
    /// If the file of tokens or keys cannot be used.
    pub fn open(settings: Settings, metrics: &Metrics) -> Result<Self, Error> {
        let scheme = match settings {
            Settings::Tokens(file) => Scheme::Tokens(Tokens::open(file)?),
            Settings::Jwt(settings) => Scheme::Jwt(Box::new(Jwt::open(settings, &metrics.caches)?)),
        };
        Ok(Self {
            scheme,
            metrics: metrics.auth(),
            denials: Rare::default(),
        })
    }

    /// Finds out who sends the value of an `Authorization` header.
    ///
    /// # Errors
    ///
    /// Why the caller is not known.
    pub async fn authenticate(&self, header: Option<&[u8]>) -> Result<Principal, Denied> {
        let proven = match header.map(token) {
            None => Err(Denied::Missing),
            Some(None) => Err(Denied::Invalid(
                "the header is no `Authorization: Bearer TOKEN`",
            )),
            Some(Some(token)) => match &self.scheme {
                Scheme::Tokens(tokens) => tokens.owner(token),
                Scheme::Jwt(jwt) => jwt.owner(token).await,
            },
        };
        self.report(&proven);
        proven
    }

    /// Says what tokens are for and who issues them, if that is not this server's operator.
    pub fn resource(&self) -> Option<Resource<'_>> {
        match &self.scheme {
            Scheme::Tokens(_) => None,
            Scheme::Jwt(jwt) => Some(jwt.resource()),
        }
    }

    fn report(&self, proven: &Result<Principal, Denied>) {
        let Err(denied) = proven else {
            self.metrics.decided(AuthDecision::Ok);
            return;
        };
        self.metrics.decided(match denied {
            Denied::Missing => AuthDecision::Missing,
            Denied::Invalid(_) => AuthDecision::Invalid,
            Denied::Expired => AuthDecision::Expired,
            Denied::Scope(_) => AuthDecision::Scope,
            Denied::Unavailable(_) => AuthDecision::Unavailable,
        });
        if let Some(suppressed) = self.denials.occurs() {
            let why = denied.to_string();
            warn!(
                name: "lockstep.auth.denied",
                { why, suppressed },
                "a caller was not let in"
            );
        }
    }
}

/// Takes the token out of the value of a header.
fn token(header: &[u8]) -> Option<&str> {
    let header = std::str::from_utf8(header).ok()?;
    let (scheme, token) = header.split_at_checked(SCHEME.len())?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case(SCHEME) && is_token(token)).then_some(token)
}

/// Says whether `text` is one or more characters that a token may have (RFC 6750, section 2.1).
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Splits an address before its path.
pub fn split_address(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + "://".len());
    let path = url[host..].find('/');
    url.split_at(path.map_or(url.len(), |at| host + at))
}

/// Stands for a token wherever it is kept.
fn digest(token: &str) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_after_the_scheme() {
        let cases = [
            ("Bearer abc", Some("abc")),
            ("bearer  a.b-c_d~e+f/g==", Some("a.b-c_d~e+f/g==")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("Bearer a\"b", None),
            ("Basic abc", None),
            ("Bearerabc", None),
            ("", None),
        ];
        for (header, found) in cases {
            assert_eq!(token(header.as_bytes()), found, "{header:?}");
        }
        assert_eq!(token(b"Bearer \xff"), None);
    }
}
