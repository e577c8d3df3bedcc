//! What the list of tools costs an agent that connects.

use lockstep::config::Config;
use tokenizers::Tokenizer;

use crate::harness::TestServer;

/// The most tokens of all tools together, as they are listed: names, descriptions, schemas.
///
/// They are counted with the model's own tokenizer. It makes a token of each bracket and quote,
/// so that the tokenizers of large language models count about half as many.
const MAX_TOKENS: usize = 2_500;

#[tokio::test]
async fn all_tools_together_cost_an_agent_little() {
    let server = TestServer::spawn().await;
    let file = "models/all-minilm-l6-v2-q/tokenizer.json";
    let mut tokenizer = Tokenizer::from_file(Config::default().assets.join(file)).unwrap();
    tokenizer.with_truncation(None).unwrap();
    tokenizer.with_padding(None);

    let tools = server.client().await.list_all_tools().await.unwrap();
    let costs: Vec<_> = tools
        .iter()
        .map(|tool| {
            let listed = serde_json::to_string(tool).unwrap();
            (&*tool.name, tokenizer.encode(listed, false).unwrap().len())
        })
        .collect();

    let total: usize = costs.iter().map(|(_, tokens)| tokens).sum();
    assert!(total < MAX_TOKENS, "{total} tokens: {costs:?}");
}
