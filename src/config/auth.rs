//! Who may call, and how they prove who they are.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use http::Uri;
use serde::{Deserialize, Serialize};

/// Clocks that differ by more than this are broken.
const MAX_LEEWAY_SECS: u64 = 600;

/// What `http.public_url` is.
const WHOLE_ADDRESS: &str =
    "the whole address of /mcp that clients use, such as https://lockstep.example/mcp";

/// Settings of authentication. It is about HTTP: whoever talks with the process over standard
/// input has started it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// What a caller has to show: nothing, a token of a file, or one of an OAuth 2.1 issuer.
    pub mode: AuthMode,
    /// With `tokens`: a YAML file of `NAME: TOKEN`, or better `NAME: sha256:HEX` of it, or a list
    /// of them while one takes the other's place. Read again when it changes.
    pub tokens_file: Option<PathBuf>,
    /// With `jwt`: whose tokens count.
    pub jwt: Jwt,
}

/// What a caller has to show.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Nothing: all callers are one, and share every session.
    #[default]
    None,
    /// A token of `auth.tokens_file`.
    Tokens,
    /// A JSON web token of `auth.jwt.issuer`.
    Jwt,
}

/// Which JSON web tokens count.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jwt {
    /// The issuer, exactly as its tokens name it in `iss`.
    pub issuer: String,
    /// What `aud` must name. `http.public_url` if it is not set; it is always checked.
    pub audience: Option<String>,
    /// Where the issuer's keys are. Asked of the issuer's own metadata if it is not set.
    pub jwks_url: Option<String>,
    /// The issuer's keys in a file instead, read again when it changes.
    pub jwks_file: Option<PathBuf>,
    /// File of the certificates, in PEM, that the issuer's must be signed by. Not set by default:
    /// those of the system count.
    pub tls_ca: Option<PathBuf>,
    /// Seconds that the issuer's clock may differ from ours. 0 to 600.
    pub leeway_secs: u64,
    /// The claim that names the caller: its sessions belong to it.
    pub principal_claim: String,
    /// A scope that a token must have, if one is set.
    pub required_scope: Option<String>,
}

impl Default for Jwt {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: None,
            jwks_url: None,
            jwks_file: None,
            tls_ca: None,
            leeway_secs: 60,
            principal_claim: "sub".to_owned(),
            required_scope: None,
        }
    }
}

impl Auth {
    /// Checks what types cannot. `public_url` is the setting `http.public_url`.
    pub(super) fn validate(&self, public_url: Option<&str>) -> anyhow::Result<()> {
        if let Some(url) = public_url {
            public(url).with_context(|| format!("http.public_url is {url:?}"))?;
        }
        match self.mode {
            AuthMode::None => Ok(()),
            AuthMode::Tokens => needed("tokens", "auth.tokens_file", self.tokens_file.is_some()),
            AuthMode::Jwt => {
                let url = format!("http.public_url, {WHOLE_ADDRESS},");
                needed("jwt", &url, public_url.is_some())?;
                needed("jwt", "auth.jwt.issuer", !self.jwt.issuer.is_empty())?;
                self.jwt.validate()
            }
        }
    }
}

impl Jwt {
    fn validate(&self) -> anyhow::Result<()> {
        let Self {
            issuer, jwks_url, ..
        } = self;
        // Its metadata is at its own address; with keys from elsewhere it is only a name.
        if jwks_url.is_none() && self.jwks_file.is_none() {
            trustworthy(issuer).with_context(|| format!("auth.jwt.issuer is {issuer:?}"))?;
        }
        if let Some(url) = jwks_url {
            trustworthy(url).with_context(|| format!("auth.jwt.jwks_url is {url:?}"))?;
            let alone = self.jwks_file.is_none();
            ensure!(alone, "auth.jwt has a jwks_url and a jwks_file: set one");
        }
        let leeway = self.leeway_secs;
        ensure!(
            leeway <= MAX_LEEWAY_SECS,
            "auth.jwt.leeway_secs is {leeway}, the most is {MAX_LEEWAY_SECS}"
        );
        let claim = &self.principal_claim;
        ensure!(!claim.is_empty(), "auth.jwt.principal_claim is empty");
        if let Some(scope) = &self.required_scope {
            let token = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
            let fits = !scope.is_empty() && scope.bytes().all(token);
            ensure!(
                fits,
                "auth.jwt.required_scope is {scope:?}, a scope is one word of printable ASCII"
            );
        }
        Ok(())
    }
}

/// Returns the token that a client of ours shows, if the environment has one. It is no setting: it is
/// neither shown nor passed on.
pub fn token_of_environment() -> Option<String> {
    super::variable("LOCKSTEP_TOKEN")
}

/// Checks that a setting is set that a mode needs.
fn needed(mode: &str, setting: &str, set: bool) -> anyhow::Result<()> {
    ensure!(set, "auth.mode is {mode}, so {setting} must be set");
    Ok(())
}

/// Checks that `url` is one whose answers nobody on the way can change.
fn trustworthy(url: &str) -> anyhow::Result<()> {
    let uri: Uri = url.parse().context("it is no address")?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => Ok(()),
        (Some("http"), Some("localhost" | "127.0.0.1" | "[::1]")) => Ok(()),
        _ => bail!("keys are trusted from https:// only, and from http:// of this machine"),
    }
}

fn public(url: &str) -> anyhow::Result<()> {
    let uri: Uri = url.parse().context("it is no address")?;
    let web = matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some();
    let whole = uri.query().is_none() && !url.contains('#') && uri.path().len() > 1;
    ensure!(web && whole, "it is {WHOLE_ADDRESS}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_names_what_it_needs_and_keys_come_only_over_tls() {
        let url = Some("https://lockstep.example/mcp");
        let cases = [
            ("{}", None, ""),
            ("mode: tokens", None, "auth.tokens_file must be set"),
            ("{mode: tokens, tokens_file: /run/tokens}", None, ""),
            (
                "{mode: jwt, jwt: {issuer: https://a}}",
                None,
                "http.public_url",
            ),
            ("mode: jwt", url, "auth.jwt.issuer must be set"),
            ("{mode: jwt, jwt: {issuer: https://a}}", url, ""),
            ("{mode: jwt, jwt: {issuer: http://127.0.0.1:9}}", url, ""),
            (
                "{mode: jwt, jwt: {issuer: http://a}}",
                url,
                "auth.jwt.issuer is",
            ),
            (
                "{mode: jwt, jwt: {issuer: http://a, jwks_file: /keys}}",
                url,
                "",
            ),
            (
                "{mode: jwt, jwt: {issuer: a, jwks_url: http://a/keys}}",
                url,
                "auth.jwt.jwks_url is",
            ),
            (
                "{mode: jwt, jwt: {issuer: a, jwks_url: https://a, jwks_file: b}}",
                url,
                "set one",
            ),
            (
                "{mode: jwt, jwt: {issuer: https://a, leeway_secs: 601}}",
                url,
                "the most is 600",
            ),
            (
                "{mode: jwt, jwt: {issuer: https://a, required_scope: \"a b\"}}",
                url,
                "required_scope",
            ),
            (
                "mode: tokens",
                Some("lockstep.example/mcp"),
                "http.public_url",
            ),
            (
                "mode: none",
                Some("https://lockstep.example"),
                "http.public_url",
            ),
        ];
        for (settings, public_url, complaint) in cases {
            let auth: Auth = serde_saphyr::from_str(settings).unwrap();
            let said = auth.validate(public_url).map_err(|e| format!("{e:#}"));
            match said {
                Ok(()) => assert_eq!(complaint, "", "{settings}"),
                Err(said) => {
                    let named = !complaint.is_empty() && said.contains(complaint);
                    assert!(named, "{settings}: {said}");
                }
            }
        }
    }
}
