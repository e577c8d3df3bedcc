//! Tools that need something of the client: they end with questions, and are called again with
//! the answers (SEP-2322).
#![expect(deprecated, reason = "the suite still asks for sampling and roots")]

use rmcp::{
    ErrorData,
    model::{
        ClientCapabilities, CreateMessageRequest, CreateMessageRequestParams, ElicitRequest,
        ElicitRequestParams, InputRequest, InputRequests, InputRequiredResult, ListRootsRequest,
        SamplingMessage,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    answer::{Answer, Call, response, say, text_at},
    asking::form,
};

/// Where a call of several rounds is. It travels through the client, sealed.
#[derive(Deserialize, Serialize)]
enum Stage {
    Confirm,
    Gather,
    Name,
    Color,
}

pub(crate) async fn missing_capability(call: Call) -> Answer {
    if capabilities(&call).sampling.is_none() {
        let needed = ClientCapabilities::builder().enable_sampling().build();
        return Err(ErrorData::missing_required_client_capability(needed));
    }
    say("the client can sample")
}

pub(crate) async fn streaming(_: Call) -> Answer {
    ask([("value", question("A value, please", "value", "string"))])
}

pub(crate) async fn elicitation(call: Call) -> Answer {
    match response(&call.responses, "user_name") {
        Some(answer) => say(format!("Hello, {}!", text_at(answer, "/content/name"))),
        None => ask([("user_name", name_question())]),
    }
}

pub(crate) async fn sampling(call: Call) -> Answer {
    match response(&call.responses, "capital_question") {
        Some(answer) => say(text_at(answer, "/content/text")),
        None => {
            let question = model_question("What is the capital of France?");
            ask([("capital_question", question)])
        }
    }
}

pub(crate) async fn roots(call: Call) -> Answer {
    match response(&call.responses, "client_roots") {
        Some(answer) => say(format!("the client's roots: {}", answer["roots"])),
        None => ask([("client_roots", roots_question())]),
    }
}

pub(crate) async fn confirmation(call: Call) -> Answer {
    match opened(&call)? {
        Some(_) => say("confirmed, state-ok"),
        None => {
            let question = question("Please confirm", "ok", "boolean");
            ask_and_remember(&call, [("confirm", question)], &Stage::Confirm)
        }
    }
}

pub(crate) async fn three_at_once(call: Call) -> Answer {
    let remembered = opened(&call)?.is_some();
    let keys = ["user_name", "greeting", "client_roots"];
    let answered = |key: &&str| response(&call.responses, key).is_some();
    if remembered && keys.iter().all(answered) {
        return say("all three are there");
    }
    let questions = [
        ("user_name", name_question()),
        ("greeting", model_question("Greet the user")),
        ("client_roots", roots_question()),
    ];
    ask_and_remember(&call, questions, &Stage::Gather)
}

pub(crate) async fn one_by_one(call: Call) -> Answer {
    match opened(&call)? {
        None => {
            let question = name_question();
            ask_and_remember(&call, [("step1", question)], &Stage::Name)
        }
        Some(Stage::Name) => {
            let question = question("What is your favourite colour?", "color", "string");
            ask_and_remember(&call, [("step2", question)], &Stage::Color)
        }
        Some(Stage::Color | Stage::Confirm | Stage::Gather) => say("both rounds are done"),
    }
}

pub(crate) async fn by_capability(call: Call) -> Answer {
    if !call.responses.is_empty() {
        return say("done");
    }
    let able = capabilities(&call);
    let questions = [
        able.elicitation.map(|_| ("user_name", name_question())),
        able.sampling
            .map(|_| ("greeting", model_question("Greet the user"))),
        able.roots.map(|_| ("client_roots", roots_question())),
    ];
    let questions: Vec<_> = questions.into_iter().flatten().collect();
    if questions.is_empty() {
        return say("the client cannot be asked anything");
    }
    ask(questions)
}

/// Asks the user to fill in one field.
pub(crate) fn question(message: &str, field: &str, kind: &str) -> InputRequest {
    let schema = json!({
        "type": "object",
        "properties": { field: { "type": kind } },
        "required": [field],
    });
    let form = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: form(schema),
    };
    InputRequest::Elicitation(ElicitRequest::new(form))
}

/// Asks for the user's name.
pub(crate) fn name_question() -> InputRequest {
    question("What is your name?", "name", "string")
}

/// Ends the round with questions.
pub(crate) fn ask(questions: impl IntoIterator<Item = (&'static str, InputRequest)>) -> Answer {
    Ok(InputRequiredResult::from_input_requests(keyed(questions)).into())
}

/// Keys questions as they are sent.
pub(crate) fn keyed(
    questions: impl IntoIterator<Item = (&'static str, InputRequest)>,
) -> InputRequests {
    let questions = questions.into_iter();
    questions
        .map(|(key, question)| (key.to_owned(), question))
        .collect()
}

fn ask_and_remember(
    call: &Call,
    questions: impl IntoIterator<Item = (&'static str, InputRequest)>,
    stage: &Stage,
) -> Answer {
    let sealed = call.fixture.seal.seal_json(stage);
    let sealed = sealed.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(InputRequiredResult::new(Some(keyed(questions)), Some(sealed)).into())
}

/// Opens the state that came back, which anybody may have made up.
fn opened(call: &Call) -> Result<Option<Stage>, ErrorData> {
    let Some(sealed) = &call.state else {
        return Ok(None);
    };
    let refused = |_| ErrorData::invalid_params("requestState was not made here", None);
    call.fixture
        .seal
        .open_json(sealed)
        .map(Some)
        .map_err(refused)
}

fn model_question(prompt: &str) -> InputRequest {
    let prompt = vec![SamplingMessage::user_text(prompt)];
    let request = CreateMessageRequestParams::new(prompt, 100);
    InputRequest::CreateMessage(CreateMessageRequest::new(request))
}

fn roots_question() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

fn capabilities(call: &Call) -> ClientCapabilities {
    call.context.client_capabilities().unwrap_or_default()
}
