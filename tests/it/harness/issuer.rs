//! An OAuth issuer: keys on the web, and tokens that it signs.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// An issuer whose keys can be exchanged, and which can be down.
pub struct Issuer {
    address: SocketAddr,
    desk: Arc<Desk>,
}

#[derive(Default)]
struct Desk {
    keys: ArcSwap<Value>,
    down: AtomicBool,
    asked: AtomicUsize,
}

/// A key that signs.
pub enum SigningKey {
    Ed25519(&'static str, Ed25519KeyPair),
    P256(&'static str, EcdsaKeyPair),
}

impl Issuer {
    /// Starts an issuer that publishes `keys`.
    pub async fn spawn(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk::default());
        let metadata = json!({
            "issuer": format!("http://{address}"),
            "jwks_uri": format!("http://{address}/keys"),
        });
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move |State(desk): State<Arc<Desk>>| async move { answer(&desk, &metadata) }),
            )
            .route(
                "/keys",
                get(async |State(desk): State<Arc<Desk>>| {
                    desk.asked.fetch_add(1, SeqCst);
                    answer(&desk, &desk.keys.load())
                }),
            )
            .with_state(Arc::clone(&desk));
        tokio::spawn(axum::serve(listener, router).into_future());
        let issuer = Self { address, desk };
        issuer.publish(keys);
        issuer
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Exchanges the keys.
    pub fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.desk.keys.store(Arc::new(json!({ "keys": keys })));
    }

    /// Answers nothing any more.
    pub fn go_down(&self) {
        self.desk.down.store(true, SeqCst);
    }

    /// How often the keys were asked for.
    pub fn asked(&self) -> usize {
        self.desk.asked.load(SeqCst)
    }

    /// Returns the claims of a good token of `subject` for `audience`.
    pub fn claims(&self, subject: &str, audience: &str) -> Value {
        let now = now();
        json!({
            "iss": self.url(), "aud": audience, "sub": subject, "exp": now + 600, "nbf": now - 5,
        })
    }
}

impl SigningKey {
    pub fn ed25519(id: &'static str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(id, Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub fn p256(id: &'static str) -> Self {
        let (by, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(by, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(by, document.as_ref(), &random).unwrap();
        Self::P256(id, pair)
    }

    /// Signs `claims` as a good issuer does.
    pub fn token(&self, claims: &Value) -> String {
        let header = match self {
            Self::Ed25519(id, _) => json!({ "alg": "EdDSA", "kid": id, "typ": "at+jwt" }),
            Self::P256(id, _) => json!({ "alg": "ES256", "kid": id }),
        };
        self.signed(&header, claims)
    }

    /// Signs `claims` under any header.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = match self {
            Self::Ed25519(_, pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Self::P256(_, pair) => {
                let signed = pair.sign(&SystemRandom::new(), message.as_bytes());
                signed.unwrap().as_ref().to_vec()
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns the public key as it is published.
    pub fn public(&self) -> Value {
        match self {
            Self::Ed25519(id, pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "kid": id, "alg": "EdDSA", "use": "sig",
                "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
            }),
            Self::P256(id, pair) => {
                let point = pair.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "kid": id, "key_ops": ["verify"],
                    "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
                    "y": URL_SAFE_NO_PAD.encode(&point[33..]),
                })
            }
        }
    }
}

/// Returns what a token says, to be signed.
pub fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn answer(desk: &Desk, document: &Value) -> Response {
    match desk.down.load(SeqCst) {
        true => StatusCode::BAD_GATEWAY.into_response(),
        false => Json(document.clone()).into_response(),
    }
}
