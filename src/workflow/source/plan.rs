//! What a source says is to be done, whatever the source's format.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::workflow::{Fault, Phase};

/// The most phases of a source: as many as a workflow may have.
const MAX_PHASES: usize = 1_000;

/// The most tasks of a phase: a list beyond is not read by anybody.
const MAX_TASKS: usize = 1_000;

/// The phases and tasks of a source.
///
/// Invariant: the phases are in the order of their numbers, without gap or double; no id of a
/// task is there twice, and tasks depend on tasks that there are, in no circle.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Plan {
    /// In the order of their numbers.
    pub phases: Vec<PlannedPhase>,
}

/// A phase of a source.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PlannedPhase {
    /// Its number.
    pub number: Phase,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How long it takes, in the author's words.
    pub duration: String,
    /// Its tasks, in the order of the source.
    #[serde(default)]
    pub tasks: Vec<PlannedTask>,
    /// What must be true at its end, in words.
    #[serde(default)]
    pub criteria: Vec<String>,
    /// What must be true at its end, as evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<PlannedField>,
    /// Where it stands in the source.
    #[serde(skip)]
    pub place: Place,
}

/// A task of a source.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PlannedTask {
    /// Its id, which is unique in the source.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How long it takes, in the author's words.
    pub time: String,
    /// What must be done before: ids of tasks, or words.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// What must be true at its end.
    #[serde(default)]
    pub acceptance_criteria: Vec<String>,
    /// What is to be done, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// Where it stands in the source.
    #[serde(skip)]
    pub place: Place,
}

/// A field of the evidence that a phase's end asks for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PlannedField {
    /// Its key in the evidence.
    pub name: String,
    /// What its value is, in the words of `gate-definition.yaml`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says.
    #[serde(default)]
    pub description: String,
    /// What its value shall satisfy; for the reader only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<String>,
}

/// The id of a task, such as `1.2`.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId {
    /// The number before the dot, which is its phase's as a rule.
    pub phase: u32,
    /// The number after the dot.
    pub task: u32,
}

/// A string that is no id of a task.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the id of a task: use PHASE.TASK, such as 1.2")]
pub struct InvalidTaskId(String);

impl Plan {
    /// Puts the phases of `file` in order and checks what a plan promises.
    ///
    /// # Errors
    ///
    /// Names the first place that breaks it.
    pub(super) fn new(file: &Path, mut phases: Vec<PlannedPhase>) -> Result<Self, Fault> {
        if phases.len() > MAX_PHASES {
            let problem = format!(
                "{} phases are there, the most is {MAX_PHASES}",
                phases.len()
            );
            return Err(Fault::new(file, problem));
        }
        phases.sort_by_key(|phase| phase.number);
        let plan = Self { phases };
        let check = || {
            plan.check_numbers()?;
            plan.check_dependencies(&plan.places()?)
        };
        match check() {
            Ok(()) => Ok(plan),
            Err((place, problem)) => Err(place.fault(file, problem)),
        }
    }

    /// Returns the phase of that number.
    pub fn phase(&self, number: Phase) -> Option<&PlannedPhase> {
        self.phases.iter().find(|phase| phase.number == number)
    }

    /// Returns the numbers of the first phase and the last; none for an empty plan.
    pub fn span(&self) -> Option<(Phase, Phase)> {
        Some((self.phases.first()?.number, self.phases.last()?.number))
    }

    /// Returns how many tasks there are.
    pub fn task_count(&self) -> usize {
        self.phases.iter().map(|phase| phase.tasks.len()).sum()
    }

    /// Finds the phase that the task stands in, whose number need not be the id's.
    pub fn phase_of(&self, id: TaskId) -> Option<&PlannedPhase> {
        let holds = |phase: &&PlannedPhase| phase.tasks.iter().any(|task| task.id == id);
        self.phases.iter().find(holds)
    }

    fn check_numbers(&self) -> Result<(), Broken> {
        for pair in self.phases.windows(2) {
            let (before, phase) = (&pair[0], &pair[1]);
            let number = phase.number;
            if number == before.number {
                let first = before.place.min(phase.place);
                let problem = format!("phase {number} is there twice, first at {first}");
                return Err((before.place.max(phase.place), problem));
            }
            let expected = before.number.next();
            if number != expected {
                let problem = format!(
                    "phase {number} comes after phase {}: expected phase {expected}, phases are \
                     numbered without gaps",
                    before.number
                );
                return Err((phase.place, problem));
            }
        }
        Ok(())
    }

    /// Returns where each task stands.
    fn places(&self) -> Result<BTreeMap<TaskId, Place>, Broken> {
        let mut places = BTreeMap::new();
        for phase in &self.phases {
            let (number, tasks) = (phase.number, phase.tasks.len());
            if tasks > MAX_TASKS {
                let problem = format!("phase {number} has {tasks} tasks, the most is {MAX_TASKS}");
                return Err((phase.place, problem));
            }
            for task in &phase.tasks {
                if let Some(other) = places.insert(task.id, task.place) {
                    let (first, second) = (other.min(task.place), other.max(task.place));
                    let problem = format!("task {} is there twice, first at {first}", task.id);
                    return Err((second, problem));
                }
            }
        }
        Ok(places)
    }

    fn check_dependencies(&self, places: &BTreeMap<TaskId, Place>) -> Result<(), Broken> {
        let mut before = BTreeMap::new();
        for task in self.phases.iter().flat_map(|phase| &phase.tasks) {
            let others: Vec<_> = task.depends_on().collect();
            if let Some(other) = others.iter().find(|other| !places.contains_key(other)) {
                let id = task.id;
                let problem = format!("task {id} depends on task {other}, which is not there");
                return Err((task.place, problem));
            }
            before.insert(task.id, others);
        }
        match circle(&before) {
            None => Ok(()),
            Some(circle) => {
                let ids: Vec<_> = circle.iter().map(ToString::to_string).collect();
                let problem = format!("these tasks wait for each other: {}", ids.join(" → "));
                Err((places[&circle[0]], problem))
            }
        }
    }
}

/// Where a plan breaks its promise, and how.
type Broken = (Place, String);

/// Finds a task that waits for itself: the way from it to it. Each task is entered once.
fn circle(before: &BTreeMap<TaskId, Vec<TaskId>>) -> Option<Vec<TaskId>> {
    let mut entered = BTreeSet::new();
    for start in before.keys() {
        // The tasks on the way, each with those that are still to be looked at.
        let mut way: Vec<(TaskId, &[TaskId])> = Vec::new();
        let mut on_the_way = BTreeSet::new();
        let mut next = Some(*start);
        while next.is_some() || !way.is_empty() {
            if let Some(id) = next.take().filter(|id| entered.insert(*id)) {
                on_the_way.insert(id);
                way.push((id, &before[&id]));
            }
            let Some((id, rest)) = way.last_mut() else {
                break;
            };
            match rest.split_first() {
                None => {
                    on_the_way.remove(id);
                    way.pop();
                }
                Some((other, others)) => {
                    *rest = others;
                    if on_the_way.contains(other) {
                        let ids = way.iter().map(|(id, _)| *id);
                        let circle = ids.skip_while(|id| id != other);
                        return Some(circle.chain([*other]).collect());
                    }
                    next = Some(*other);
                }
            }
        }
    }
    None
}

impl PlannedTask {
    /// Returns the tasks that must be done before.
    pub fn depends_on(&self) -> impl Iterator<Item = TaskId> {
        let words = self.dependencies.iter();
        words.filter_map(|word| TaskId::try_from(word.as_str()).ok())
    }
}

impl TryFrom<&str> for TaskId {
    type Error = InvalidTaskId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = text.split_once('.').and_then(|(phase, task)| {
            let both = digits(phase) && digits(task);
            both.then_some((phase.parse().ok()?, task.parse().ok()?))
        });
        match parsed {
            Some((phase, task)) => Ok(Self { phase, task }),
            None => Err(InvalidTaskId(text.chars().take(80).collect())),
        }
    }
}

impl TryFrom<String> for TaskId {
    type Error = InvalidTaskId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.phase, self.task)
    }
}
