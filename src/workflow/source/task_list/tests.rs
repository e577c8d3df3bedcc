//! Each row of the grammar, as a table.

use std::path::Path;

use super::*;
use crate::workflow::{PlannedPhase, PlannedTask};

fn parsed(text: &str) -> Result<Plan, String> {
    parse(Path::new("specs/a/tasks.md"), text).map_err(|fault| fault.to_string())
}

/// A plan in short: `N name [gate] {ID name <dependencies> (criteria)}`.
fn short(text: &str) -> String {
    let plan = parsed(text).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
    let phases: Vec<_> = plan.phases.iter().map(short_phase).collect();
    phases.join(" / ")
}

fn short_phase(phase: &PlannedPhase) -> String {
    let tasks: Vec<_> = phase.tasks.iter().map(short_task).collect();
    let gate = match phase.criteria.is_empty() {
        true => String::new(),
        false => format!(" [{}]", phase.criteria.join(", ")),
    };
    let tasks = match tasks.is_empty() {
        true => String::new(),
        false => format!(" {{{}}}", tasks.join("; ")),
    };
    format!("{} {}{gate}{tasks}", phase.number, phase.name)
}

fn short_task(task: &PlannedTask) -> String {
    let mut short = format!("{} {}", task.id, task.name);
    if !task.dependencies.is_empty() {
        short += &format!(" <{}>", task.dependencies.join(", "));
    }
    if !task.acceptance_criteria.is_empty() {
        short += &format!(" ({})", task.acceptance_criteria.join(", "));
    }
    short
}

fn assert_all(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(short(text), *expected, "{text}");
    }
}

#[test]
fn a_phase_is_opened_by_a_heading_with_word_number_separator_and_name() {
    assert_all(&[
        ("## Phase 1: Setup", "1 Setup"),
        ("# phase 1. Setup", "1 Setup"),
        ("###### PHASE 1 - Setup", "1 Setup"),
        ("## Phase 1 – Setup", "1 Setup"),
        ("## Phase 1 — Setup", "1 Setup"),
        ("## Phase 1 − Setup", "1 Setup"),
        ("## Phase #1: Setup", "1 Setup"),
        ("## **Phase 1:** Setup", "1 Setup"),
        ("## 🚀 Phase 1: Setup", "1 Setup"),
        ("## Delivery, Phase 1: Setup", "1 Setup"),
        ("## Phase 1: Setup (Week 1)", "1 Setup (Week 1)"),
        ("Phase 1: Setup\n===", "1 Setup"),
        // Upstream loses the next four.
        (
            "## Phase 0: Prepare\n## Phase 1: Setup",
            "0 Prepare / 1 Setup",
        ),
        ("## 0. Prepare\n## 1. Setup", "0 Prepare / 1 Setup"),
        ("## Phase 1: Task queue", "1 Task queue"),
        ("## Phase 2: B\n## Phase 1: A", "1 A / 2 B"),
        (
            "\u{feff}## Phase 1: Setup\r\n\r\n- Task 1.1: a\r\n",
            "1 Setup {1.1 a}",
        ),
    ]);
}

#[test]
fn other_headings_open_no_phase() {
    let others = [
        "## Phase 2",
        "### Phase 2 Tasks",
        "### Phase 2 → Phase 3",
        "## Phases 2-3: Overview",
        "## Phase 2-3: Overview",
        "## 2024 Roadmap",
        "## Chapter 7 notes",
        "## 3. Risks",
        "### 1.2 Details",
        "## Task 9.9, phase 2: x",
        "> ## Phase 2: Quoted",
        "```\n## Phase 2: Code\n```",
    ];
    for other in others {
        let text = format!("## Phase 1: Setup\n\n{other}\n");
        let plan = parsed(&text).unwrap();
        assert_eq!(plan.phases.len(), 1, "{other}");
    }
}

#[test]
fn numbered_headings_are_phases_where_no_other_is_or_where_tasks_stand_below() {
    assert_all(&[
        ("## 1. Setup\n## 2) Build", "1 Setup / 2 Build"),
        (
            "## 1. Setup\n### 1. Detail\n## 2. Build",
            "1 Setup / 2 Build",
        ),
        ("## 1. Setup\n## 2024 Roadmap", "1 Setup"),
        ("## 2. Phase Build\n", "2 Phase Build"),
        (
            "## Phase 1: Setup\n## 2. Build\n- Task 2.1: a\n## 3. Risks\n- none",
            "1 Setup / 2 Build {2.1 a}",
        ),
    ]);
}

#[test]
fn a_task_is_a_heading_a_paragraph_or_an_item() {
    let cases = [
        ("- Task 1.1: a", "1.1 a"),
        ("- **Task 1.1**: a", "1.1 a"),
        ("- [ ] **Task 1.1**: a", "1.1 a"),
        ("- [x] **Task 1.1**: a", "1.1 a"),
        ("1. Task 1.1: a", "1.1 a"),
        ("- Task 1-1: a", "1.1 a"),
        ("- outer\n  - Task 1.1: a", "1.1 a"),
        ("- Build (Task 1.1: a)", "1.1 a)"),
        // Upstream takes the next three for no tasks.
        ("- task 1.1: a", "1.1 a"),
        ("- Task 1.1 - a", "1.1 a"),
        ("- [ ] 1.1 a", "1.1 a"),
        ("### Task 1.1: a", "1.1 a"),
        ("### Task 1.1 a", "1.1 a"),
        ("### Task 1.1", "1.1 Task 1.1"),
        ("### 🔧 Backend Task 1.1: a", "1.1 a"),
        ("### 1.1 a", "1.1 a"),
        ("**Task 1.1**: a", "1.1 a"),
        ("**1.1** a", "1.1 a"),
        ("- Task 1.1: .gitignore", "1.1 .gitignore"),
        (
            "- Task 1.1: models/__init__.py and `a_b`",
            "1.1 models/__init__.py and `a_b`",
        ),
    ];
    for (task, expected) in cases {
        let text = format!("## Phase 1: P\n\n{task}\n");
        assert_eq!(short(&text), format!("1 P {{{expected}}}"), "{task}");
    }
    let none = [
        "- Task 1.1 must be done first",
        "- 1.5 hours",
        "When task 1.1 is done, go on.",
        "### 1.1.1 Detail",
        "- Task 1.1.1: detail",
        "- Dependencies: Task 1.1: a",
        "2.5 is another version",
        "```\n- Task 1.1: code\n```",
    ];
    for text in none {
        let text = format!("## Phase 1: P\n\n{text}\n");
        assert_eq!(short(&text), "1 P", "{text}");
    }
}

#[test]
fn prose_about_a_task_does_not_count_beside_the_task() {
    assert_all(&[
        (
            "## Phase 1: P\n\n1.1 is hard, see below.\n\n- Task 1.1: a\n\n- See Task 1.1: it is hard\n",
            "1 P {1.1 a}",
        ),
        (
            "## Phase 1: P\n- Task 1.1: a\n  - Dependencies:\n    - none\n- Task 1.2: b\n  - Dependencies:\n    - Task 1.1: the schema\n",
            "1 P {1.1 a; 1.2 b <1.1>}",
        ),
    ]);
}

#[test]
fn criteria_are_kept_ticked_or_not_wherever_the_task_stands() {
    let criteria = [
        "- Task 1.1: a\n  - **Acceptance Criteria**:\n    - [ ] x\n    - [x] y",
        "- Task 1.1: a\n\n  - do it\n\n  **Acceptance Criteria:**\n  - [ ] x\n  - [X] y",
        "- Task 1.1: a\n  - Acceptance Criteria:\n  - [ ] x\n  - [ ] y",
        "- Task 1.1: a\n  - Acceptance Criteria:\n    - x\n    - y",
        "- Task 1.1: a\n  - [ ] x\n  - [x] y",
        "- Task 1.1: a\n  Acceptance Criteria:\n  [ ] x\n  [ ] y",
        // Upstream loses the criteria of the next four.
        "### Task 1.1: a\n\n**Acceptance Criteria:**\n\n- [ ] x\n- [ ] y",
        "### Task 1.1: a\n\n#### Acceptance Criteria\n\n- [ ] x\n- [ ] y",
        "### Task 1.1: a\n\n- [ ] x\n- [ ] y",
        "**Task 1.1: a**\n\nAcceptance Criteria:\n- [ ] x\n- [ ] y",
        "### Task 1.1: a\n- **Acceptance Criteria**:\n  - [ ] x\n  - [ ] y\n\n## Risks\n- [ ] no",
    ];
    for task in criteria {
        let text = format!("## Phase 1: P\n\n{task}\n\n## Phase 2: Q\n\n- [ ] of nobody\n");
        assert_eq!(short(&text), "1 P {1.1 a (x, y)} / 2 Q", "{task}");
    }
    assert_all(&[
        (
            "## Phase 1: P\n- Task 1.1: a\n  - Acceptance Criteria:\n    - [ ] long\n      and wrapped\n    - hint\n    - [ ] y\n      - detail\n",
            "1 P {1.1 a (long and wrapped, y)}",
        ),
        (
            "## Phase 1: P\n- Task 1.1: a\n  - Acceptance Criteria: it works\n- Task 1.2: b",
            "1 P {1.1 a (it works); 1.2 b}",
        ),
        (
            "## Phase 1: P\n- [ ] Task 1.1: a\n  - Acceptance Criteria:\n- [ ] Task 1.2: b",
            "1 P {1.1 a; 1.2 b}",
        ),
    ]);
}

#[test]
fn a_gate_is_the_first_list_after_its_label() {
    let gates = [
        "**Validation Gate:**\n- [ ] x\n- [x] y",
        "**Validation Gate:**\n\n- [ ] x\n  - [ ] y",
        "**Validation Gate:**\n\nBefore going on:\n\n- [ ] x\n- [ ] y",
        "Validation Gate:\n[ ] x\n[ ] y",
        "- **Validation Gate:**\n  - [ ] x\n  - [ ] y",
        "- Validation:\n  - [ ] x\n  - [ ] y",
        "### Validation Gate\n\n- [ ] x\n- [ ] y",
        "## Phase 1 Validation Gate\n\nBefore advancing to Phase 2:\n- [ ] x\n- [ ] y",
        "**Validation Gate:**\n- x\n- y",
        // Upstream adds every list of the phase that follows.
        "**Validation Gate:**\n- [ ] x\n- [ ] y\n\nNotes:\n\n- [ ] z",
        "**Validation Gate:**\n- [ ] x\n- [ ] y\n\n### Notes\n\n- [ ] z",
    ];
    for gate in gates {
        let text = format!("## Phase 1: P\n\n- Task 1.1: a\n\n{gate}\n");
        assert_eq!(short(&text), "1 P [x, y] {1.1 a}", "{gate}");
    }
    assert_all(&[
        (
            "## Phase 1: P\n**Validation Gate:** all is well\n\n### Task 1.1: a\n- [ ] x",
            "1 P [all is well] {1.1 a (x)}",
        ),
        (
            "## Phase 1: P\n- Task 1.1: a\n  - Validation: run it\n  - [ ] x\n",
            "1 P {1.1 a (x)}",
        ),
        (
            "## Phase 1: P\n### Task 1.1: a\n- [ ] x\n\n**Validation Gate:**\n- [ ] Task 1.1: done\n",
            "1 P [Task 1.1: done] {1.1 a (x)}",
        ),
    ]);
}

#[test]
fn labels_give_description_duration_time_dependencies_and_steps() {
    let text = "## Phase 1: P\n\n**Objective:** first\n**Goal:** the *last* counts <b>x</b>\n\n\
                **Estimated Duration:** 2 days\n\n\
                - Task 1.1: a\n  - **Estimated Time**: 2 hours\n  - **Dependencies**: None\n\
                \x20 - make it\n    and test it\n  - **Purpose**: not the phase's\n\
                - Task 1.2: b\n  - Time: 1h\n  - Depends on: Task 1.1 (the schema)\n\
                - Task 1.3: c\n  - Requires: Python 3.11\n\n\
                ## Phase 2: Q\n\n- Task 2.1: d\n  - After: 1.2 and 1-3\n";

    let plan = parsed(text).unwrap();

    let (first, second) = (&plan.phases[0], &plan.phases[1]);
    assert_eq!(
        (first.description.as_str(), first.duration.as_str()),
        ("the last counts x", "2 days")
    );
    assert_eq!(
        (second.description.as_str(), second.duration.as_str()),
        ("Phase 2 objectives", "Variable")
    );
    let times: Vec<_> = first.tasks.iter().map(|task| task.time.as_str()).collect();
    assert_eq!(times, ["2 hours", "1h", "Variable"]);
    let dependencies = |task: &PlannedTask| task.dependencies.join(" ");
    let all = first.tasks.iter().chain(&second.tasks);
    let all: Vec<_> = all.map(dependencies).collect();
    assert_eq!(all, ["", "1.1", "Python 3.11", "1.2 1.3"]);
    assert_eq!(
        first.tasks[0].steps,
        ["make it and test it", "Purpose: not the phase's"]
    );
    let place = first.tasks[1].place;
    assert_eq!((place.line, place.column), (14, 3));
}

#[test]
fn a_source_that_is_no_plan_is_refused_at_its_place_with_what_is_expected() {
    let cases = [
        (
            "",
            "specs/a/tasks.md: is empty; expected phases, each under a heading such as `## Phase 1: Name`",
        ),
        (" \n\n", "specs/a/tasks.md: is empty"),
        ("<!-- nothing -->\n", "specs/a/tasks.md: is empty"),
        (
            "# Tasks\n\ntext\n",
            "specs/a/tasks.md:1:1: no phases; expected phases",
        ),
        (
            "# Tasks\n\n## Phase One\n",
            "specs/a/tasks.md:3:4: no phases: `Phase One` has no number, separator and name",
        ),
        (
            "## Phase 1: A\n\n## Phase 1.5: B\n",
            "specs/a/tasks.md:3:4: phase 1.5 is no whole number",
        ),
        (
            "## Phase 1: A\n## Phase 2: B\n## Phase 1: C\n",
            "specs/a/tasks.md:3:4: phase 1 is there twice, first at line 1",
        ),
        (
            "## Phase 1: A\n\n## Phase 3: B\n",
            "specs/a/tasks.md:3:4: phase 3 comes after phase 1: expected phase 2",
        ),
        (
            "## Phase 1: A\n- Task 1.1: a\n- Task 1.1: b\n",
            "specs/a/tasks.md:3:3: task 1.1 is there twice, first at line 2",
        ),
        (
            "## Phase 1: A\n- Task 1.1: a\n  - Dependencies: Task 1.7\n",
            "specs/a/tasks.md:2:3: task 1.1 depends on task 1.7, which is not there",
        ),
        (
            "## Phase 1: A\n- Task 1.1: a\n  - After: 1.2\n- Task 1.2: b\n  - After: 1.1\n",
            "specs/a/tasks.md:2:3: these tasks wait for each other: 1.1 → 1.2 → 1.1",
        ),
        (
            "## Phase 1: A\n- Task 1.1: a\n  - After: 1.1\n",
            "specs/a/tasks.md:2:3: these tasks wait for each other: 1.1 → 1.1",
        ),
    ];
    for (text, expected) in cases {
        let fault = parsed(text).unwrap_err();
        assert!(fault.starts_with(expected), "{text:?}: {fault}");
    }
}

#[test]
fn what_is_beyond_the_bounds_is_refused_and_large_lists_take_no_long_time() {
    let phases: String = (1..=1_001).map(|n| format!("## Phase {n}: P\n")).collect();
    let fault = parsed(&phases).unwrap_err();
    assert!(
        fault.contains("1001 phases are there, the most is 1000"),
        "{fault}"
    );
    let tasks: String = (1..=1_001).map(|n| format!("- Task 1.{n}: a\n")).collect();
    let fault = parsed(&format!("## Phase 1: P\n{tasks}")).unwrap_err();
    assert!(
        fault.contains("phase 1 has 1001 tasks, the most is 1000"),
        "{fault}"
    );
    // A chain over all phases: the check of dependencies is not quadratic.
    let chain: String = (1..=20)
        .map(|phase| {
            let task = |n: u32| match n {
                1 => format!("- Task {phase}.1: a\n"),
                n => format!("- Task {phase}.{n}: a\n  - After: {phase}.{}\n", n - 1),
            };
            let tasks: String = (1..=1_000).map(task).collect();
            format!("## Phase {phase}: P\n{tasks}")
        })
        .collect();
    assert_eq!(parsed(&chain).unwrap().task_count(), 20_000);
}

#[test]
fn whatever_is_read_comes_to_an_end_without_a_panic() {
    // A fixed sequence: the same texts each time.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % most as u64).unwrap()
    };
    let parts = [
        "## Phase ",
        "1",
        "2",
        ".",
        ": ",
        "- ",
        "Task ",
        "[ ] ",
        "[x]",
        "\n",
        "\n\n",
        "  ",
        "Dependencies",
        "Validation Gate:",
        "Acceptance Criteria",
        "**",
        "__",
        "`",
        "ä",
        "🚀",
        "\u{130}",
        "### ",
        "> ",
        "|a|\n|-|\n",
        "After",
        "—",
        "\t",
        "\r\n",
        "<b>",
        "a",
    ];
    for _ in 0..3_000 {
        let length = next(40);
        let text: String = (0..length).map(|_| parts[next(parts.len())]).collect();
        let _ = parsed(&text);
    }
}

#[test]
fn a_real_list_is_read_whole() {
    let text = include_str!("../../../../tests/it/dynamic/fixtures/checkout/tasks.md");
    let expected = [
        "1 Foundation (week 1) [All tests pass, The schema is reviewed] \
         {1.1 Create the cart schema (The migration runs up and down, Foreign keys hold); \
         1.2 Write the cart repository in carts/__init__.py <1.1> \
         (Two writers of one cart: one wins, one is told, Tests cover the empty cart); \
         1.3 Measure the repository <1.1, 1.2> (500 changes a second on two cores)}",
        "2 Checkout [An order goes through from cart to receipt, Every payment error has a test] \
         {2.1 Reserve stock <1.2> (A reservation ends by itself, Nothing is sold twice); \
         2.2 Take the payment <2.1> (A payment that is asked for twice is taken once); \
         2.3 Write the receipt <2.1, 2.2> (It names every line of the cart)}",
        "3 Task queue and release [the error rate stays below one in a thousand] \
         {3.1 Move receipts to the task queue <2.3> (A receipt is sent within a minute); \
         3.2 Release <3.1, 1.3> (One percent of the carts for a day, The way back is tried)}",
    ];

    assert_eq!(short(text), expected.join(" / "));
}
