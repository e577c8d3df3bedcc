//! JSON web tokens of an issuer.

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockstep::{
    auth::{Authenticator, JwtSettings, KeySource, Settings},
    config::{AuthMode, Config},
    observed::Metrics,
};
use serde_json::{Value, json};

use super::{PUBLIC_URL, admitted, asked, refused};
use crate::harness::{
    Issuer, SigningKey, TestMetrics, TestServer,
    issuer::{message, now},
};

/// What the crates of the issuer's cache are called.
const KEYS: &[(&str, &str)] = &[("cache.name", "auth.keys")];
const TOKENS: &[(&str, &str)] = &[("cache.name", "auth.tokens")];

fn with_issuer(issuer: &Issuer) -> impl FnOnce(&mut Config) + use<> {
    let url = issuer.url();
    |config| {
        config.http.public_url = Some(PUBLIC_URL.to_owned());
        config.auth.mode = AuthMode::Jwt;
        config.auth.jwt.issuer = url;
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Changes one claim; null takes it away.
fn but(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

#[tokio::test]
async fn a_token_of_the_issuer_for_us_gets_in() {
    let (edwards, elliptic) = (SigningKey::ed25519("a"), SigningKey::p256("b"));
    let issuer = Issuer::spawn(&[&edwards, &elliptic]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let good = edwards.token(&claims);
    let server = TestServer::spawn_for(Some(&good), with_issuer(&issuer)).await;

    let several = but(&claims, "aud", json!(["https://other", PUBLIC_URL]));
    let in_leeway = but(&claims, "exp", json!(now() - 30));
    let no_id = json!({ "alg": "ES256" });
    let tokens = [
        good.clone(),
        elliptic.token(&claims),
        elliptic.signed(&no_id, &claims),
        edwards.token(&several),
        edwards.token(&in_leeway),
        edwards.token(&but(&claims, "nbf", Value::Null)),
    ];
    for token in &tokens {
        admitted(&server, &bearer(token)).await;
    }
    for _ in 0..10 {
        admitted(&server, &bearer(&good)).await;
    }

    assert_eq!(issuer.asked(), 1);
    let misses = [TOKENS[0], ("cache.outcome", "miss")];
    let misses = server.metrics.counter("lockstep.cache.lookups", &misses);
    assert_eq!(misses, tokens.len() as u64, "each is checked once");
}

/// Asserts that each token is refused for the reason beside it, and is repeated nowhere.
async fn all_refused(server: &TestServer, issuer: &Issuer, cases: &[(String, &str)]) {
    for (token, complaint) in cases {
        let (status, challenge, message) = refused(server, Some(&bearer(token))).await;
        assert_eq!(status, 401, "{complaint}");
        assert!(message.contains(complaint), "{complaint}: {message}");
        assert!(
            message.contains(&issuer.url()),
            "where to get one: {message}"
        );
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert!(!message.contains(token.as_str()), "{message}");
    }
    assert_eq!(issuer.asked(), 1, "nobody has the issuer asked at will");
}

#[tokio::test]
async fn a_token_whose_claims_are_not_for_us_and_now_is_told_which() {
    let key = SigningKey::ed25519("a");
    let issuer = Issuer::spawn(&[&key]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let good = key.token(&claims);
    let server = TestServer::spawn_for(Some(&good), with_issuer(&issuer)).await;

    let with = |name: &str, value: Value| key.token(&but(&claims, name, value));
    let (audience, unnamed) = ("for another audience", "auth.jwt.principal_claim");
    let cases = [
        (with("exp", json!(now() - 90)), "the token is expired"),
        (with("nbf", json!(now() + 90)), "it is not valid yet"),
        (with("aud", json!("https://other/mcp")), audience),
        (with("aud", json!(["https://other/mcp"])), audience),
        (with("aud", json!(PUBLIC_URL.to_uppercase())), audience),
        (with("aud", Value::Null), "lacks one of"),
        (with("iss", json!("https://other")), "of another issuer"),
        (with("iss", Value::Null), "not accepted"),
        (with("iss", json!([issuer.url()])), "not accepted"),
        (with("exp", Value::Null), "not accepted"),
        (with("exp", json!("tomorrow")), "not accepted"),
        (with("nbf", json!("tomorrow")), "not accepted"),
        (with("sub", Value::Null), unnamed),
        (with("sub", json!("local")), unnamed),
        (with("sub", json!(7)), unnamed),
    ];

    all_refused(&server, &issuer, &cases).await;

    let expired = [("auth.result", "expired")];
    let expired = server.metrics.counter("lockstep.auth.decisions", &expired);
    assert_eq!(expired, 1);
}

#[tokio::test]
async fn a_token_that_the_issuer_has_not_signed_so_gets_nobody_in() {
    let (key, stranger) = (SigningKey::ed25519("a"), SigningKey::ed25519("a"));
    let elliptic = SigningKey::p256("b");
    let issuer = Issuer::spawn(&[&key, &elliptic]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let good = key.token(&claims);
    let server = TestServer::spawn_for(Some(&good), with_issuer(&issuer)).await;

    // A public key is known to all: whoever takes it for a secret lets everybody sign.
    let confused = hmac_signed(&claims, key.public()["x"].as_str().unwrap());
    let unsigned = |id: &str| message(&json!({ "alg": "none", "kid": id }), &claims);
    let parts: Vec<_> = good.split('.').collect();
    let (head, signature) = (parts[0], parts[2]);
    let root = URL_SAFE_NO_PAD.encode(but(&claims, "sub", json!("root")).to_string());
    let (foreign, formless) = ("signature is not the issuer's", "no JSON web token");
    let under = |key: &SigningKey, header: Value| key.signed(&header, &claims);
    let cases = [
        (stranger.token(&claims), foreign),
        (format!("{head}.{root}.{signature}"), foreign),
        (
            under(&elliptic, json!({ "alg": "EdDSA", "kid": "a" })),
            foreign,
        ),
        (confused, "algorithm is not asymmetric"),
        (format!("{}.", unsigned("a")), formless),
        (format!("{}.{signature}", unsigned("a")), formless),
        (
            under(&elliptic, json!({ "alg": "ES256", "kid": "a" })),
            "no key of the issuer fits",
        ),
        (
            under(&key, json!({ "alg": "EdDSA", "kid": "a", "crit": ["b64"] })),
            "`crit`",
        ),
        ("abc".to_owned(), formless),
        ("a.b.c".to_owned(), formless),
        ("x".repeat(16 * 1024 + 1), "longer than 16 KiB"),
    ];

    all_refused(&server, &issuer, &cases).await;
}

/// Signs with HMAC-SHA-256 and the text of a public key.
fn hmac_signed(claims: &Value, public: &str) -> String {
    let message = message(&json!({ "alg": "HS256", "kid": "a" }), claims);
    let secret = URL_SAFE_NO_PAD.decode(public).unwrap();
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
    let signature = ring::hmac::sign(&secret, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn rsa_signatures_are_checked_as_rfc_7515_has_them() {
    const SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.json");
    let rsa = json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB" });
    let other = SigningKey::ed25519("a");
    // What is not understood hides nothing.
    let odd = json!({ "kty": "lattice", "kid": "q" });
    let keys = json!({ "keys": [odd, rsa, other.public()] });
    fs::write(&file, keys.to_string()).unwrap();
    let claims = json!({
        "iss": "joe", "aud": PUBLIC_URL, "sub": "alice", "exp": now() + 600,
    });
    let own = other.token(&claims);
    let server = TestServer::spawn_for(Some(&own), |config| {
        config.http.public_url = Some(PUBLIC_URL.to_owned());
        config.auth.mode = AuthMode::Jwt;
        config.auth.jwt.issuer = "joe".to_owned();
        config.auth.jwt.jwks_file = Some(file.clone());
    })
    .await;

    // The example has no audience: its signature is good, and that is not enough.
    let (_, _, message) = refused(&server, Some(&bearer(SIGNED))).await;
    assert!(message.contains("lacks one of"), "{message}");
    let broken = SIGNED.replace("Rw", "Rg").replace("cC4h", "cC4i");
    let (_, _, message) = refused(&server, Some(&bearer(&broken))).await;
    assert!(
        message.contains("signature is not the issuer's"),
        "{message}"
    );
    // The file is read again when it changes.
    fs::write(&file, json!({ "keys": [rsa] }).to_string()).unwrap();
    let (_, _, message) = refused(
        &server,
        Some(&bearer(&other.token(&but(&claims, "n", json!(1))))),
    )
    .await;
    assert!(message.contains("no key of the issuer fits"), "{message}");
}

#[tokio::test]
async fn an_exchanged_key_is_found_at_once_and_unknown_ones_have_the_issuer_asked_seldom() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::ed25519("new"));
    let issuer = Issuer::spawn(&[&old]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let token = old.token(&claims);
    let server = TestServer::spawn_for(Some(&token), with_issuer(&issuer)).await;
    assert_eq!(issuer.asked(), 1);

    issuer.publish(&[&new]);
    pass(Duration::from_secs(11)).await;
    let together = (0..50).map(|number| {
        let token = new.token(&but(&claims, "jti", json!(number)));
        let server = &server;
        async move { admitted(server, &bearer(&token)).await }
    });
    futures::future::join_all(together).await;
    assert_eq!(issuer.asked(), 2, "one question for all who need one");

    let unknown = SigningKey::ed25519("unknown");
    for number in 0..20 {
        let token = unknown.token(&but(&claims, "jti", json!(number)));
        assert_eq!(asked(&server, Some(&bearer(&token))).await.status(), 401);
    }
    assert_eq!(issuer.asked(), 2, "nobody has the issuer asked at will");
    let misses = [KEYS[0], ("cache.outcome", "miss")];
    let asked = server.metrics.counter("lockstep.cache.lookups", &misses);
    assert_eq!(asked, 2, "and each question is seen");
}

/// Lets time pass without waiting for it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn while_the_issuer_is_down_its_keys_count_and_a_start_without_them_says_so() {
    let key = SigningKey::ed25519("a");
    let issuer = Issuer::spawn(&[&key]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let token = key.token(&claims);
    let server = TestServer::spawn_for(Some(&token), with_issuer(&issuer)).await;

    issuer.go_down();
    pass(Duration::from_secs(3_600)).await;
    let later = but(
        &issuer.claims("bob", PUBLIC_URL),
        "exp",
        json!(now() + 9_000),
    );
    admitted(&server, &bearer(&key.token(&later))).await;

    let cold = Issuer::spawn(&[&key]).await;
    cold.go_down();
    let denied = denied_by(&cold, &key).await;
    assert!(denied.contains("tokens cannot be checked now"), "{denied}");
    assert!(denied.contains("502"), "what the issuer said: {denied}");
}

/// Asks an authenticator of its own about a good token of `issuer`, and returns why it is denied.
async fn denied_by(issuer: &Issuer, key: &SigningKey) -> String {
    let metrics = TestMetrics::new();
    let settings = Settings::Jwt(JwtSettings {
        issuer: issuer.url(),
        audience: PUBLIC_URL.to_owned(),
        keys: KeySource::Web {
            url: None,
            tls_ca: None,
        },
        leeway: Duration::ZERO,
        principal_claim: "sub".to_owned(),
        required_scope: None,
        public_url: PUBLIC_URL.to_owned(),
    });
    let authenticator = Authenticator::open(settings, &Metrics::new(&metrics.meter())).unwrap();
    let token = bearer(&key.token(&issuer.claims("alice", PUBLIC_URL)));
    let denied = authenticator.authenticate(Some(token.as_bytes())).await;
    denied.unwrap_err().to_string()
}

#[tokio::test]
async fn a_token_without_the_scope_is_told_which_and_metadata_says_where_to_get_one() {
    let key = SigningKey::p256("a");
    let issuer = Issuer::spawn(&[&key]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let good = key.token(&but(&claims, "scope", json!("openid lockstep")));
    let with_issuer = with_issuer(&issuer);
    let server = TestServer::spawn_for(Some(&good), |config| {
        with_issuer(config);
        config.auth.jwt.required_scope = Some("lockstep".to_owned());
    })
    .await;

    admitted(&server, &bearer(&good)).await;
    for list in [json!(["lockstep"]), json!("lockstep")] {
        admitted(&server, &bearer(&key.token(&but(&claims, "scp", list)))).await;
    }
    for scope in [
        Value::Null,
        json!("lockstep:read"),
        json!(["openid"]),
        json!({ "lockstep": 1 }),
    ] {
        let token = key.token(&but(&claims, "scope", scope));
        let (status, challenge, message) = refused(&server, Some(&bearer(&token))).await;
        assert_eq!(status, 403, "{message}");
        assert!(
            challenge.contains("error=\"insufficient_scope\""),
            "{challenge}"
        );
        assert!(challenge.contains("scope=\"lockstep\""), "{challenge}");
    }
    let (status, challenge, _) = refused(&server, None).await;
    let place = "https://lockstep.test/.well-known/oauth-protected-resource/mcp";
    assert_eq!(status, 401);
    assert!(
        challenge.contains(&format!("resource_metadata=\"{place}\"")),
        "{challenge}"
    );
    for path in ["", "/mcp"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let metadata = reqwest::get(server.url().replace("/mcp", &path))
            .await
            .unwrap();
        let metadata: Value = metadata.json().await.unwrap();
        assert_eq!(metadata["resource"], PUBLIC_URL, "{path}");
        assert_eq!(metadata["authorization_servers"], json!([issuer.url()]));
        assert_eq!(metadata["scopes_supported"], json!(["lockstep"]));
    }
}

#[tokio::test]
async fn a_token_that_is_known_to_be_good_is_refused_once_it_is_expired() {
    let key = SigningKey::ed25519("a");
    let issuer = Issuer::spawn(&[&key]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let good = key.token(&claims);
    let with_issuer = with_issuer(&issuer);
    let server = TestServer::spawn_for(Some(&good), |config| {
        with_issuer(config);
        config.auth.jwt.leeway_secs = 0;
    })
    .await;
    let expires = now() + 2;
    let short = bearer(&key.token(&but(&claims, "exp", json!(expires))));

    admitted(&server, &short).await;
    // Seconds since 1970, which no test can advance: it is asked until it is refused.
    while asked(&server, Some(&short)).await.status() == 200 {
        assert!(now() <= expires + 1, "it is let in after its end");
    }

    let (status, _, message) = refused(&server, Some(&short)).await;
    assert_eq!(status, 401);
    assert!(message.contains("the token is expired"), "{message}");
    let looked_up = |outcome| {
        let labels = [TOKENS[0], ("cache.outcome", outcome)];
        server.metrics.counter("lockstep.cache.lookups", &labels)
    };
    assert_eq!(looked_up("miss"), 2, "it was known when it was refused");
    assert_eq!(looked_up("error"), 0);
}

#[tokio::test]
async fn a_key_that_the_issuer_takes_back_counts_no_more_once_its_keys_are_five_minutes_old() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::ed25519("new"));
    let issuer = Issuer::spawn(&[&old]).await;
    let claims = issuer.claims("alice", PUBLIC_URL);
    let server = TestServer::spawn_for(Some(&old.token(&claims)), with_issuer(&issuer)).await;
    let numbered = |number| bearer(&old.token(&but(&claims, "jti", json!(number))));

    issuer.publish(&[&new]);
    pass(Duration::from_secs(301)).await;
    admitted(&server, &numbered(1)).await; // Nobody waits for the issuer.
    let deadline = now() + 10;
    while issuer.asked() < 2 {
        assert!(now() < deadline, "the issuer is not asked again");
        tokio::task::yield_now().await;
    }
    let refused = async || asked(&server, Some(&numbered(2))).await.status() == 401;
    while !refused().await {
        assert!(now() < deadline, "the key still counts");
    }
}

#[tokio::test]
async fn an_answer_of_the_issuer_beyond_a_megabyte_is_not_read() {
    let key = SigningKey::ed25519("a");
    let issuer = Issuer::spawn(&vec![&key; 10_000]).await;
    let denied = denied_by(&issuer, &key).await;
    assert!(denied.contains("tokens cannot be checked now"), "{denied}");
}
