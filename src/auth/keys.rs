//! The issuer's public keys, which it exchanges from time to time.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    Denied, Error, JwtSettings, KeySource,
    fetch::{Fetcher, Issuer},
    live::LiveFile,
};
use crate::{
    observed::{self, CacheMetrics, Limits, LoadPanicked, ObservedCache, Rare},
    tls,
};

/// Age at which keys are asked for again, so that one that was taken back leaves.
const STALE: Duration = Duration::from_secs(300);

/// The issuer is asked at most once in this time, whatever tokens come: an unknown `kid` costs its
/// sender nothing.
const ASKED_EVERY: Duration = Duration::from_secs(10);

/// The most keys of an issuer that are looked at.
const MAX_KEYS: usize = 100;

/// The keys of one issuer.
#[derive(Debug)]
pub(super) enum Keys {
    File(LiveFile<KeySet>),
    Web(Arc<WebKeys>),
}

/// The keys that an issuer has at some time.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// Keys that are asked for on the web. While the issuer does not answer, those that it had count.
#[derive(Debug)]
pub(super) struct WebKeys {
    issuer: Issuer,
    last: ArcSwapOption<(Instant, KeySet)>,
    /// What came of asking, by the time in units of [`ASKED_EVERY`]: one question for all who need
    /// one, and the same answer, good or not, until the time is over.
    asked: ObservedCache<u64, Answer, LoadPanicked>,
    began: Instant,
    faults: Rare,
}

/// What came of asking.
type Answer = Result<(), Arc<str>>;

impl Keys {
    /// Reads the file of the keys, or begins to ask for them.
    pub(super) fn open(settings: &JwtSettings, caches: &CacheMetrics) -> Result<Self, Error> {
        let (url, tls_ca) = match &settings.keys {
            KeySource::File(path) => {
                let file = LiveFile::open(path.clone(), |text| parse(text.as_bytes()))?;
                return Ok(Self::File(file));
            }
            KeySource::Web { url, tls_ca } => (url, tls_ca),
        };
        let tls = tls::client_config(tls_ca.as_deref(), "auth.jwt.tls_ca").map_err(Error::Tls)?;
        let limits = Limits {
            max_entries: 4,
            time_to_live: None,
        };
        let keys = Arc::new(WebKeys {
            issuer: Issuer {
                fetcher: Fetcher::new(tls),
                name: settings.issuer.clone(),
                keys: url.clone(),
            },
            last: ArcSwapOption::empty(),
            asked: ObservedCache::new("auth.keys", limits, caches),
            began: Instant::now(),
            faults: Rare::default(),
        });
        keys.ask_aside();
        Ok(Self::Web(keys))
    }

    /// Returns the keys that may have signed a token.
    pub(super) async fn fitting(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, Denied> {
        match self {
            Self::File(file) => Ok(file.value().fitting(id, algorithm)),
            Self::Web(keys) => keys.fitting(id, algorithm).await,
        }
    }
}

impl WebKeys {
    async fn fitting(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, Denied> {
        if let Some(last) = self.last.load_full() {
            let (asked, keys) = &*last;
            let fitting = keys.fitting(id, algorithm);
            if !fitting.is_empty() {
                if asked.elapsed() >= STALE {
                    self.ask_aside();
                }
                return Ok(fitting);
            }
        }
        let answer = self.ask().await;
        match (self.last.load_full(), answer) {
            (Some(last), _) => Ok(last.1.fitting(id, algorithm)),
            (None, Err(problem)) => Err(Denied::Unavailable(problem)),
            (None, Ok(())) => Ok(Vec::new()),
        }
    }

    /// Asks without making anybody wait.
    fn ask_aside(self: &Arc<Self>) {
        let keys = Arc::clone(self);
        observed::spawn(async move { keys.ask().await });
    }

    /// Asks the issuer, unless somebody just did.
    async fn ask(self: &Arc<Self>) -> Answer {
        let period = self.began.elapsed().as_secs() / ASKED_EVERY.as_secs();
        let keys = Arc::clone(self);
        let ask = || async move { Ok(keys.fetch().await) };
        let asked = self.asked.get_or_load(&period, ask).await;
        asked.unwrap_or_else(|panicked| Err(panicked.to_string().into()))
    }

    async fn fetch(&self) -> Answer {
        let asked = Instant::now();
        let fetched = self.issuer.keys().await.and_then(|bytes| parse(&bytes));
        match fetched {
            Ok(keys) => {
                info!(
                    keys = keys.0.len(),
                    issuer = self.issuer.name,
                    "the issuer's keys are read"
                );
                self.last.store(Some(Arc::new((asked, keys))));
                Ok(())
            }
            Err(problem) => {
                if let Some(suppressed) = self.faults.occurs() {
                    let issuer = &self.issuer.name;
                    warn!(
                        name: "lockstep.auth.keys_unavailable",
                        { issuer, problem, suppressed },
                        "the issuer's keys cannot be had; those that it had count"
                    );
                }
                Err(problem.into())
            }
        }
    }
}

impl KeySet {
    /// Returns those that may have signed a token: without an id, any of the algorithm's.
    fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let fits = |key: &&Key| {
            let named = id.is_none_or(|id| key.id.as_deref() == Some(id));
            let made_for = key.algorithm.is_none_or(|only| only == algorithm);
            named && made_for && key.key.family() == algorithm.family()
        };
        let fitting = self.0.iter().filter(fits);
        fitting.map(|key| key.key.clone()).collect()
    }
}

/// Takes what checks signatures out of a set of keys (RFC 7517). Others are passed over: one that
/// is not understood does not hide those that are.
fn parse(bytes: &[u8]) -> Result<KeySet, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(bytes)
        .map_err(|_| "it is no set of keys: a JSON object with `keys`".to_owned())?;
    let keys: Vec<_> = set
        .keys
        .into_iter()
        .take(MAX_KEYS)
        .filter_map(key)
        .collect();
    match keys.is_empty() {
        true => Err("it has no key that checks asymmetric signatures".to_owned()),
        false => Ok(KeySet(keys)),
    }
}

fn key(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let signs = common
        .public_key_use
        .as_ref()
        .is_none_or(|used| *used == PublicKeyUse::Signature);
    let verifies = common
        .key_operations
        .as_ref()
        .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let algorithm = match common.key_algorithm {
        Some(named) => Some(named.to_string().parse().ok()?),
        None => None,
    };
    let asymmetric = key.family() != AlgorithmFamily::Hmac;
    (signs && verifies && asymmetric).then(|| Key {
        id: common.key_id.clone(),
        algorithm,
        key,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_is_not_made_to_check_such_signatures_is_passed_over() {
        let x = "11qYAyv5OPkGHIwQxVqcBFXq1Zh3R3v8nGRnZqB0T2M";
        let key = |id: &str, more: Value| {
            let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x });
            let fields = key.as_object_mut().unwrap();
            fields.extend(more.as_object().unwrap().clone());
            key
        };
        let set = json!({ "keys": [
            key("plain", json!({})),
            key("signs", json!({ "use": "sig", "key_ops": ["verify"] })),
            key("encrypts", json!({ "use": "enc" })),
            key("only makes them", json!({ "key_ops": ["sign"] })),
            key("of another", json!({ "alg": "RS256" })),
            { "kty": "oct", "kid": "secret", "k": x },
        ] });

        let keys = parse(set.to_string().as_bytes()).unwrap();

        for (id, fits) in [
            ("plain", true),
            ("signs", true),
            ("encrypts", false),
            ("only makes them", false),
            ("of another", false),
            ("secret", false),
        ] {
            let fitting = keys.fitting(Some(id), Algorithm::EdDSA).len();
            assert_eq!(fitting, usize::from(fits), "{id}");
        }
        assert!(keys.fitting(Some("secret"), Algorithm::HS256).is_empty());
    }

    #[test]
    fn secrets_alone_are_no_set_of_keys() {
        let set = json!({ "keys": [{ "kty": "oct", "kid": "a", "k": "c2VjcmV0" }] });

        let problem = parse(set.to_string().as_bytes()).unwrap_err();

        assert!(problem.contains("no key that checks"), "{problem}");
    }
}
