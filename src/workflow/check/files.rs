//! The files of a workflow one by one: how they are written, how long they are, who names them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{Finding, links, rule};
use crate::workflow::{
    Definition, Fault, Phase, content::Content, content::workflow_file, definition::Number,
};

/// The most lines that an agent should be given at once: what the authors of the real workflows
/// keep to three times over.
const MAX_LINES: usize = 500;

/// The same in characters: about 5,000 tokens.
const MAX_CHARS: usize = 20_000;

/// The most files of a workflow that are looked at; the largest real one has 80.
const MAX_FILES: usize = 5_000;

/// The deepest directory that is looked into.
const MAX_DEPTH: usize = 8;

/// A text of the workflow.
struct Text {
    path: PathBuf,
    text: String,
}

/// Names what is wrong with the files themselves.
pub(super) fn check(content: &Content, definition: &Definition) -> Vec<Finding> {
    let root = workflow_file(&definition.workflow, "");
    let mut paths = Vec::new();
    collect(content, &root, 0, &mut paths);
    let mut findings = Vec::new();
    let mut texts = Vec::new();
    for path in &paths {
        if !is_text(path) {
            continue;
        }
        match content.read(path) {
            Ok(text) => texts.extend(text.map(|text| Text {
                path: path.clone(),
                text,
            })),
            Err(fault) => findings.push(Finding::new(&rule::FILE_UNREADABLE, fault)),
        }
    }
    for text in &texts {
        findings.extend(written(content, text));
        if has_extension(&text.path, "md") {
            findings.extend(long(text));
            findings.extend(links::check(content, &text.path, &text.text));
        }
    }
    findings.extend(unnamed(definition, &root, &paths, &texts));
    findings
}

fn collect(content: &Content, directory: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    // That a directory cannot be listed is said of the files that are missed.
    for name in content.names(directory).unwrap_or_default() {
        let path = directory.join(&name);
        if name.starts_with('.') || paths.len() >= MAX_FILES {
            continue;
        }
        if !content.is_dir(&path) {
            paths.push(path);
        } else if depth < MAX_DEPTH {
            collect(content, &path, depth + 1, paths);
        }
    }
}

/// Names what editors put into a file unasked.
fn written(content: &Content, text: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    if content.has_byte_order_mark(&text.path) {
        let fault = Fault::new(&text.path, "the file begins with a byte order mark");
        findings.push(Finding::new(&rule::BYTE_ORDER_MARK, fault));
    }
    if has_extension(&text.path, "yaml") {
        let indentation = |line: &str| {
            let body = line.trim_start();
            line[..line.len() - body.len()].contains('\t') && !body.is_empty()
        };
        let tab = text.text.lines().position(indentation);
        findings.extend(tab.map(|line| {
            let fault = Fault::new(&text.path, "this line is indented with a tab");
            Finding::new(&rule::YAML_TAB, fault.at_line(line as u64 + 1))
        }));
    }
    findings
}

fn long(text: &Text) -> Option<Finding> {
    let (lines, chars) = (text.text.lines().count(), text.text.chars().count());
    (lines > MAX_LINES || chars > MAX_CHARS).then(|| {
        let problem = format!("{lines} lines, {chars} characters");
        Finding::new(&rule::LONG_FILE, Fault::new(&text.path, problem))
    })
}

/// Names the files that no agent is led to.
fn unnamed(
    definition: &Definition,
    root: &Path,
    paths: &[PathBuf],
    texts: &[Text],
) -> Vec<Finding> {
    let tasks = task_files(definition);
    let mentioned = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut others = texts.iter().filter(|text| text.path != path);
        others.any(|text| text.text.contains(&*name))
    };
    let mut findings = Vec::new();
    for path in paths {
        let below = path.strip_prefix(root).unwrap_or(path);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        match &parts[..] {
            [directory, _, name] if directory == "phases" => {
                if tasks.contains(path) || name == "phase.md" || name == "gate-definition.yaml" {
                    continue;
                }
                let task = name.starts_with("task-") && parts[1] != "dynamic";
                if task || !mentioned(path) {
                    let problem = match task {
                        true => format!("no task of phase {} names this file", parts[1]),
                        false => "no text of the workflow names this file".to_owned(),
                    };
                    let fault = Fault::new(path, problem);
                    findings.push(Finding::new(&rule::FILE_UNNAMED, fault));
                }
            }
            // What a workflow has at its top is for people.
            [_] => {}
            _ if mentioned(path) => {}
            _ => {
                let fault = Fault::new(path, "no text of the workflow names this file");
                findings.push(Finding::new(&rule::FILE_UNMENTIONED, fault));
            }
        }
    }
    findings
}

fn task_files(definition: &Definition) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in definition.entries() {
        if let Number::One(number) = entry.phase_number {
            let named = entry.tasks.iter().filter_map(|task| task.file.as_ref());
            files.extend(named.map(|file| definition.phase_file(Phase(number), file)));
        }
    }
    files
}

fn is_text(path: &Path) -> bool {
    ["md", "json", "yaml", "yml", "txt"]
        .iter()
        .any(|extension| has_extension(path, extension))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own == extension)
}
