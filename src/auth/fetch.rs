//! What an issuer says of itself on the web.

use std::time::Duration;

use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::time::timeout;

use super::split_address;

/// The longest that an answer may take; callers wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest answer in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Asks for documents. Redirects are not followed: where keys come from is said in the settings, or
/// by the issuer itself.
#[derive(Debug)]
pub(super) struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// An issuer on the web.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) fetcher: Fetcher,
    /// As its tokens name it.
    pub(super) name: String,
    /// The address of its keys; none if its metadata says it.
    pub(super) keys: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Fetcher {
    pub(super) fn new(tls: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http() // The settings allow http only for this machine.
            .enable_http1()
            .build();
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    async fn document(&self, url: &str) -> Result<Bytes, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
        let answer = async {
            let answer = self.0.get(uri).await.map_err(|error| told(&error))?;
            if answer.status() != StatusCode::OK {
                return Err(format!("it answered {}", answer.status()));
            }
            let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
            body.map(|body| body.to_bytes())
                .map_err(|error| error.to_string())
        };
        let answer = timeout(TIMEOUT, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer in {TIMEOUT:?}")));
        answer.map_err(|problem| format!("{url}: {problem}"))
    }
}

impl Issuer {
    /// Asks for the set of keys.
    pub(super) async fn keys(&self) -> Result<Bytes, String> {
        match &self.keys {
            Some(url) => self.fetcher.document(url).await,
            None => self.fetcher.document(&self.keys_by_metadata().await?).await,
        }
    }

    /// Finds the address of the keys where `OpenID` Connect and RFC 8414 put it, in the order that MCP
    /// names.
    async fn keys_by_metadata(&self) -> Result<String, String> {
        let mut problems = Vec::new();
        for url in places(&self.name) {
            let document = match self.fetcher.document(&url).await {
                Ok(document) => document,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let metadata: Metadata = serde_json::from_slice(&document)
                .map_err(|_| format!("{url} names no `issuer` and `jwks_uri`"))?;
            return metadata
                .keys_of(&self.name)
                .map_err(|problem| format!("{url} {problem}"));
        }
        Err(problems.join("; "))
    }
}

impl Metadata {
    /// Returns the address of the keys of `issuer`, if it is that one's, and nobody on the way can
    /// exchange them.
    fn keys_of(self, issuer: &str) -> Result<String, String> {
        if self.issuer != issuer {
            return Err(format!("is another issuer's: {}", self.issuer));
        }
        let secure = self.jwks_uri.starts_with("https://");
        // Keys of an issuer on this machine may be on this machine too.
        match secure || issuer.starts_with("http://") {
            true => Ok(self.jwks_uri),
            false => Err("has its keys at an address without TLS".to_owned()),
        }
    }
}

fn places(issuer: &str) -> Vec<String> {
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    const OPENID: &str = "/.well-known/openid-configuration";
    let issuer = issuer.trim_end_matches('/');
    let (origin, path) = split_address(issuer);
    let mut places = vec![
        format!("{origin}{OAUTH}{path}"),
        format!("{origin}{OPENID}{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{issuer}{OPENID}"));
    }
    places
}

/// Tells an error with its causes, of which the last says most.
fn told(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_mcp_says() {
        assert_eq!(
            places("https://a.example/"),
            [
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            places("https://a.example:8443/realms/b"),
            [
                "https://a.example:8443/.well-known/oauth-authorization-server/realms/b",
                "https://a.example:8443/.well-known/openid-configuration/realms/b",
                "https://a.example:8443/realms/b/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn keys_are_taken_of_the_issuer_alone_and_not_without_tls() {
        let cases = [
            ("https://a", "https://a", "https://a/keys", None),
            ("https://a", "https://a", "https://elsewhere/keys", None),
            ("https://a", "https://b", "https://a/keys", Some("another")),
            ("https://a", "https://a/", "https://a/keys", Some("another")),
            ("https://a", "https://a", "http://a/keys", Some("TLS")),
            ("http://[::1]:9", "http://[::1]:9", "http://[::1]:9/k", None),
        ];
        for (issuer, named, keys, problem) in cases {
            let metadata = Metadata {
                issuer: named.to_owned(),
                jwks_uri: keys.to_owned(),
            };
            match (metadata.keys_of(issuer), problem) {
                (Ok(address), None) => assert_eq!(address, keys),
                (Err(told), Some(problem)) => assert!(told.contains(problem), "{told}"),
                (other, _) => panic!("{issuer} {named} {keys}: {other:?}"),
            }
        }
    }
}
