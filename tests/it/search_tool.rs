//! `search_standards` as a client meets it: odd questions, filters that fit nothing, links.

use serde_json::{Value, json};

use crate::harness::{TestServer, tool_call};

#[tokio::test]
async fn odd_questions_are_answered_or_refused_with_the_rule() {
    let server = TestServer::spawn().await;
    let long = "x".repeat(100 * 1024);
    let cases = [
        (json!({ "query": "" }), Some("the query is empty")),
        (
            json!({ "query": " \t\r\n\u{2003}" }),
            Some("the query is empty"),
        ),
        (
            json!({ "query": long }),
            Some("the query has 102400 characters, the most is 2000"),
        ),
        (json!({ "query": "\u{0}\u{1}\u{7f}" }), None),
        (json!({ "query": "load \u{1b}[31m\u{0} test" }), None),
        (json!({ "query": "負荷テストはどのくらい続きますか" }), None),
        (json!({ "query": "كم من الوقت يستغرق الاختبار؟" }), None),
        (json!({ "query": "сколько длится нагрузочный тест" }), None),
        (json!({ "query": "🦀\u{200d}🦀" }), None),
        (
            json!({ "query": "* AND -x OR \"y\" ~2 ^3 text:z {a TO b}" }),
            None,
        ),
        (
            json!({ "query": "x", "n_results": 0 }),
            Some("n_results is 0, allowed is 1 to 50"),
        ),
        (
            json!({ "query": "x", "n_results": -1 }),
            Some("`n_results` is -1, expected a whole number from 1 to 50"),
        ),
        (
            json!({ "query": "x", "n_results": 1_000_000 }),
            Some("n_results is 1000000, allowed is 1 to 50"),
        ),
        (
            json!({ "query": "x", "filter_file": "a[" }),
            Some("filter_file is not a glob: unclosed character class; missing ']'"),
        ),
        (
            json!({ "query": "x", "filter_file": "{a,b" }),
            Some(
                "filter_file is not a glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
            ),
        ),
    ];
    for mode in ["hybrid", "keyword", "vector"] {
        for (arguments, refusal) in &cases {
            let mut arguments = arguments.clone();
            arguments["mode"] = json!(mode);
            let shown = arguments.to_string();
            match refusal {
                Some(rule) => {
                    let body = server.refused("search_standards", arguments).await;
                    assert_eq!(body["error"], *rule, "{shown:.200}");
                    assert_eq!(body["results"], json!([]), "{shown:.200}");
                }
                None => {
                    let body = server.ok("search_standards", arguments).await;
                    assert_eq!(body["searched"], 2, "{shown}: {body}");
                    assert_eq!(body["retrieval_method"], mode, "{shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn filters_that_fit_nothing_bring_an_empty_answer_and_tags_the_ones_that_there_are() {
    let server = TestServer::spawn().await;
    let ask = async |filter: &str, value: Value| {
        let mut arguments = json!({ "query": "load" });
        arguments[filter] = value;
        server.ok("search_standards", arguments).await
    };

    let unknown = ask("filter_tags", json!(["tesing", "no-such"])).await;
    let known = ask("filter_tags", json!(["testing", "no-such"])).await;
    let nowhere = ask("filter_category", json!("nowhere")).await;
    let no_file = ask("filter_file", json!("nothing*.md")).await;
    let no_phase = ask("filter_phase", json!(999)).await;

    for empty in [&unknown, &nowhere, &no_file, &no_phase] {
        assert_eq!(empty["results"], json!([]), "{empty}");
        assert_eq!(empty["searched"], 0, "{empty}");
        assert_eq!(empty["error"], Value::Null, "{empty}");
    }
    let hint = unknown["remediation"].as_str().unwrap();
    assert!(
        hint.contains("filter_tags") && hint.contains("testing"),
        "{hint}"
    );
    for other in [&known, &nowhere, &no_file, &no_phase] {
        assert_eq!(other["remediation"], Value::Null, "{other}");
    }
    assert_ne!(known["searched"], 0, "{known}");
}

#[tokio::test]
async fn a_passage_that_was_cut_brings_a_link_to_its_section() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let question = json!({ "query": "How long does a load test run?", "n_results": 1 });
    let mut short = question.clone();
    short["max_tokens"] = json!(5);

    let whole = tool_call(&client, "search_standards", question)
        .await
        .unwrap();
    let cut = tool_call(&client, "search_standards", short).await.unwrap();

    let uri = |result: &rmcp::model::CallToolResult| {
        result.structured_content.as_ref().unwrap()["results"][0]["uri"].clone()
    };
    assert_eq!(whole.content.len(), 1, "{:?}", whole.content);
    let link = cut.content[1].as_resource_link().unwrap();
    assert_eq!(uri(&cut), link.uri);
    assert!(
        link.uri.starts_with("standards://testing/load.md#"),
        "{}",
        link.uri
    );
    let read = rmcp::model::ReadResourceRequestParams::new(link.uri.clone());
    let read = client.read_resource(read).await.unwrap();
    let read = serde_json::to_value(&read.contents[0]).unwrap();
    assert!(
        read["text"].as_str().unwrap().contains("ten minutes"),
        "{read}"
    );
}
