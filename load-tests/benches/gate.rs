//! The judgement of evidence: of the largest real gate, and of expressions.
//!
//! `cargo bench --bench gate`; the real gates are those of the corpus, if it lies beside the
//! repository, else one of the same size. The bar is 50 µs for a judgement (issue 4). The baseline
//! is the YAML parser alone over the same file: what any gate that is read at each call costs.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Duration,
};

use lockstep::workflow::{Evidence, FieldType, Gate, Occasion};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

const ROUNDS: usize = 61;
const OPERATIONS: u32 = 200;

/// Nine fields, as the largest real gate has.
const TYPICAL: &str = "
checkpoint: {strict: false, allow_override: true}
evidence_schema:
  dry_run_successful: {type: boolean, required: true, description: Dry run completed without errors}
  usability_issues_count: {type: integer, required: true, description: Number of usability issues}
  refinements_applied: {type: boolean, required: true, description: All identified issues addressed}
  usage_guide_created: {type: boolean, required: true, description: Usage guide written}
  final_compliance_passed: {type: boolean, required: true, description: Final compliance check}
  content_quality_passed: {type: boolean, required: true, description: No generic stubs detected}
  compliance_percent: {type: integer, required: true, description: Percentage of compliant files}
  generic_content_detected: {type: boolean, required: true, description: No generic content found}
  human_approved: {type: boolean, required: true, description: Human reviewed and approved}
validators: {}
";

/// What is added to a gate of `TYPICAL`'s fields.
const RULES: &str = "
cross_field_validation:
  - {rule: 'evidence.final_compliance_passed || evidence.refinements_applied', error_message: a}
  - {rule: 'evidence.human_approved && evidence.dry_run_successful', error_message: b}
  - {rule: '!evidence.generic_content_detected || session.phase > 0', error_message: c}
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = largest(dir.path())?;
    let yaml = fs::read_to_string(&path)?;
    let gate = Gate::parse(&path, &yaml)?;
    let evidence = enough(&gate)?;
    let occasion = Occasion::default();
    println!(
        "the gate has {} fields, {} bytes",
        gate.fields.len(),
        yaml.len()
    );

    let bare = || timed(|| drop(black_box(serde_saphyr::from_str::<Value>(&yaml))));
    let judge = || timed(|| drop(black_box(gate.judge(&evidence, &occasion))));
    report("judge alone (bar 50 µs)", bare, judge);

    let end_to_end = || {
        timed(|| {
            let yaml = fs::read_to_string(&path).expect("the file is there");
            let gate = Gate::parse(&path, &yaml).expect("the gate is sound");
            drop(black_box(gate.judge(&evidence, &occasion)));
        })
    };
    report("read + parse + judge", bare, end_to_end);

    let ruled = Gate::parse(&path, &format!("{TYPICAL}{RULES}"))?;
    let evidence = enough(&ruled)?;
    let judge = || timed(|| drop(black_box(ruled.judge(&evidence, &occasion))));
    report(
        "judge with three expressions, compiled and evaluated",
        bare,
        judge,
    );
    Ok(())
}

fn report(what: &str, baseline: impl FnMut() -> Duration, subject: impl FnMut() -> Duration) {
    let result = paired::paired(ROUNDS, OPERATIONS, baseline, subject);
    println!(
        "{what}: {:?}, bare YAML parser: {:?}, {:.2} of bare",
        result.subject, result.baseline, result.ratio,
    );
}

fn timed(mut operation: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..OPERATIONS {
        operation();
    }
    started.elapsed()
}

/// Returns the largest gate of the corpus, or one of its size.
fn largest(dir: &Path) -> std::io::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = [
        "../shared/corpus/workflows",
        "../../shared/corpus/workflows",
    ];
    let corpus = beside.iter().map(|place| package.join(place));
    let mut gates = Vec::new();
    for workflows in corpus.filter(|place| place.is_dir()) {
        gates.extend(gates_below(&workflows)?);
    }
    gates.sort();
    if let Some((_, path)) = gates.pop() {
        return Ok(path);
    }
    let path = dir.join("gate-definition.yaml");
    fs::write(&path, TYPICAL)?;
    Ok(path)
}

fn gates_below(dir: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut gates = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            gates.extend(gates_below(&path)?);
        } else if path.ends_with("gate-definition.yaml") {
            gates.push((path.metadata()?.len(), path));
        }
    }
    Ok(gates)
}

/// Returns evidence that has every field.
fn enough(gate: &Gate) -> Result<Evidence, lockstep::workflow::Error> {
    let value = |kind| match kind {
        FieldType::Boolean => json!(true),
        FieldType::Integer | FieldType::Number => json!(8),
        FieldType::String => json!("text"),
        FieldType::Object => json!({}),
        FieldType::List => json!([]),
    };
    let fields = gate.fields.iter();
    let fields: Map<_, _> = fields.map(|f| (f.name.clone(), value(f.kind))).collect();
    Evidence::new(fields, None)
}
