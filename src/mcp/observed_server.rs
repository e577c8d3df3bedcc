//! The MCP server with what surrounds each request. Every method of the protocol that a client may
//! call passes here, and nothing but that happens.

use std::borrow::Cow;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        CustomRequest, CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
    },
    service::RequestContext,
};

use super::{
    operation::{About, OTHER, observe},
    prompts::PromptName,
    server::McpServer,
};
use crate::observed::Requests;

/// The MCP server, observed: one for all transports, cloned for each request.
#[derive(Clone, Debug)]
pub struct ObservedServer {
    server: McpServer,
    requests: Requests,
}

impl ObservedServer {
    /// Surrounds each request of `server`.
    pub fn new(server: McpServer, requests: Requests) -> Self {
        Self { server, requests }
    }
}

/// Forwards a method of the protocol with its parameters, or one that has none.
macro_rules! forward {
    ($name:ident, $method:literal, $parameters:ty => $result:ty) => {
        async fn $name(
            &self,
            request: $parameters,
            context: RequestContext<RoleServer>,
        ) -> Result<$result, ErrorData> {
            let work = |context| self.server.$name(request, context);
            observe(&self.requests, About::Method($method), context, work).await
        }
    };
    ($name:ident, $method:literal => $result:ty) => {
        async fn $name(&self, context: RequestContext<RoleServer>) -> Result<$result, ErrorData> {
            let work = |context| self.server.$name(context);
            observe(&self.requests, About::Method($method), context, work).await
        }
    };
}

impl ServerHandler for ObservedServer {
    fn get_info(&self) -> ServerConfig {
        self.server.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.server.supported_protocol_versions()
    }

    forward!(initialize, "initialize", InitializeRequestParams => InitializeResult);
    forward!(discover, "server/discover" => DiscoverResult);
    forward!(ping, "ping" => ());
    forward!(list_tools, "tools/list", Option<PaginatedRequestParams> => ListToolsResult);
    forward!(list_resources, "resources/list", Option<PaginatedRequestParams> => ListResourcesResult);
    forward!(list_resource_templates, "resources/templates/list", Option<PaginatedRequestParams> => ListResourceTemplatesResult);
    forward!(list_prompts, "prompts/list", Option<PaginatedRequestParams> => ListPromptsResult);
    forward!(complete, "completion/complete", CompleteRequestParams => CompleteResult);
    forward!(on_custom_request, "other", CustomRequest => CustomResult);

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.server.tools().find(&request.name);
        let about = About::Tool(tool.map_or(OTHER, |tool| tool.as_str()));
        let work = |context| self.server.call_tool(request, context);
        observe(&self.requests, about, context, work).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let prompt = PromptName::named(&request.name);
        let about = About::Prompt(prompt.map_or(OTHER, PromptName::as_str));
        let work = |context| self.server.get_prompt(request, context);
        observe(&self.requests, about, context, work).await
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.clone();
        let work = |context| self.server.read_resource(request, context);
        observe(&self.requests, About::Resource(&uri), context, work).await
    }
}
