//! JSON web tokens of one issuer, for one audience.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Denied, Error, JwtSettings, Resource, digest, keys::Keys, ring};
use crate::{
    observed::{CacheMetrics, Limits, LoadPanicked, ObservedCache},
    principal::Principal,
};

/// What is taken: signatures that a public key checks. Whoever may check one of `HS256` may make
/// one, and `none` is no signature.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
];

/// The longest token in bytes; servers of the web take headers of 8 KiB to 16 KiB.
const MAX_BYTES: usize = 16 * 1024;

/// Tokens that are known to be good, at some 150 bytes each.
const MAX_KNOWN: u64 = 10_000;

/// How long a token is known to be good: as long a key that the issuer takes back still counts.
const KNOWN_FOR: Duration = Duration::from_secs(300);

/// Checks tokens, each once in five minutes: a signature takes 20 µs (RSA) to 50 µs, a hash under one.
#[derive(Debug)]
pub(super) struct Jwt {
    settings: JwtSettings,
    keys: Keys,
    /// By the SHA-256 of the token.
    known: ObservedCache<[u8; 32], Known, LoadPanicked>,
}

/// What a good token says.
#[derive(Clone, Debug)]
struct Known {
    owner: Principal,
    /// In seconds since 1970.
    expires: f64,
}

#[derive(Deserialize)]
struct Claims {
    /// A list would be none of RFC 7519.
    #[serde(rename = "iss")]
    _issuer: String,
    exp: f64,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Jwt {
    pub(super) fn open(settings: JwtSettings, caches: &CacheMetrics) -> Result<Self, Error> {
        // The crate has one for the process. Whoever was first has the same.
        let _ = ring::PROVIDER.install_default();
        let keys = Keys::open(&settings, caches)?;
        let limits = Limits {
            max_entries: MAX_KNOWN,
            time_to_live: Some(KNOWN_FOR),
        };
        Ok(Self {
            settings,
            keys,
            known: ObservedCache::new("auth.tokens", limits, caches),
        })
    }

    /// Returns whom the token names.
    pub(super) async fn owner(&self, token: &str) -> Result<Principal, Denied> {
        if token.len() > MAX_BYTES {
            return Err(Denied::Invalid("it is longer than 16 KiB"));
        }
        let digest = digest(token);
        let known = match self.known.get(&digest).await {
            Some(known) => known,
            None => {
                // Before the cache: what anybody may send is neither kept nor counted as its error.
                let known = self.check(token).await?;
                let keep = || std::future::ready(Ok(known));
                let kept = self.known.get_or_load(&digest, keep).await;
                kept.map_err(|panicked| Denied::Unavailable(panicked.to_string().into()))?
            }
        };
        let leeway = self.settings.leeway.as_secs_f64();
        match known.expires + leeway < now() {
            true => Err(Denied::Expired),
            false => Ok(known.owner),
        }
    }

    pub(super) fn resource(&self) -> Resource<'_> {
        let settings = &self.settings;
        Resource {
            public_url: &settings.public_url,
            issuer: &settings.issuer,
            scope: settings.required_scope.as_deref(),
        }
    }

    async fn check(&self, token: &str) -> Result<Known, Denied> {
        let header = decode_header(token)
            .map_err(|_| Denied::Invalid("it is no JSON web token with a known algorithm"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Denied::Invalid("its algorithm is not asymmetric"));
        }
        if header.crit.is_some() {
            return Err(Denied::Invalid("its header has a `crit` that is not known"));
        }
        let validation = self.validation(header.alg);
        let mut denied = Denied::Invalid("no key of the issuer fits its `kid` and `alg`");
        for key in self.keys.fitting(header.kid.as_deref(), header.alg).await? {
            match decode::<Claims>(token, &key, &validation) {
                Ok(token) => return self.admit(&token.claims),
                Err(error) => denied = told(error.kind()),
            }
        }
        Err(denied)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.settings.leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation
    }

    fn admit(&self, claims: &Claims) -> Result<Known, Denied> {
        if let Some(scope) = &self.settings.required_scope {
            let has = ["scope", "scp"].map(|claim| claims.others.get(claim));
            if !has
                .into_iter()
                .flatten()
                .any(|scopes| includes(scopes, scope))
            {
                return Err(Denied::Scope(scope.as_str().into()));
            }
        }
        let named = claims.others.get(&self.settings.principal_claim);
        let named = named.and_then(Value::as_str);
        let owner = named.and_then(|name| Principal::remote(name).ok());
        Ok(Known {
            owner: owner.ok_or(Denied::Invalid(
                "the claim of the setting auth.jwt.principal_claim names nobody",
            ))?,
            expires: claims.exp,
        })
    }
}

/// Says whether `scopes`, one string of words or a list of them, has `scope`.
fn includes(scopes: &Value, scope: &str) -> bool {
    match scopes {
        Value::String(words) => words.split(' ').any(|word| word == scope),
        Value::Array(list) => list.iter().any(|one| one.as_str() == Some(scope)),
        _ => false,
    }
}

fn told(error: &ErrorKind) -> Denied {
    Denied::Invalid(match error {
        ErrorKind::ExpiredSignature => return Denied::Expired,
        ErrorKind::InvalidSignature => "its signature is not the issuer's",
        ErrorKind::InvalidIssuer => "it is of another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of `exp`, `iss` and `aud`",
        _ => "its form is not that of a JSON web token",
    })
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}
