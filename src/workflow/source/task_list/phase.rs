//! One phase of a task list, from its heading to the next phase's.

use super::{
    super::{
        place::Places,
        plan::{PlannedPhase, PlannedTask},
    },
    headings::{PhaseHead, TaskHead, task_head},
    labels::{after_box, bare, dependencies, value},
    level,
    outline::{Kind, Line},
};
use crate::workflow::Phase;

const DESCRIPTION: [&str; 3] = ["objective", "goal", "purpose"];
const DURATION: [&str; 5] = [
    "estimated duration",
    "estimated effort",
    "timeframe",
    "estimated time",
    "duration",
];
const TIME: [&str; 7] = [
    "estimated time",
    "estimated duration",
    "time",
    "duration",
    "estimate",
    "effort",
    "human baseline",
];
const DEPENDENCIES: [&str; 5] = [
    "dependencies",
    "dependency",
    "depends on",
    "requires",
    "after",
];
const CRITERIA: [&str; 1] = ["acceptance criteria"];
const GATE: &str = "validation gate";
const ITEM_GATE: [&str; 3] = ["validation", "validation gate", "validation criteria"];

/// What the author says of no duration.
const VARIABLE: &str = "Variable";

/// Reads the phase of `head` from its lines, the heading first.
pub(super) fn read(head: &PhaseHead, lines: &[Line], places: &Places<'_>) -> PlannedPhase {
    let mut reader = Reader {
        lines,
        places,
        number: head.number,
        description: None,
        duration: None,
        criteria: Vec::new(),
        tasks: Vec::new(),
        open: false,
        closed: false,
    };
    let mut at = 1;
    while at < lines.len() {
        at = reader.take(at);
    }
    let number = head.number;
    PlannedPhase {
        number: Phase(number),
        name: head.name.clone(),
        description: reader
            .description
            .unwrap_or_else(|| format!("Phase {number} objectives")),
        duration: reader.duration.unwrap_or_else(|| VARIABLE.into()),
        tasks: reader.tasks.into_iter().map(Task::close).collect(),
        criteria: reader.criteria,
        evidence: Vec::new(),
        place: places.at(lines[0].at),
    }
}

struct Reader<'a> {
    lines: &'a [Line],
    places: &'a Places<'a>,
    number: u32,
    description: Option<String>,
    duration: Option<String>,
    criteria: Vec<String>,
    tasks: Vec<Task>,
    /// Whether the last of the tasks goes on.
    open: bool,
    /// Whether a heading closed the phase.
    closed: bool,
}

/// A task, and what is known of it so far.
struct Task {
    planned: PlannedTask,
    strong: bool,
    level: Option<u8>,
    depth: usize,
    time: Option<String>,
    dependencies: Option<Vec<String>>,
    criteria: Option<Vec<String>>,
    boxes: Vec<String>,
    /// Whether the line before was a step.
    in_step: bool,
}

impl Reader<'_> {
    /// Takes the line at `at`, and those that belong to it; returns the next one's place.
    fn take(&mut self, at: usize) -> usize {
        let line = &self.lines[at];
        if let Some(level) = level(line) {
            self.close_by_heading(line, level);
        }
        if self.closed {
            return at + 1;
        }
        if let Some(head) = task_head(line).filter(|head| self.counts(head)) {
            self.open_task(line, head);
            return at + 1;
        }
        if self.open && self.tasks.last().is_some_and(|task| !task.holds(line)) {
            self.open = false;
        }
        if self.is_gate(line) {
            self.open = false;
            return self.take_gate(at);
        }
        match self.open {
            true => self.take_of_task(at),
            false => {
                self.take_of_phase(line);
                at + 1
            }
        }
    }

    fn close_by_heading(&mut self, line: &Line, level: u8) {
        if level > level_of(self.lines) {
            return;
        }
        let text = line.text.to_lowercase();
        let of_tasks = text.contains("task") && !text.contains("dependenc");
        let of_phase = text.contains("phase") && text.contains(|c: char| c.is_ascii_digit());
        let stays = of_tasks || of_phase || text.contains("validation") || text.contains("gate");
        self.closed = !stays;
    }

    /// A weak head counts if its id is of this phase and not there yet.
    fn counts(&self, head: &TaskHead) -> bool {
        let there = || self.tasks.iter().any(|task| task.planned.id == head.id);
        head.strong || head.id.phase == self.number && !there()
    }

    fn open_task(&mut self, line: &Line, head: TaskHead) {
        // What looked like a task before was prose about it.
        self.tasks
            .retain(|task| task.strong || task.planned.id != head.id);
        self.tasks.push(Task {
            planned: PlannedTask {
                id: head.id,
                description: head.name.clone(),
                name: head.name,
                place: self.places.at(line.at),
                ..PlannedTask::default()
            },
            strong: head.strong,
            level: level(line),
            depth: line.depth,
            time: None,
            dependencies: None,
            criteria: None,
            boxes: Vec::new(),
            in_step: false,
        });
        self.open = true;
    }

    fn is_gate(&self, line: &Line) -> bool {
        let text = line.text.to_lowercase();
        let says = match line.kind {
            Kind::Heading(_) => text.contains(GATE),
            Kind::Paragraph | Kind::Item => {
                text.contains("validation gate:") || bare(&text).trim_end_matches('*') == GATE
            }
        };
        let item = line.kind == Kind::Item && !self.open;
        says || item && value(&line.text, &ITEM_GATE).is_some()
    }

    fn take_gate(&mut self, at: usize) -> usize {
        let label = &self.lines[at];
        let mut from = at + 1;
        if label.depth == 0 {
            // Words may stand between the label and its list.
            let is_word = |line: &Line| {
                line.kind == Kind::Paragraph && line.depth == 0 && after_box(&line.text).is_none()
            };
            let words = self.lines[from..].iter().take_while(|line| is_word(line));
            let words = words.count();
            let list_follows = self
                .lines
                .get(from + words)
                .is_some_and(|line| line.depth > 0 || after_box(&line.text).is_some());
            from += if list_follows { words } else { 0 };
        }
        let (criteria, next) = self.list(from, label, true);
        match value(&label.text, &[GATE]).filter(|value| !value.is_empty()) {
            Some(value) if criteria.is_empty() => self.criteria.push(value.to_owned()),
            _ => self.criteria.extend(criteria),
        }
        next
    }

    /// Reads the criteria below `label` from `from` on; those of a gate end with their list.
    fn list(&self, from: usize, label: &Line, one_list: bool) -> (Vec<String>, usize) {
        let mut found: Vec<(bool, String)> = Vec::new();
        let mut list = None;
        let mut at = from;
        while let Some(line) = self.lines.get(at) {
            let boxed = after_box(&line.text);
            let inside = line.depth > label.depth
                || line.continues && !found.is_empty()
                || boxed.is_some() && line.depth == label.depth && level(line).is_none();
            let other_list = one_list && list.is_some_and(|list| list != line.list);
            let task = !one_list && task_head(line).is_some_and(|head| head.strong);
            if level(line).is_some() || !inside || other_list || task {
                break;
            }
            list = list.or(Some(line.list));
            match boxed {
                Some(text) => found.push((true, text.to_owned())),
                None if line.continues => append(found.last_mut().map(|(_, text)| text), line),
                None if line.kind == Kind::Item => found.push((false, line.text.trim().to_owned())),
                None => {}
            }
            at += 1;
        }
        let any_boxed = found.iter().any(|(boxed, _)| *boxed);
        found.retain(|(boxed, text)| *boxed == any_boxed && !text.is_empty());
        (found.into_iter().map(|(_, text)| text).collect(), at)
    }

    fn take_of_phase(&mut self, line: &Line) {
        if line.depth > 1 || level(line).is_some() {
            return;
        }
        if let Some(value) = value(&line.text, &DESCRIPTION).filter(|value| !value.is_empty()) {
            self.description = Some(value.to_owned());
        } else if let Some(value) = value(&line.text, &DURATION).filter(|value| !value.is_empty()) {
            self.duration.get_or_insert_with(|| value.to_owned());
        }
    }

    fn take_of_task(&mut self, at: usize) -> usize {
        let line = &self.lines[at];
        if let Some(named) = labelled(line, &CRITERIA) {
            let (mut criteria, next) = self.list(at + 1, line, false);
            if criteria.is_empty() && !named.is_empty() {
                criteria.push(named.to_owned());
            }
            let task = self.tasks.last_mut().expect("a task is open");
            task.criteria.get_or_insert_default().extend(criteria);
            return next;
        }
        if let Some(named) = labelled(line, &DEPENDENCIES) {
            let below = self.lines[at + 1..].iter();
            let below =
                below.take_while(|below| below.depth > line.depth && level(below).is_none());
            let below: Vec<_> = below.map(|line| bare(&line.text)).collect();
            let (value, next) = match named.is_empty() {
                true => (below.join(", "), at + 1 + below.len()),
                false => (named.to_owned(), at + 1),
            };
            let task = self.tasks.last_mut().expect("a task is open");
            task.dependencies
                .get_or_insert_with(|| dependencies(&value));
            return next;
        }
        let task = self.tasks.last_mut().expect("a task is open");
        task.take(line);
        at + 1
    }
}

impl Task {
    /// Says whether `line`, which opens nothing, is of this task.
    fn holds(&self, line: &Line) -> bool {
        match (level(line), self.level) {
            (Some(level), Some(own)) => level > own,
            (Some(_), None) => false,
            (None, _) if self.depth == 0 => true,
            (None, _) => {
                line.depth > self.depth || line.depth == self.depth && line.kind != Kind::Item
            }
        }
    }

    /// Takes a line that is neither criteria nor dependencies.
    fn take(&mut self, line: &Line) {
        let step_goes_on = self.in_step && line.continues;
        self.in_step = step_goes_on;
        if level(line).is_some() {
            return;
        }
        if step_goes_on {
            append(self.planned.steps.last_mut(), line);
        } else if let Some(time) = value(&line.text, &TIME).filter(|time| !time.is_empty()) {
            self.time.get_or_insert_with(|| time.to_owned());
        } else if let Some(text) = after_box(&line.text) {
            self.boxes.push(text.to_owned());
        } else if line.kind == Kind::Item {
            self.planned.steps.push(line.text.trim().to_owned());
            self.in_step = true;
        }
    }

    fn close(self) -> PlannedTask {
        PlannedTask {
            time: self.time.unwrap_or_else(|| VARIABLE.into()),
            dependencies: self.dependencies.unwrap_or_default(),
            acceptance_criteria: self.criteria.unwrap_or(self.boxes),
            ..self.planned
        }
    }
}

/// Returns the value of a label; a heading is one without a value.
fn labelled<'a>(line: &'a Line, names: &[&str]) -> Option<&'a str> {
    if let Some(value) = value(&line.text, names) {
        return Some(value);
    }
    let text = bare(&line.text).to_lowercase();
    let heading = level(line).is_some() && names.contains(&text.as_str());
    heading.then_some("")
}

fn level_of(lines: &[Line]) -> u8 {
    level(&lines[0]).unwrap_or_default()
}

fn append(text: Option<&mut String>, line: &Line) {
    if let Some(text) = text {
        text.push(' ');
        text.push_str(line.text.trim());
    }
}
