//! The rules that content is held to. An id is stable: editors and CI name it.

use std::fmt;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something works otherwise than its author may think.
    Warning,
    /// Advice.
    Note,
}

impl Severity {
    /// Returns the name, which is also SARIF's level.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule that content can break.
#[derive(Debug, Eq, PartialEq)]
pub struct ContentRule {
    /// Its name, which stays.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// What holds.
    pub summary: &'static str,
    /// What to do where it does not hold.
    pub help: &'static str,
}

macro_rules! rules {
    ($($name:ident = $id:literal, $severity:ident, $summary:literal, $help:literal;)*) => {
        $(
            pub(in crate::workflow) static $name: ContentRule = ContentRule {
                id: $id,
                severity: Severity::$severity,
                summary: $summary,
                help: $help,
            };
        )*

        /// Every rule of workflows.
        pub static RULES: &[&ContentRule] = &[$(&$name),*];
    };
}

rules! {
    FILE_UNREADABLE = "file-unreadable", Error,
        "Every file is UTF-8 text of at most 1 MiB inside the content directory.",
        "Save it as UTF-8, split it, or replace the link by the file.";
    WORKFLOW_NAME = "workflow-name", Error,
        "The name of a workflow's directory can name a workflow.",
        "Rename the directory: letters, digits, `_`, `-` and `.`.";
    METADATA_MISSING = "metadata-missing", Error,
        "A workflow has a `metadata.json`.",
        "Write it, or let `lockstep new workflow` do so.";
    METADATA_BROKEN = "metadata-broken", Error,
        "`metadata.json` can be read by the server.",
        "Mend the place that is named: until then the workflow cannot be started.";
    METADATA_KEY_MISSING = "metadata-key-missing", Warning,
        "`metadata.json` says what agents choose and plan by.",
        "Add the key.";
    METADATA_KEY_TYPE = "metadata-key-type", Warning,
        "A key of `metadata.json` has the type that agents expect.",
        "Change the value to the type that is named.";
    METADATA_KEY_UNKNOWN = "metadata-key-unknown", Warning,
        "A key of `metadata.json` is one that somebody reads.",
        "Mend its spelling; if it is yours, ignore this: it is kept and shown to agents.";
    METADATA_NAME = "metadata-name", Warning,
        "`workflow_type` is the directory's name.",
        "Make them the same: `start` takes the directory's name.";
    PHASE_DUPLICATE = "phase-duplicate", Error,
        "A phase is described once.",
        "Renumber or remove one: the first counts.";
    PHASE_MISSING = "phase-missing", Error,
        "Every phase that a session goes through is described.",
        "Add it to `phases`, or lower `total_phases`.";
    PHASE_UNREACHABLE = "phase-unreachable", Error,
        "A session reaches every phase that is described.",
        "Raise `total_phases`, lower `start_phase`, or remove the phase.";
    PHASE_ORDER = "phase-order", Note,
        "Phases are described in the order of their numbers.",
        "Sort `phases`: agents read it from top to bottom.";
    PHASE_TEXT_MISSING = "phase-text-missing", Error,
        "A phase has a text, `phase.md`.",
        "Write the file.";
    PHASE_DIRECTORY_UNNAMED = "phase-directory-unnamed", Warning,
        "A directory of `phases/` belongs to a phase.",
        "Describe the phase in `metadata.json`, or remove the directory.";
    TASK_DUPLICATE = "task-duplicate", Error,
        "A task's number is used once in its phase.",
        "Renumber one: `get_task` finds only the first.";
    TASK_GAP = "task-gap", Note,
        "Tasks are numbered without gaps.",
        "Renumber them: agents go on from K to K + 1.";
    TASK_WITHOUT_FILE = "task-without-file", Error,
        "A task names its file.",
        "Add `file`: `get_task` cannot answer without it.";
    TASK_FILE_MISSING = "task-file-missing", Error,
        "The file of a task exists.",
        "Write the file, or mend its name.";
    TEMPLATE_MISSING = "template-missing", Error,
        "A dynamic workflow has the templates that it names.",
        "Write the file, or mend its name in `dynamic_config`.";
    FILE_UNNAMED = "file-unnamed", Warning,
        "A file beside a phase's is one of its tasks, or is named in a text.",
        "Name it, or remove it: no agent finds it.";
    FILE_UNMENTIONED = "file-unmentioned", Note,
        "A file of a workflow is named in one of its texts.",
        "Name it where it is needed, or remove it.";
    LINK_BROKEN = "link-broken", Warning,
        "A link leads to a file that exists.",
        "Mend the path, which is relative to the file that holds the link.";
    BYTE_ORDER_MARK = "byte-order-mark", Warning,
        "A file begins with its text.",
        "Save it as UTF-8 without a byte order mark.";
    YAML_TAB = "yaml-tab", Error,
        "YAML is indented with spaces.",
        "Replace the tab by spaces.";
    LONG_FILE = "long-file", Note,
        "A text that an agent reads at once has at most 500 lines and 20,000 characters.",
        "Split it into tasks: what is read at once takes the agent's attention from the rest.";
    DEFINITION_BROKEN = "definition-broken", Error,
        "A workflow can be made of a definition.",
        "Mend the place that is named.";
    DEFINITION_INCOMPLETE = "definition-incomplete", Note,
        "A definition says all that the workflow's files need.",
        "Say it in the definition, or in the files when they are made.";
    GATE_MISSING = "gate-missing", Note,
        "A phase has a gate, `gate-definition.yaml`.",
        "Write one: without it any evidence passes.";
    GATE_BROKEN = "gate-broken", Error,
        "A gate can be read by the server.",
        "Mend the place that is named: until then the gate lets nothing pass.";
    GATE_FIELD = "gate-field", Error,
        "What a gate says of a field agrees with itself.",
        "Mend the key that is named: as it is, evidence is judged otherwise than you mean.";
    GATE_EXPRESSION = "gate-expression", Error,
        "An expression of a gate is CEL that can be evaluated, about fields that there are.",
        "Mend it: until then its rule lets nothing pass.";
    GATE_PYTHON = "gate-python", Note,
        "An expression of a gate is written in CEL.",
        "Write what it is read as: other servers than the old one do not know Python.";
    GATE_VALIDATOR_UNUSED = "gate-validator-unused", Warning,
        "A validator of a gate is named by a field.",
        "Name it in the `validator` of a field, or remove it.";
    GATE_KEY_UNKNOWN = "gate-key-unknown", Warning,
        "A key of a gate is one that the server reads.",
        "Mend its spelling, or remove it: it is ignored.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_is_used_once_and_a_rule_says_what_to_do() {
        let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();

        assert_eq!(ids.len(), RULES.len());
        for rule in RULES {
            assert!(
                rule.summary.ends_with('.') && rule.help.ends_with('.'),
                "{}",
                rule.id
            );
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(rule.id.chars().all(kebab), "{}", rule.id);
        }
    }
}
