//! The dependency rule of `src/ARCHITECTURE.md`, held by a test.

use std::{fs, path::Path};

/// A module, which modules of ours it may name, and which outside crates it may not.
type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const EDGE: &[&str] = &["rmcp", "axum", "hyper", "tower", "clap"];
const DOMAIN_MAY_NOT: &[&str] = &[
    "rmcp",
    "axum",
    "hyper",
    "tower",
    "clap",
    "moka",
    "opentelemetry",
    "opentelemetry_sdk",
];

const RULES: &[Rule] = &[
    ("faults", &[], EDGE),
    ("principal", &[], EDGE),
    ("stamp", &[], EDGE),
    ("tls", &[], EDGE),
    ("observed", &["faults"], EDGE),
    ("rendering", &[], DOMAIN_MAY_NOT),
    (
        "workflow",
        &[
            "faults",
            "observed",
            "principal",
            "rendering",
            "stamp",
            "tls",
        ],
        DOMAIN_MAY_NOT,
    ),
    ("search", &["observed", "rendering"], DOMAIN_MAY_NOT),
    (
        "auth",
        &["observed", "principal", "stamp", "tls"],
        &["rmcp", "axum", "tower", "clap", "moka", "opentelemetry"],
    ),
    (
        "mcp",
        &["faults", "observed", "principal", "workflow", "search"],
        &["axum", "moka", "clap"],
    ),
    ("admin", &["observed", "search"], &["rmcp", "moka", "clap"]),
    ("http", &["auth", "mcp", "observed"], &["moka", "clap"]),
    ("stdio", &["mcp"], &["axum", "moka", "clap"]),
    ("config", &["faults"], &["rmcp", "axum", "moka"]),
    ("telemetry", &["config"], &["rmcp", "axum", "moka"]),
    (
        "app",
        &[
            "admin", "auth", "config", "faults", "http", "mcp", "observed", "search", "stdio",
            "workflow",
        ],
        &["moka", "clap"],
    ),
    (
        "cli",
        &[
            "app",
            "config",
            "observed",
            "search",
            "telemetry",
            "workflow",
        ],
        &["rmcp", "axum", "moka"],
    ),
];

#[test]
fn modules_use_only_what_the_architecture_allows() {
    for (module, allowed, forbidden) in RULES {
        for source in sources(module) {
            for used in crate_paths(&source) {
                let fine = used == *module || allowed.contains(&used.as_str());
                assert!(fine, "`{module}` must not use `{used}`");
            }
            for outside in *forbidden {
                let path = format!("{outside}::");
                let used = source.match_indices(&path).any(|(at, _)| {
                    !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                assert!(!used, "`{module}` must not use the crate `{outside}`");
            }
        }
    }
}

#[test]
fn every_module_has_a_rule() {
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    let modules = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    for module in modules.map(|module| module.trim_end_matches(';')) {
        let known = RULES.iter().any(|(ruled, ..)| *ruled == module);
        assert!(known, "`{module}` has no rule");
    }
}

fn src() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The text of `src/<module>.rs` and of every file in `src/<module>/`, without its unit tests.
fn sources(module: &str) -> Vec<String> {
    let mut files = vec![src().join(format!("{module}.rs"))];
    let mut dirs = vec![src().join(module)];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let production = |file: &std::path::PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        text.split("#[cfg(test)]").next().unwrap().to_owned()
    };
    files.iter().map(production).collect()
}

/// The first segment of every `crate::a` and of every arm of `crate::{a, b::c}`.
fn crate_paths(source: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for rest in source.split("crate::").skip(1) {
        let arms = match rest.strip_prefix('{') {
            Some(group) => top_level_arms(group),
            None => vec![rest],
        };
        let first_segment = |arm: &str| {
            arm.trim_start()
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
                .to_owned()
        };
        paths.extend(
            arms.into_iter()
                .map(first_segment)
                .filter(|segment| !segment.is_empty()),
        );
    }
    paths
}

fn top_level_arms(group: &str) -> Vec<&str> {
    let mut depth = 1;
    let end = group.find(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    let mut inner = 0;
    group[..end.unwrap()]
        .split(|c| {
            inner += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && inner == 0
        })
        .collect()
}
