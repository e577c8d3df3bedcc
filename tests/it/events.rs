//! The lists of named events and of spans are what the code logs and opens.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use lockstep::observed::{events::EVENTS, spans::SPANS};

#[test]
fn every_named_event_is_listed_with_its_severity_and_every_listed_one_is_logged() {
    let mut logged = BTreeMap::new();
    for text in sources() {
        for level in ["error", "warn", "info", "debug"] {
            for call in text.split(&format!("{level}!(")).skip(1) {
                if let Some(named) = call.trim_start().strip_prefix("name: \"") {
                    let name = named.split('"').next().unwrap().to_owned();
                    logged.insert(name, level.to_uppercase());
                }
            }
        }
    }

    let listed = EVENTS.map(|event| (event.name.to_owned(), event.severity.to_owned()));
    assert_eq!(logged, BTreeMap::from(listed));
}

#[test]
fn what_warns_has_a_name_to_alert_on() {
    for text in sources() {
        for call in ["error!(", "warn!("] {
            for call in text.split(call).skip(1) {
                let named = call.trim_start().starts_with("name: \"");
                let start: String = call.chars().take(80).collect();
                assert!(named, "give the event a name and list it: {start}");
            }
        }
    }
}

#[test]
fn every_span_is_listed_and_every_listed_one_is_opened_with_its_attributes() {
    let mut opened = BTreeSet::new();
    let sources = sources();
    for text in &sources {
        let instrumented = text.split("#[instrument(").skip(1).map(|call| {
            let name = call.trim_start().strip_prefix("name = ");
            name.expect("a span has a name of its own")
        });
        for call in text.split("info_span!(").skip(1).chain(instrumented) {
            if let Some(name) = call.trim_start().strip_prefix('"') {
                opened.insert(name.split('"').next().unwrap().to_owned());
            }
        }
    }

    let listed = SPANS.map(|span| span.name.to_owned());
    assert_eq!(opened, BTreeSet::from(listed));
    for (span, key) in SPANS
        .iter()
        .flat_map(|span| span.attributes.iter().map(move |key| (span, key)))
    {
        let known = sources.iter().any(|text| {
            let field = text.contains(&format!("{key} = "));
            text.contains(&format!("\"{}\"", span.name))
                && (field || text.contains(&format!("%{key}")))
        });
        assert!(known, "{}: nothing records {key}", span.name);
    }
}

/// The text of every source file, without what tests itself.
fn sources() -> Vec<String> {
    let mut texts = Vec::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => dirs.push(path),
                false => {
                    let text = fs::read_to_string(path).unwrap_or_default();
                    let own = text.split("\n#[cfg(test)]\nmod tests {").next();
                    texts.extend(own.map(str::to_owned));
                }
            }
        }
    }
    texts
}
