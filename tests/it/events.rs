//! The list of named events is the one that the code logs.

use std::{collections::BTreeMap, fs, path::Path};

use lockstep::observed::events::EVENTS;

#[test]
fn every_named_event_is_listed_with_its_severity_and_every_listed_one_is_logged() {
    let mut logged = BTreeMap::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for level in ["error", "warn", "info"] {
                for call in text.split(&format!("{level}!(")).skip(1) {
                    if let Some(named) = call.trim_start().strip_prefix("name: \"") {
                        let name = named.split('"').next().unwrap().to_owned();
                        logged.insert(name, level.to_uppercase());
                    }
                }
            }
        }
    }

    let listed = EVENTS.map(|event| (event.name.to_owned(), event.severity.to_owned()));
    assert_eq!(logged, BTreeMap::from(listed));
}
