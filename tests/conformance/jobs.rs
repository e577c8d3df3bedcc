//! Tools that become tasks when the client knows tasks (SEP-2663).

use std::time::Duration;

use rmcp::{
    ErrorData,
    model::{CallToolResult, ClientCapabilities, ContentBlock, CreateTaskResult},
    task_manager::{TaskContext, TaskExit, TaskOptions},
};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    answer::{Answer, Call, response, say, text_at},
    rounds::{ask, name_question, question},
};

/// How long a task that fails works first: the suite wants to see it at work.
const BEFORE_FAILURE: Duration = Duration::from_millis(500);
/// A task's work when it has nothing to do.
const SHORT_WORK: Duration = Duration::from_millis(200);
/// The most that `slow_compute` may be told to take, in seconds.
const MOST_SECONDS: f64 = 600.0;

type Done = Result<CallToolResult, TaskExit>;

pub(crate) async fn greet(call: Call) -> Answer {
    say(format!("Hello, {}!", call.text("name")?))
}

pub(crate) async fn slow_compute(call: Call) -> Answer {
    let seconds = call.arguments.get("seconds").and_then(Value::as_f64);
    let seconds = seconds.unwrap_or(1.0).clamp(0.0, MOST_SECONDS);
    let label = call.text("label").unwrap_or("computation").to_owned();
    let work = async move {
        sleep(Duration::from_secs_f64(seconds)).await;
        done(format!("{label} took {seconds} s"))
    };
    if !knows_tasks(&call) {
        return finish(work.await);
    }
    later(&call, async move |task| {
        tokio::select! {
            () = task.cancelled() => Err(TaskExit::Cancelled),
            result = work => result,
        }
    })
}

pub(crate) async fn failing(call: Call) -> Answer {
    needs_tasks(&call)?;
    later(&call, async |_| {
        sleep(BEFORE_FAILURE).await;
        let message = ContentBlock::text("the job failed, as it always does");
        Ok(CallToolResult::error(vec![message]))
    })
}

pub(crate) async fn protocol_error(call: Call) -> Answer {
    let fail = async || {
        sleep(SHORT_WORK).await;
        let error = ErrorData::internal_error("the request failed, as it always does", None);
        Err(TaskExit::Error(error))
    };
    if !knows_tasks(&call) {
        return finish(fail().await);
    }
    later(&call, async move |_| fail().await)
}

pub(crate) async fn confirm_delete(call: Call) -> Answer {
    needs_tasks(&call)?;
    let file = call.text("filename").unwrap_or("a file").to_owned();
    later(&call, async move |task| {
        let question = question(&format!("Delete {file}?"), "confirm", "boolean");
        let answer = task.request_input("confirm", question).await?;
        let confirmed = answer.pointer("/content/confirm") == Some(&Value::Bool(true));
        done(format!("{file}: confirmed is {confirmed}"))
    })
}

pub(crate) async fn multi_input(call: Call) -> Answer {
    needs_tasks(&call)?;
    later(&call, async |task| {
        let first = task.request_input("first", question("The first value?", "value", "string"));
        let second = task.request_input("second", question("The second?", "value", "string"));
        let (first, second) = tokio::try_join!(first, second)?;
        let (first, second) = (text_at(&first, VALUE), text_at(&second, VALUE));
        done(format!("{first} and {second}"))
    })
}

pub(crate) async fn asks_then_runs(call: Call) -> Answer {
    needs_tasks(&call)?;
    let Some(answer) = response(&call.responses, "user_name") else {
        return ask([("user_name", name_question())]);
    };
    let name = text_at(answer, "/content/name");
    later(&call, async move |_| {
        sleep(SHORT_WORK).await;
        done(format!("Hello, {name}!"))
    })
}

/// Where an answer to `question(_, "value", _)` has its text.
const VALUE: &str = "/content/value";

fn knows_tasks(call: &Call) -> bool {
    let client = call.context.client_capabilities();
    client.is_some_and(|client| client.supports_tasks())
}

/// Refuses a client to which the tool could not answer.
fn needs_tasks(call: &Call) -> Result<(), ErrorData> {
    if knows_tasks(call) {
        return Ok(());
    }
    let needed = ClientCapabilities::builder().enable_tasks().build();
    Err(ErrorData::missing_required_client_capability(needed))
}

/// Starts a task and answers with its handle.
fn later<W>(call: &Call, work: impl FnOnce(TaskContext) -> W) -> Answer
where
    W: Future<Output = Done> + Send + 'static,
{
    let tasks = &call.fixture.tasks;
    let task = tasks.spawn(TaskOptions::default(), |task| Box::pin(work(task)));
    Ok(CreateTaskResult::new(task).into())
}

fn done(text: String) -> Done {
    Ok(CallToolResult::success(vec![ContentBlock::text(text)]))
}

/// Answers with the result of work that was done at once.
fn finish(done: Done) -> Answer {
    match done {
        Ok(result) => Ok(result.into()),
        Err(TaskExit::Error(error)) => Err(error),
        Err(TaskExit::Cancelled) => Err(ErrorData::internal_error("cancelled", None)),
    }
}
