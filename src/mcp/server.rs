//! The handler that rmcp calls.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};

use super::{
    about::{About, SearchState, ServerInfoView, SessionsView},
    aside::Aside,
    authoring, caller,
    caller::Callers,
    completion, date,
    error::{ToolError, into_response},
    operation::Reported,
    prompts,
    rendered::Rendered,
    resources, search,
    tools::{Offered, ToolName, Tools, no_arguments},
    workflow,
};
use crate::{
    faults::Faults,
    search::Engine as SearchEngine,
    workflow::{Caller, Engine as WorkflowEngine},
};

/// How long a client may keep the list of tools, in milliseconds: it changes only with a new
/// version of the server.
const TOOLS_TTL_MS: u64 = 3_600_000;

/// What an agent is told when it connects.
const INSTRUCTIONS: &str = "\
Lockstep runs phase-gated workflows and searches this team's standards.

Before you decide how to do something, ask `search_standards` in a full sentence of your own \
words; use what it returns over what you remember.

To work through a workflow with the `workflow` tool: `list_workflows`, then `start` with \
`workflow_type` and `target_file` and keep the `session_id`. For the open phase: `get_phase`, \
then `get_task` for each of its tasks in order, do the work, then `complete_phase` with `evidence` \
that has the fields which the gate names. The answer opens the next phase, or says what the gate \
misses: mend it and hand in again. Phases cannot be skipped. Starting the same type on the same \
target again resumes the session; after a break, `get_state` says where it stands.

A result with `isError` says what was wrong and what to do: read it before you call again.";

/// The MCP server: one for all transports, cloned for each request.
#[derive(Clone, Debug)]
pub struct McpServer {
    workflows: Arc<WorkflowEngine>,
    search: Arc<SearchEngine>,
    about: Arc<About>,
    tools: Tools,
    faults: Faults,
    callers: Callers,
}

impl McpServer {
    /// Puts the tools that are offered in front of the engines.
    pub fn new(
        workflows: Arc<WorkflowEngine>,
        search: Arc<SearchEngine>,
        about: About,
        offered: Offered<'_>,
    ) -> Self {
        let tools = Tools::new(offered, &workflow::ages(&workflows));
        Self {
            workflows,
            search,
            about: Arc::new(about),
            tools,
            faults: offered.faults,
            callers: offered.callers,
        }
    }

    pub(super) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Returns the sessions that the caller may work with.
    fn sessions(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<Arc<WorkflowEngine>, ErrorData> {
        Ok(match self.callers.principal(context)? {
            None => Arc::clone(&self.workflows),
            Some(principal) => self.workflows.acting_for(principal),
        })
    }

    async fn info(&self, sessions: &WorkflowEngine) -> Result<ServerInfoView, ToolError> {
        let statistics = sessions.statistics().await;
        let statistics = statistics.map_err(|error| ToolError::Internal(Arc::new(error)))?;
        let search = SearchState::from(self.search.status());
        let tools = self.tools.listed().len();
        let sessions = SessionsView::of(statistics);
        Ok(self.about.view(tools, search, sessions).await)
    }

    async fn answer(
        &self,
        tool: ToolName,
        arguments: JsonObject,
        sessions: &Arc<WorkflowEngine>,
        by: impl FnOnce() -> Caller,
    ) -> Result<Rendered, ToolError> {
        let struck = self.faults.strike().await;
        struck.map_err(|injected| ToolError::Internal(Arc::new(injected)))?;
        match tool {
            // Boxed, so that no call moves the state of the largest one about.
            ToolName::SearchStandards => Box::pin(search::call(&self.search, arguments)).await,
            ToolName::Workflow => Box::pin(workflow::call(sessions, arguments, by)).await,
            ToolName::CreateWorkflow => {
                Box::pin(authoring::create(&self.workflows, arguments)).await
            }
            ToolName::ValidateWorkflow => {
                Box::pin(authoring::validate(&self.workflows, arguments)).await
            }
            ToolName::GetServerInfo => {
                no_arguments(tool, &arguments)?;
                Rendered::of(&Box::pin(self.info(sessions)).await?)
            }
            ToolName::CurrentDate => {
                no_arguments(tool, &arguments)?;
                Rendered::of(&date::view(&jiff::ZonedDateTime::now()))
            }
        }
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_prompts()
            .enable_resources()
            .enable_tools()
            .build();
        let implementation =
            Implementation::new("lockstep", env!("CARGO_PKG_VERSION")).with_title("Lockstep");
        ServerConfig::new(capabilities)
            .with_server_info(implementation)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.tools.listed().to_vec();
        Ok(ListToolsResult::with_all_items(tools)
            .with_ttl_ms(TOOLS_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.tools.find(&request.name) else {
            return Err(self.no_such_tool(&request.name));
        };
        let arguments = request.arguments.unwrap_or_default();
        let sessions = self.sessions(&context)?;
        let outcome = self.answer(tool, arguments, &sessions, || caller::of(&context));
        let outcome = outcome.await;
        if let (Err(error), Some(reported)) = (&outcome, context.extensions.get::<Reported>()) {
            let _ = reported.set(error.outcome()); // Nobody else sets it.
        }
        into_response(outcome, Aside::of(&context))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        resources::list(&self.workflows, request).await
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(&self.sessions(&context)?, &self.search, request).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(prompts::list())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::render(&self.sessions(&context)?, request).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        completion::complete(&self.sessions(&context)?, request).await
    }
}

impl McpServer {
    fn no_such_tool(&self, name: &str) -> ErrorData {
        /// Enough to recognise a name by.
        const SHOWN_CHARS: usize = 64;
        let shown: String = name.chars().take(SHOWN_CHARS).collect();
        let names: Vec<_> = self.tools.listed().iter().map(|tool| &*tool.name).collect();
        let message = format!("there is no tool `{shown}`; there are {}", names.join(", "));
        ErrorData::invalid_params(message, None)
    }
}
