//! Links in Markdown to files that do not exist.

use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Parser, Tag};

use super::{Finding, rule};
use crate::workflow::{Fault, content::Content};

/// Names the links of `path` that lead nowhere.
pub(super) fn check(content: &Content, path: &Path, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut line, mut counted) = (1, 0);
    for (event, range) in Parser::new(text).into_offset_iter() {
        let (Event::Start(Tag::Link { dest_url, .. }) | Event::Start(Tag::Image { dest_url, .. })) =
            event
        else {
            continue;
        };
        let Some(file) = file_of(&dest_url) else {
            continue;
        };
        if range.start > counted {
            line += text[counted..range.start].matches('\n').count() as u64;
            counted = range.start;
        }
        if let Some(problem) = broken(content, path, &file) {
            let fault = Fault::new(path, problem).at_line(line);
            findings.push(Finding::new(&rule::LINK_BROKEN, fault));
        }
    }
    findings
}

/// Returns the path that a link names, unless it leads elsewhere than to a file of ours, or has
/// places to be filled in.
fn file_of(destination: &str) -> Option<String> {
    let file = destination.split(['#', '?']).next().unwrap_or_default();
    let elsewhere = file.is_empty() || file.starts_with('/') || file.contains(':');
    let template = file.contains(['{', '}', '[', ']', '<', '>', '$', '*']);
    (!elsewhere && !template).then(|| file.replace("%20", " "))
}

fn broken(content: &Content, from: &Path, file: &str) -> Option<String> {
    match resolved(from, file) {
        None => Some(format!(
            "the link to `{file}` leads out of the content directory"
        )),
        Some(target) if content.exists(&target) => None,
        Some(_) => Some(format!("the link to `{file}` leads to no file")),
    }
}

/// Follows `file` from the directory of `from`, by its spelling; nothing if it leaves the root.
fn resolved(from: &Path, file: &str) -> Option<PathBuf> {
    let mut target = from.parent()?.to_owned();
    for part in Path::new(file).components() {
        match part {
            Component::Normal(name) => target.push(name),
            Component::CurDir => {}
            Component::ParentDir if target.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_files_of_ours_are_followed() {
        let cases = [
            ("task-1.md", Some("task-1.md")),
            ("../core/a%20b.md#part", Some("../core/a b.md")),
            ("#part", None),
            ("https://example.org/a.md", None),
            ("mailto:a@example.org", None),
            ("workflow://a/phases/0", None),
            ("/absolute.md", None),
            ("{SPEC_DIR}/srd.md", None),
            ("[PHASE]/srd.md", None),
        ];
        for (destination, file) in cases {
            assert_eq!(file_of(destination).as_deref(), file, "{destination}");
        }
    }

    #[test]
    fn a_path_that_leaves_the_root_is_known() {
        let from = Path::new("workflows/w/phases/0/phase.md");
        let cases = [
            ("a.md", Some("workflows/w/phases/0/a.md")),
            ("./../1/./a.md", Some("workflows/w/phases/1/a.md")),
            ("../../../../standards/a.md", Some("standards/a.md")),
            ("../../../../../a.md", None),
        ];
        for (file, expected) in cases {
            assert_eq!(
                resolved(from, file).as_deref(),
                expected.map(Path::new),
                "{file}"
            );
        }
    }
}
