//! What it costs to prove who calls, against the hash or the signature that it cannot do without.
//!
//! `cargo bench --bench authenticate`. A call takes some 100 µs, so 1 µs is 1 %.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{BatchSize, Criterion};
use lockstep::{
    auth::{Authenticator, JwtSettings, KeySource, Settings},
    observed::Metrics,
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

const PUBLIC_URL: &str = "https://lockstep.example/mcp";
const ISSUER: &str = "https://id.example";
/// A file that changed less than two seconds ago is read with each request.
const SETTLED: Duration = Duration::from_millis(2_100);

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let dir = tempfile::tempdir().expect("a directory");
    let metrics = Metrics::new(&SdkMeterProvider::default().meter("bench"));
    let mut criterion = Criterion::default()
        .sample_size(50)
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    println!("baseline of tokens: the hash of what is shown");
    let shown = "t".repeat(64);
    criterion.bench_function("sha-256 of a token", |bench| {
        bench.iter(|| Sha256::digest(black_box(&shown)));
    });
    for tokens in [1, 100, 1_000] {
        let (authenticator, header) = of_tokens(dir.path(), tokens, &metrics);
        std::thread::sleep(SETTLED);
        criterion.bench_function(&format!("one of {tokens} tokens"), |bench| {
            bench
                .to_async(&runtime)
                .iter(|| authenticator.authenticate(Some(black_box(header.as_bytes()))));
        });
    }
    of_issuer(&runtime, dir.path(), &metrics, &mut criterion);
}

/// Returns one that knows so many tokens, and the header with the last of them.
fn of_tokens(dir: &Path, tokens: usize, metrics: &Metrics) -> (Authenticator, String) {
    let token = |number: usize| format!("{number:064}");
    let lines: String = (0..tokens)
        .map(|number| format!("caller-{number}: \"{}\"\n", token(number)))
        .collect();
    let file = dir.join(format!("{tokens}.yaml"));
    fs::write(&file, lines).expect("a file");
    let authenticator = Authenticator::open(Settings::Tokens(file), metrics).expect("tokens");
    (authenticator, format!("Bearer {}", token(tokens - 1)))
}

fn of_issuer(runtime: &Runtime, dir: &Path, metrics: &Metrics, criterion: &mut Criterion) {
    let random = ring::rand::SystemRandom::new();
    let document = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key");
    let file = dir.join("keys.json");
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "a", "alg": "EdDSA", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
    });
    fs::write(&file, json!({ "keys": [key] }).to_string()).expect("a file");
    let settings = JwtSettings {
        issuer: ISSUER.to_owned(),
        audience: PUBLIC_URL.to_owned(),
        keys: KeySource::File(file),
        leeway: Duration::from_secs(60),
        principal_claim: "sub".to_owned(),
        required_scope: Some("lockstep".to_owned()),
        public_url: PUBLIC_URL.to_owned(),
    };
    let authenticator = Authenticator::open(Settings::Jwt(settings), metrics).expect("keys");
    std::thread::sleep(SETTLED);
    let mut number = 0_u64;
    let mut fresh = || {
        number += 1;
        format!("Bearer {}", signed(&pair, number))
    };
    println!("baseline of web tokens: one signature of Ed25519");
    let (message, public) = (fresh(), pair.public_key().as_ref().to_vec());
    let signature = pair.sign(message.as_bytes());
    criterion.bench_function("ed25519 verify", |bench| {
        let public = UnparsedPublicKey::new(&ED25519, &public);
        bench.iter(|| public.verify(black_box(message.as_bytes()), signature.as_ref()));
    });
    criterion.bench_function("a web token, the first time", |bench| {
        let admit =
            async |header: String| authenticator.authenticate(Some(header.as_bytes())).await;
        let mut bench = bench.to_async(runtime);
        bench.iter_batched(&mut fresh, admit, BatchSize::SmallInput);
    });
    let known = fresh();
    criterion.bench_function("a web token, known", |bench| {
        bench
            .to_async(runtime)
            .iter(|| authenticator.authenticate(Some(black_box(known.as_bytes()))));
    });
    let admitted = runtime.block_on(authenticator.authenticate(Some(known.as_bytes())));
    assert_eq!(admitted.expect("it is good").as_str(), "agent-7");
}

/// Returns a token as issuers make them, of some 400 bytes.
fn signed(pair: &Ed25519KeyPair, number: u64) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.expect("a clock").as_secs();
    let header = json!({ "alg": "EdDSA", "kid": "a", "typ": "at+jwt" });
    let claims = json!({
        "iss": ISSUER, "aud": PUBLIC_URL, "sub": "agent-7", "scope": "openid lockstep",
        "iat": now, "nbf": now, "exp": now + 3_600, "jti": number, "client_id": "fleet",
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}
