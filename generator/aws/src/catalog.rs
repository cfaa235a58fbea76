//! Which APIs and stages there are.

use stackgen_deploy::account::{AccountRegion, ApiDescription};
use stackgen_deploy::{AccountError, Api, ApiCatalog, ApiId, Protocol, Stage};

use crate::error::Call;
use crate::{Aws, convert};

type Answer<T> = Result<T, AccountError>;

/// Every page of a list; no answer is a whole one until the service gives no further token.
pub(crate) async fn pages<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Answer<Vec<T>>
where
    F: Future<Output = Answer<(Vec<T>, Option<String>)>>,
{
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let (items, next) = page(token).await?;
        all.extend(items);
        token = next.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(all);
        }
    }
}

impl ApiCatalog for Aws {
    async fn place(&self) -> Answer<AccountRegion> {
        self.place().await
    }

    async fn apis(&self) -> Answer<Vec<Api>> {
        let call = Call::new("GetApis", "apigateway:GET on /apis");
        let found = pages(|token| async {
            let page = call.answer(self.gateway.get_apis().set_next_token(token).send().await)?;
            Ok((page.items.unwrap_or_default(), page.next_token))
        });
        Ok(found.await?.iter().filter_map(convert::api).collect())
    }

    async fn api(&self, api: &ApiId) -> Answer<Api> {
        let call = Call::new("GetApi", format!("apigateway:GET on /apis/{api}"));
        let found = call.answer(self.gateway.get_api().api_id(api.as_str()).send().await)?;
        Ok(Api {
            id: api.clone(),
            name: found.name().unwrap_or_default().to_owned(),
            protocol: match found.protocol_type() {
                Some(aws_sdk_apigatewayv2::types::ProtocolType::Http) => Protocol::Http,
                _ => Protocol::WebSocket,
            },
            endpoint: found.api_endpoint().map(str::to_owned),
            endpoint_disabled: found.disable_execute_api_endpoint().unwrap_or(false),
        })
    }

    async fn stages(&self, api: &ApiId) -> Answer<Vec<Stage>> {
        let call = Call::new("GetStages", format!("apigateway:GET on /apis/{api}/stages"));
        let found = pages(|token| async {
            let page = self
                .gateway
                .get_stages()
                .api_id(api.as_str())
                .set_next_token(token);
            let page = call.answer(page.send().await)?;
            Ok((page.items.unwrap_or_default(), page.next_token))
        });
        let stages = found.await?;
        let stages = stages.iter().filter_map(|stage| {
            convert::stage(
                stage.stage_name(),
                stage.deployment_id(),
                stage.auto_deploy(),
            )
        });
        Ok(stages.collect())
    }

    async fn describe(&self, api: &ApiId) -> Answer<ApiDescription> {
        self.wiring(api).await
    }
}
