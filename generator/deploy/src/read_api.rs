//! Reading an API from an account.

use serde_json::Value as Json;

use crate::account::{ApiDescription, ApiPart, ApiPartKind, Properties};
use crate::retry::OperationContext;
use crate::{Account, ApiId, DeployError};

impl ApiDescription {
    /// Reads everything of an API that a deployment would snapshot now (row D1).
    ///
    /// Calls are scarce (row D15), so a failure repeats one list and not all of them. Responses, which take a call for
    /// each route or integration, are read only where they have an effect: for routes that select one (row M8), and for
    /// integrations that are not proxies. Models are read only if a route or a response names one: emulators and narrow
    /// policies often lack GetModels.
    ///
    /// # Errors
    ///
    /// See [`DeployError`].
    pub async fn read(
        account: &impl Account,
        api: &ApiId,
        ctx: OperationContext<'_>,
    ) -> Result<ApiDescription, DeployError> {
        let properties = ctx.read(|| account.api_properties(api)).await?;
        let lists = ApiLists { account, api, ctx };
        let parts = match is_websocket(&properties) {
            true => lists.websocket().await?,
            false => lists.http().await?,
        };
        Ok(ApiDescription {
            api: properties,
            parts,
        })
    }
}

fn is_websocket(api: &Properties) -> bool {
    api.get("ProtocolType").and_then(Json::as_str) != Some("HTTP")
}

/// The lists of an API's parts.
struct ApiLists<'a, A> {
    account: &'a A,
    api: &'a ApiId,
    ctx: OperationContext<'a>,
}

impl<A: Account> ApiLists<'_, A> {
    async fn websocket(&self) -> Result<Vec<ApiPart>, DeployError> {
        let mut parts = Vec::new();
        for route in self.list(ApiPartKind::Route, None).await? {
            if route.text("RouteResponseSelectionExpression").is_some() {
                parts.extend(
                    self.list(ApiPartKind::RouteResponse, Some(&route.id))
                        .await?,
                );
            }
            parts.push(route);
        }
        for integration in self.list(ApiPartKind::Integration, None).await? {
            if !is_proxy(&integration) {
                let kind = ApiPartKind::IntegrationResponse;
                parts.extend(self.list(kind, Some(&integration.id)).await?);
            }
            parts.push(integration);
        }
        parts.extend(self.list(ApiPartKind::Authorizer, None).await?);
        if parts.iter().any(names_model) {
            parts.extend(self.list(ApiPartKind::Model, None).await?);
        }
        Ok(parts)
    }

    async fn http(&self) -> Result<Vec<ApiPart>, DeployError> {
        let mut parts = Vec::new();
        for kind in [
            ApiPartKind::Route,
            ApiPartKind::Integration,
            ApiPartKind::Authorizer,
        ] {
            parts.extend(self.list(kind, None).await?);
        }
        Ok(parts)
    }

    async fn list(
        &self,
        kind: ApiPartKind,
        parent: Option<&str>,
    ) -> Result<Vec<ApiPart>, DeployError> {
        let (account, api) = (self.account, self.api);
        self.ctx.read(|| account.parts(api, kind, parent)).await
    }
}

fn is_proxy(integration: &ApiPart) -> bool {
    matches!(
        integration.text("IntegrationType"),
        Some("AWS_PROXY" | "HTTP_PROXY")
    )
}

/// True for a route or a response that names models. The digest of an API without any leaves out its models.
fn names_model(part: &ApiPart) -> bool {
    stackgen_model::MODEL_PROPERTIES.iter().any(|property| {
        let named = part.properties.get(*property).and_then(Json::as_object);
        named.is_some_and(|models| !models.is_empty())
    })
}
