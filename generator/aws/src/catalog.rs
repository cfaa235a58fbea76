//! Which APIs and stages there are.

use stackgen_deploy::account::{AccountRegion, ApiDescription};
use stackgen_deploy::{
    AccountError, Api, ApiCatalog, ApiId, DomainMapping, Protocol, Stage, StageName,
};

use crate::error::Call;
use crate::{Aws, convert};

type Answer<T> = Result<T, AccountError>;

/// The largest number of pages of one list. API Gateway's quotas allow far fewer.
const MOST_PAGES: usize = 1_000;

/// Returns the items of every page of a list. A list is whole once the service gives no further token.
pub(crate) async fn pages<T, F>(
    call: &Call,
    mut page: impl FnMut(Option<String>) -> F,
) -> Answer<Vec<T>>
where
    F: Future<Output = Answer<(Vec<T>, Option<String>)>>,
{
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (items, next) = page(token.clone()).await?;
        all.extend(items);
        let next = next.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(all);
        }
        if next == token {
            return Err(call.endless());
        }
        token = next;
    }
    Err(call.endless())
}

impl ApiCatalog for Aws {
    async fn place(&self) -> Answer<AccountRegion> {
        self.place().await
    }

    async fn apis(&self) -> Answer<Vec<Api>> {
        let call = Call::new("GetApis", "apigateway:GET on /apis");
        let found = pages(&call, |token| async {
            let page = call.answer(self.gateway.get_apis().set_next_token(token).send().await)?;
            // API Gateway always lists something: an answer without a list is another server's.
            let items = page.items.ok_or_else(|| call.lacks("items"))?;
            Ok((items, page.next_token))
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
        let found = pages(&call, |token| async {
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

    async fn mappings(&self, api: &ApiId) -> Answer<Vec<DomainMapping>> {
        let call = Call::new("GetDomainNames", "apigateway:GET on /domainnames");
        let domains = pages(&call, |token| async {
            let page = self.gateway.get_domain_names().set_next_token(token);
            let page = call.answer(page.send().await)?;
            Ok((page.items.unwrap_or_default(), page.next_token))
        });
        let mut found = Vec::new();
        for domain in domains.await? {
            let Some(name) = domain.domain_name() else {
                continue;
            };
            let permission = format!("apigateway:GET on /domainnames/{name}/apimappings");
            let call = Call::new("GetApiMappings", permission);
            let mappings = pages(&call, |token| async {
                let page = self.gateway.get_api_mappings().domain_name(name);
                let page = call.answer(page.set_next_token(token).send().await)?;
                Ok((page.items.unwrap_or_default(), page.next_token))
            });
            let mappings = mappings.await?.into_iter();
            let of_api = mappings.filter(|mapping| mapping.api_id() == Some(api.as_str()));
            found.extend(of_api.filter_map(|mapping| {
                Some(DomainMapping {
                    domain: name.to_owned(),
                    key: mapping.api_mapping_key().map(str::to_owned),
                    stage: StageName::new(mapping.stage()?),
                    mutual_tls: domain.mutual_tls_authentication().is_some(),
                })
            }));
        }
        Ok(found)
    }

    async fn describe(&self, api: &ApiId) -> Answer<ApiDescription> {
        self.wiring(api).await
    }
}
