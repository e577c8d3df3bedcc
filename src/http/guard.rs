//! Lets in whoever proves who they are, and tells the others what to do.

use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use serde_json::{Value, json};

use super::{MCP_PATH, refusals};
use crate::auth::{Authenticator, Denied, Resource, split_address};

/// Where clients find out who issues tokens (RFC 9728, section 3.1).
const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// Seconds after which a caller may try again whose token nobody can check: as often as the issuer
/// is asked.
const RETRY_AFTER_SECS: &str = "10";

/// Lets a request in whose caller proves who they are. Their principal is an extension of the request
/// then; their token goes no further.
///
/// # Errors
///
/// Why it is not let in.
pub(super) async fn admit(request: &mut Request, guard: &Authenticator) -> Result<(), Denied> {
    let token = request.headers_mut().remove(header::AUTHORIZATION);
    let token = token.as_ref().map(HeaderValue::as_bytes);
    let principal = guard.authenticate(token).await?;
    request.extensions_mut().insert(principal);
    Ok(())
}

/// Returns the routes of what a client without a token looks for.
pub(super) fn metadata_routes(guard: &Authenticator) -> Router {
    let Some(resource) = guard.resource() else {
        return Router::new();
    };
    let document = metadata(resource);
    let mut paths = vec![
        METADATA_PATH.to_owned(),
        format!("{METADATA_PATH}{MCP_PATH}"),
        format!("{METADATA_PATH}{}", split_address(resource.public_url).1),
    ];
    paths.dedup();
    paths.into_iter().fold(Router::new(), |router, path| {
        let document = document.clone();
        router.route(&path, get(move || std::future::ready(Json(document))))
    })
}

/// Tells a caller who is not let in what to do.
pub(super) fn refused(denied: &Denied, resource: Option<Resource<'_>>) -> Response {
    let status = match denied {
        Denied::Missing | Denied::Invalid(_) | Denied::Expired => StatusCode::UNAUTHORIZED,
        Denied::Scope(_) => StatusCode::FORBIDDEN,
        Denied::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let message = format!("{denied}: {}", advice(denied, resource));
    let mut response: Response<Body> =
        refusals::refuse(status, refusals::INVALID_REQUEST, &message);
    let headers = response.headers_mut();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECS),
        );
        return response;
    }
    let challenge = HeaderValue::try_from(challenge(denied, resource));
    let challenge = challenge.expect("quoted strings of printable ASCII are a header");
    headers.insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Says what a caller needs (RFC 6750, section 3; RFC 9728, section 5.1).
fn challenge(denied: &Denied, resource: Option<Resource<'_>>) -> String {
    let error = match denied {
        // A caller that knew of nothing has done nothing wrong.
        Denied::Missing | Denied::Unavailable(_) => None,
        Denied::Invalid(_) | Denied::Expired => Some("invalid_token"),
        Denied::Scope(_) => Some("insufficient_scope"),
    };
    let description = error.map(|_| denied.to_string());
    let metadata = resource.map(|resource| metadata_url(resource.public_url));
    let parameters = [
        ("realm", Some("lockstep")),
        ("error", error),
        ("error_description", description.as_deref()),
        ("scope", resource.and_then(|resource| resource.scope)),
        ("resource_metadata", metadata.as_deref()),
    ];
    let given = parameters.into_iter().filter_map(|(name, value)| {
        // No quotes or backslashes: nothing is escaped that a client could fail to unescape.
        let plain = |c: &char| matches!(c, ' '..='~') && !['"', '\\'].contains(c);
        let value: String = value?.chars().filter(plain).collect();
        Some(format!("{name}=\"{value}\""))
    });
    format!("Bearer {}", given.collect::<Vec<_>>().join(", "))
}

fn advice(denied: &Denied, resource: Option<Resource<'_>>) -> String {
    match (denied, resource) {
        (Denied::Unavailable(_), _) => {
            "try again soon; the operator finds the cause in the log".into()
        }
        (_, None) => "send `Authorization: Bearer TOKEN` with a token that this server's operator \
                      has given you"
            .into(),
        (_, Some(resource)) => {
            let scope = resource
                .scope
                .map(|scope| format!(" with the scope {scope}"));
            format!(
                "send `Authorization: Bearer TOKEN` with a token of {} for {}{}",
                resource.issuer,
                resource.public_url,
                scope.unwrap_or_default()
            )
        }
    }
}

fn metadata(resource: Resource<'_>) -> Value {
    let mut document = json!({
        "resource": resource.public_url,
        "resource_name": "Lockstep",
        "authorization_servers": [resource.issuer],
        "bearer_methods_supported": ["header"],
    });
    if let Some(scope) = resource.scope {
        document["scopes_supported"] = json!([scope]);
    }
    document
}

fn metadata_url(public_url: &str) -> String {
    let (origin, path) = split_address(public_url);
    format!("{origin}{METADATA_PATH}{path}")
}

#[cfg(test)]
mod tests {
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    use super::*;
    use crate::{auth::Settings, observed::Metrics, principal::Principal};

    #[tokio::test]
    async fn a_token_goes_no_further_than_to_whoever_checks_it() {
        const TOKEN: &str = "alice-token-0123456789";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, format!("alice: {TOKEN}\n")).unwrap();
        let metrics = Metrics::new(&SdkMeterProvider::default().meter("test"));
        let settings = Settings::Tokens(file.path().to_owned());
        let guard = Authenticator::open(settings, &metrics).unwrap();
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        let mut request = request.body(Body::empty()).unwrap();

        admit(&mut request, &guard).await.unwrap();

        let caller = request.extensions().get::<Principal>().cloned();
        let seen = format!("{caller:?} {:?}", request.headers());
        assert!(seen.contains("alice") && !seen.contains("token"), "{seen}");
    }

    #[test]
    fn a_challenge_names_the_fault_the_scope_and_where_to_look_in_quotes() {
        let resource = Resource {
            public_url: "https://a.example/tools/mcp",
            issuer: "https://issuer.example",
            scope: Some("lockstep"),
        };
        let missing = challenge(&Denied::Missing, Some(resource));
        assert_eq!(
            missing,
            "Bearer realm=\"lockstep\", scope=\"lockstep\", resource_metadata=\
             \"https://a.example/.well-known/oauth-protected-resource/tools/mcp\""
        );
        let scope = challenge(&Denied::Scope("lockstep".into()), Some(resource));
        assert!(scope.contains("error=\"insufficient_scope\""), "{scope}");
        let plain = challenge(&Denied::Invalid("say \"no\"\\"), None);
        assert_eq!(
            plain,
            "Bearer realm=\"lockstep\", error=\"invalid_token\", \
             error_description=\"the token is not accepted: say no\""
        );
    }

    #[test]
    fn whose_token_nobody_can_check_is_told_to_come_again() {
        let cases = [
            (Denied::Missing, 401),
            (Denied::Expired, 401),
            (Denied::Scope("a".into()), 403),
            (Denied::Unavailable("no answer".into()), 503),
        ];
        for (denied, status) in cases {
            let response = refused(&denied, None);
            let again = response.headers().contains_key(header::RETRY_AFTER);
            assert_eq!((response.status().as_u16(), again), (status, status == 503));
            let challenged = response.headers().contains_key(header::WWW_AUTHENTICATE);
            assert_ne!(challenged, again, "{denied}");
        }
    }
}
