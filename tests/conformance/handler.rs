//! The handler: what it can do, and who does it.
#![expect(
    deprecated,
    reason = "the suite still asks for what 2026-07-28 deprecates"
)]

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::*,
    service::{RequestContext, SubscriptionContext},
    task_manager::TaskManager,
};

use crate::{
    answer::{Answer, Call},
    catalogue,
    changes::Changes,
    prompts, resources,
};

/// How long a client may keep what the fixtures answer, in milliseconds. They never change.
const TTL_MS: u64 = 60_000;
/// No secret: the suite's only client is the suite.
const SEAL_KEY: &[u8] = b"the conformance suite's request state";

/// The fixtures. A clone is the same fixtures.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) changes: Changes,
    pub(crate) seal: RequestStateCodec,
    pub(crate) tasks: TaskManager,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self {
            changes: Changes::new(),
            seal: RequestStateCodec::try_new(SEAL_KEY).expect("the key is long enough"),
            tasks: TaskManager::new(),
        }
    }
}

type Context = RequestContext<RoleServer>;
type Page = Option<PaginatedRequestParams>;

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_tasks()
            .build();
        let version = env!("CARGO_PKG_VERSION");
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("lockstep-conformance", version))
            .with_instructions("Answers the official conformance suite.")
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        catalogue::find(name).map(catalogue::Entry::tool)
    }

    async fn list_tools(&self, _: Page, _: Context) -> Result<ListToolsResult, ErrorData> {
        let tools = catalogue::CATALOGUE.iter();
        let tools = tools.map(catalogue::Entry::tool).collect();
        let list = ListToolsResult::with_all_items(tools).with_ttl_ms(TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Answer {
        let Some(entry) = catalogue::find(&request.name) else {
            let message = format!("no tool is named {}", request.name);
            return Err(ErrorData::invalid_params(message, None));
        };
        (entry.run)(Call::new(request, context, self.clone())).await
    }

    async fn list_resources(&self, _: Page, _: Context) -> Result<ListResourcesResult, ErrorData> {
        let list = ListResourcesResult::with_all_items(resources::all()).with_ttl_ms(TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Page,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let list = ListResourceTemplatesResult::with_all_items(resources::templates());
        Ok(list
            .with_ttl_ms(TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = ReadResourceResult::new(vec![resources::read(&request.uri)?]);
        let read = read
            .with_ttl_ms(TTL_MS)
            .with_cache_scope(CacheScope::Public);
        Ok(read.into())
    }

    /// Accepts any address: no resource of the suite ever changes, so there is nothing to keep.
    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(&self, _: Page, _: Context) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult::with_all_items(prompts::all()).with_ttl_ms(TTL_MS);
        Ok(list.with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::render(request)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: Context,
    ) -> Result<CompleteResult, ErrorData> {
        let CompleteRequestParams { argument, .. } = request;
        let values = prompts::complete(&argument.name, &argument.value);
        let completion = CompletionInfo::with_all_values(values);
        let completion = completion.map_err(|error| ErrorData::internal_error(error, None))?;
        Ok(CompleteResult::new(completion))
    }

    /// Accepts any level: what the fixtures log, they log at the level that was asked for.
    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.changes.forward(context).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: Context,
    ) -> Result<GetTaskResult, ErrorData> {
        let task = self.tasks.get_task(&request.task_id)?;
        Ok(GetTaskResult::new(task))
    }

    async fn update_task(&self, request: UpdateTaskParams, _: Context) -> Result<(), ErrorData> {
        self.tasks
            .update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, _: Context) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }
}
