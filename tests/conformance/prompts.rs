//! Prompts of the suite.

use rmcp::{
    ErrorData,
    model::{
        ContentBlock, GetPromptRequestParams, GetPromptResponse, GetPromptResult, ImageContent,
        InputRequiredResult, InputResponses, JsonObject, Prompt, PromptArgument, PromptMessage,
        Role,
    },
};
use serde_json::Value;

use crate::{
    answer::{response, text_at},
    content::{IMAGE, text_resource},
    rounds::{keyed, question},
};

/// What `arg1` is completed to.
const COMPLETIONS: [&str; 3] = ["paris", "park", "party"];

/// Lists the prompts.
pub(crate) fn all() -> Vec<Prompt> {
    let required = |name| PromptArgument::new(name).with_required(true);
    let two = vec![required("arg1"), required("arg2")];
    let uri = vec![required("resourceUri")];
    let entries = [
        ("test_simple_prompt", "A sentence", None),
        (
            "test_prompt_with_arguments",
            "A sentence with arguments",
            Some(two),
        ),
        (
            "test_prompt_with_embedded_resource",
            "A resource",
            Some(uri),
        ),
        ("test_prompt_with_image", "An image", None),
        (
            "test_input_required_result_prompt",
            "Needs an answer of the user",
            None,
        ),
    ];
    let prompts = entries.into_iter();
    prompts
        .map(|(name, description, arguments)| Prompt::new(name, Some(description), arguments))
        .collect()
}

/// Renders a prompt.
pub(crate) fn render(request: GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let arguments = request.arguments.unwrap_or_default();
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![user("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            let (arg1, arg2) = (text(&arguments, "arg1"), text(&arguments, "arg2"));
            let sentence = format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'");
            vec![user(sentence)]
        }
        "test_prompt_with_embedded_resource" => {
            let uri = text(&arguments, "resourceUri");
            let resource =
                text_resource(uri, "text/plain", "Embedded resource content for testing.");
            let resource = PromptMessage::new(Role::User, ContentBlock::resource(resource));
            vec![
                resource,
                user("Please process the embedded resource above."),
            ]
        }
        "test_prompt_with_image" => {
            let image = ContentBlock::Image(ImageContent::new(IMAGE, "image/png"));
            let image = PromptMessage::new(Role::User, image);
            vec![image, user("Please analyze the image above.")]
        }
        "test_input_required_result_prompt" => {
            return Ok(with_context(&request.input_responses.unwrap_or_default()));
        }
        other => {
            let message = format!("no prompt is named {other}");
            return Err(ErrorData::invalid_params(message, None));
        }
    };
    Ok(GetPromptResult::new(messages).into())
}

/// Completes an argument that begins with `begun`.
pub(crate) fn complete(argument: &str, begun: &str) -> Vec<String> {
    let known = COMPLETIONS.iter().filter(|_| argument == "arg1");
    let fitting = known.filter(|value| value.starts_with(begun));
    fitting.map(|&value| value.to_owned()).collect()
}

fn with_context(responses: &InputResponses) -> GetPromptResponse {
    let Some(answer) = response(responses, "user_context") else {
        let question = question("In what context?", "context", "string");
        let questions = keyed([("user_context", question)]);
        return InputRequiredResult::from_input_requests(questions).into();
    };
    let context = text_at(answer, "/content/context");
    GetPromptResult::new(vec![user(format!("In the context of {context}"))]).into()
}

fn text<'a>(arguments: &'a JsonObject, name: &str) -> &'a str {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn user(text: impl Into<String>) -> PromptMessage {
    PromptMessage::new_text(Role::User, text)
}
