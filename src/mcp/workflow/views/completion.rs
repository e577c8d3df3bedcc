//! What came of completing a phase.

use schemars::JsonSchema;
use serde::Serialize;

use super::phase::{PhaseBody, gate_source};
use crate::workflow::{Completed, Phase, Problem, Rule, Verdict};

/// What came of completing a phase.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct CompletionBody {
    /// Whether the evidence was enough.
    checkpoint_passed: bool,
    validation_result: VerdictBody,
    /// The phase that was asked about, also if it was not completed.
    phase_completed: u32,
    /// The open phase: the same one if the evidence was not enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_phase: Option<u32>,
    /// What `get_phase` says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_phase_content: Option<PhaseBody>,
    /// Whether that was the last phase.
    workflow_complete: bool,
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    done: Option<&'static str>,
}

/// What the gate said.
#[derive(Debug, JsonSchema, Serialize)]
struct VerdictBody {
    checkpoint_passed: bool,
    errors: Vec<String>,
    warnings: Vec<String>,
    diagnostics: Diagnostics,
    /// The first errors in one sentence.
    remediation: String,
    next_steps: Vec<String>,
    /// What is wrong, piece by piece: at most the first 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<ProblemBody>,
    /// How many problems there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem_count: Option<usize>,
    /// Fields that were not submitted, and are kept with the gate's defaults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    defaults_used: Vec<String>,
}

/// One thing that is wrong with the evidence.
#[derive(Debug, JsonSchema, Serialize)]
struct ProblemBody {
    /// Where, such as `items[2].name`; absent if it is about several fields.
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    /// What was expected.
    expected: String,
    /// What came, shortened.
    got: String,
    /// What to do.
    fix: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Diagnostics {
    fields_submitted: Vec<String>,
    fields_required: Vec<String>,
    fields_missing: Vec<String>,
    fields_failed: Vec<String>,
    strict_mode: bool,
    /// `yaml`, or `permissive` if the phase has no gate.
    gate_source: &'static str,
    /// The rule that was used: `strict`, `lenient_enforced`, `lenient_python` or `permissive`.
    gate_rule: &'static str,
    /// Why the gate passed in spite of its errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    override_reason: Option<String>,
    validation_timestamp: String,
}

impl CompletionBody {
    pub(super) fn of(phase: Phase, completed: Completed) -> Self {
        let Completed {
            session,
            verdict,
            open,
            drift,
        } = completed;
        let finished = open.is_none();
        Self {
            checkpoint_passed: verdict.passed,
            validation_result: VerdictBody::of(verdict, session.updated_at.to_string()),
            phase_completed: phase.0,
            next_phase: (!finished).then_some(session.current.0),
            next_phase_content: open
                .map(|content| PhaseBody::of(&session, Some(content)).with(drift)),
            workflow_complete: finished,
            done: finished.then_some("all phases are completed"),
        }
    }
}

impl VerdictBody {
    fn of(verdict: Verdict, judged_at: String) -> Self {
        Self {
            checkpoint_passed: verdict.passed,
            remediation: verdict.remediation(),
            errors: verdict.errors,
            warnings: verdict.warnings,
            diagnostics: Diagnostics {
                fields_submitted: verdict.submitted,
                fields_required: verdict.required,
                fields_missing: verdict.missing,
                fields_failed: verdict.failed,
                strict_mode: verdict.strict,
                gate_source: gate_source(verdict.from_file),
                gate_rule: match verdict.rule {
                    Rule::Strict => "strict",
                    Rule::LenientEnforced => "lenient_enforced",
                    Rule::LenientPython => "lenient_python",
                    Rule::Permissive => "permissive",
                },
                override_reason: verdict.overridden,
                validation_timestamp: judged_at,
            },
            next_steps: verdict.next_steps,
            problem_count: (verdict.problem_count > 0).then_some(verdict.problem_count),
            problems: verdict.problems.into_iter().map(ProblemBody::of).collect(),
            defaults_used: verdict.defaulted,
        }
    }
}

impl ProblemBody {
    fn of(problem: Problem) -> Self {
        Self {
            field: problem.field,
            expected: problem.expected,
            got: problem.got,
            fix: problem.fix,
        }
    }
}
