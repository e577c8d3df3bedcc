//! `/`: one page that shows what the server does, with nothing from elsewhere.

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};

/// The page without its style and its script. `{{nonce}}` is another word in each response.
const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

pub(super) fn routes() -> Router {
    Router::new().route("/", get(async || response()))
}

fn response() -> impl IntoResponse {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    // It loads nothing, sends nothing but questions for its numbers, and stands in no frame.
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, Html(page(&nonce)))
}

fn page(nonce: &str) -> String {
    PAGE.replace("{{nonce}}", nonce)
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_names_no_other_place() {
        let page = page("7f");

        assert!(!page.contains("{{"), "something was not put in");
        assert!(page.contains("<script nonce=\"7f\">"));
        let outside = ["https://", "//cdn", "src=", "@import", "url("];
        for place in outside {
            assert!(!page.contains(place), "{place}");
        }
    }
}
