//! Each row of the format, as a table.

use super::*;

fn parsed(text: &str) -> Result<DefinedWorkflow, String> {
    parse(Path::new("a.yaml"), text).map_err(|fault| fault.to_string())
}

const WHOLE: &str = "\
name: payment-v1
version: 1.0
workflow_type: implementation
problem:
  statement: money
  success_criteria: [it is paid]
dynamic: true
phases:
  - number: 0
    name: Prepare
    purpose: get ready
    deliverable: a plan
    estimated_duration: 1 hour
    depends_on: []
    tasks:
      - number: 1
        name: look
        purpose: see what is there
        estimated_time: 5 minutes
        validation_criteria: [seen, \"noted: twice\"]
        steps_outline:
          - open it
          - read it
      - name: think
        dependencies: [look, 0.1, 1]
    validation_gate:
      evidence_required:
        looked: {type: boolean, description: somebody looked, validator: is_true}
        count: {type: integer, description: how many}
        shares: {type: float}
        files: {type: array, description: which}
        words: just text
        nothing:
      human_approval_required: false
  - name: Build
    tasks:
      - {number: \"1\", name: do, dependencies: \"0.2, a review\"}
  - number: N+4
    name: Ship
";

#[test]
fn a_definition_becomes_a_plan() {
    let defined = parsed(WHOLE).unwrap();

    assert_eq!(defined.name.as_deref(), Some("payment-v1"));
    assert_eq!(defined.version.as_deref(), Some("1.0"));
    assert_eq!(defined.category.as_deref(), Some("implementation"));
    assert_eq!(defined.statement.as_deref(), Some("money"));
    assert_eq!(defined.success_criteria, ["it is paid"]);
    assert_eq!(defined.deliverables[&Phase(0)], "a plan");
    let phases = &defined.plan.phases;
    let numbers: Vec<_> = phases.iter().map(|phase| phase.number.0).collect();
    assert_eq!(numbers, [0, 1, 2]);
    let first = &phases[0];
    assert_eq!(
        (first.name.as_str(), first.duration.as_str()),
        ("Prepare", "1 hour")
    );
    assert_eq!(first.description, "get ready");
    assert_eq!((first.place.line, first.place.column), (9, 5));
    let criteria = [
        "looked (boolean, is_true): somebody looked",
        "count (integer): how many",
        "shares (float): ",
        "files (array): which",
        "words: just text",
        "nothing: ",
    ];
    assert_eq!(first.criteria, criteria);
    let kinds: Vec<_> = first
        .evidence
        .iter()
        .map(|field| field.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        ["boolean", "integer", "number", "list", "string", "string"]
    );
    let (look, think) = (&first.tasks[0], &first.tasks[1]);
    assert_eq!(
        (look.id.to_string().as_str(), look.time.as_str()),
        ("0.1", "5 minutes")
    );
    assert_eq!(look.acceptance_criteria, ["seen", "noted: twice"]);
    assert_eq!(look.steps, ["open it", "read it"]);
    assert_eq!(think.id.to_string(), "0.2");
    assert_eq!(think.dependencies, ["0.1", "0.1", "0.1"]);
    assert_eq!(phases[1].tasks[0].dependencies, ["0.2", "a review"]);
    assert_eq!(
        (phases[2].name.as_str(), phases[2].duration.as_str()),
        ("Ship", "Variable")
    );
}

#[test]
fn what_is_missing_has_a_default() {
    let phases = parsed("phases: [{}, {tasks: [{}, {}]}]")
        .unwrap()
        .plan
        .phases;

    let names: Vec<_> = phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["Phase 0", "Phase 1"]);
    let tasks: Vec<_> = phases[1]
        .tasks
        .iter()
        .map(|task| task.name.as_str())
        .collect();
    assert_eq!(tasks, ["task-1", "task-2"]);
    assert!(phases[0].criteria.is_empty() && phases[0].evidence.is_empty());
    let marked = format!("\u{feff}{}", WHOLE.replace('\n', "\r\n"));
    assert_eq!(parsed(&marked).unwrap().plan, parsed(WHOLE).unwrap().plan);
}

#[test]
fn a_definition_that_is_no_plan_is_refused_at_its_place_with_what_is_expected() {
    let cases = [
        ("", "a.yaml: is empty; expected `phases`"),
        ("\n \n", "a.yaml: is empty; expected `phases`"),
        (
            "name: x\n",
            "a.yaml:1: no phases; expected `phases`, a list of phases",
        ),
        ("phases:\n", "a.yaml:1: no phases; expected `phases`"),
        ("phases: []\n", "a.yaml:1: no phases; expected `phases`"),
        ("phases:\n  - number: [1]\n", "a.yaml:2:"),
        ("phases:\n  - number: 1\n\tname: x\n", "a.yaml:2:13: "),
        ("phases: {a: b}\n", "a.yaml:1:"),
        (
            "phases:\n  - number: 1\n  - number: 1\n",
            "a.yaml:3:5: phase 1 is there twice, first at line 2",
        ),
        (
            "phases:\n  - number: 1\n  - number: 3\n",
            "a.yaml:3:5: phase 3 comes after phase 1: expected phase 2",
        ),
        (
            "phases:\n  - number: 0\n    tasks:\n      - number: 1\n      - number: 1\n",
            "a.yaml:5:9: task 0.1 is there twice, first at line 4",
        ),
        (
            "phases:\n  - tasks:\n      - number: one\n",
            "a.yaml:3:9: the task's `number` is `one`, expected a whole number",
        ),
        (
            "phases:\n  - tasks:\n      - dependencies: [0.7]\n",
            "a.yaml:3:9: task 0.1 depends on task 0.7, which is not there",
        ),
        (
            "phases: [{}]\ndynamic: true\ndynamic_config:\n  parser: xml\n",
            "a.yaml:4:3: `dynamic_config.parser` is `xml`; there are spec_tasks_parser and \
             workflow_definition_parser",
        ),
    ];
    for (text, expected) in cases {
        let fault = parsed(text).unwrap_err();
        assert!(fault.starts_with(expected), "{text:?}: {fault}");
    }
}

#[test]
fn the_source_of_a_dynamic_definition_has_defaults_and_what_comes_after_it_is_known() {
    let source = |source_type: &str, key: &str, parser| DefinedSource {
        source_type: source_type.into(),
        source_path_key: key.into(),
        parser,
    };
    let cases = [
        ("", None),
        ("dynamic: false\ndynamic_config: {source_type: x}\n", None),
        (
            "dynamic: true\n",
            Some(source("", "spec_path", Parser::TaskList)),
        ),
        (
            "dynamic: true\ndynamic_config: {source_type: workflow_definition, source_path_key: a}\n",
            Some(source("workflow_definition", "a", Parser::DefinitionFile)),
        ),
        (
            "dynamic: true\ndynamic_config: {parser: workflow_definition_parser}\n",
            Some(source("", "spec_path", Parser::DefinitionFile)),
        ),
    ];
    for (more, expected) in cases {
        let defined = parsed(&format!("phases:\n  - name: a\n  - number: N+1\n{more}")).unwrap();
        assert_eq!(defined.dynamic, expected, "{more}");
        let after = expected.map(|_| "N+1".to_owned());
        assert_eq!(defined.after_dynamic, after, "{more}");
    }
}

#[test]
fn aliases_cannot_blow_a_definition_up() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = n - 1;
        let nine = vec![format!("*a{before}"); 9].join(", ");
        bomb += &format!("a{n}: &a{n} [{nine}]\n");
    }
    bomb += "phases: *a11\n";

    assert!(parsed(&bomb).is_err());
}
