//! The account: calls to API Gateway, Lambda and STS.

use aws_sdk_apigatewayv2::operation::get_api::GetApiOutput;
use aws_smithy_types::Blob;
use stackgen_deploy::account::{AccountRegion, ApiPart, ApiPartKind, Properties};
use stackgen_deploy::{
    Account, AccountResult, ApiId, ApiInfo, CalledVersion, CustomDomain, DeploymentId,
    DeploymentInfo, DomainMapping, FunctionName, FunctionState, FunctionVersion, PublishedVersion,
    StageInfo, StageName,
};

use crate::Aws;
use crate::convert::{self, deployment};
use crate::operation::AwsOperation;
use crate::pages::pages;
use crate::permissions::AwsCall;
use crate::{lambda, parts};

impl Account for Aws {
    async fn account_region(&self) -> AccountResult<AccountRegion> {
        self.caller_region().await
    }

    async fn apis(&self) -> AccountResult<Vec<ApiInfo>> {
        let operation = AwsOperation::gateway(AwsCall::GetApis, "/apis");
        let found = pages(&operation, |token| async {
            let page = self.gateway.get_apis().set_next_token(token).send().await;
            let page = operation.result(page)?;
            Ok((operation.items(page.items)?, page.next_token))
        });
        Ok(found.await?.iter().filter_map(convert::api).collect())
    }

    async fn api(&self, api: &ApiId) -> AccountResult<ApiInfo> {
        let found = self.get_api(api).await?;
        Ok(ApiInfo {
            id: api.clone(),
            name: found.name().unwrap_or_default().to_owned(),
            protocol: convert::protocol(found.protocol_type()),
            endpoint: found.api_endpoint().map(str::to_owned),
            endpoint_disabled: found.disable_execute_api_endpoint().unwrap_or(false),
            tags: convert::tags(found.tags()),
        })
    }

    async fn api_properties(&self, api: &ApiId) -> AccountResult<Properties> {
        Ok(parts::api(&self.get_api(api).await?))
    }

    async fn parts(
        &self,
        api: &ApiId,
        kind: ApiPartKind,
        parent: Option<&str>,
    ) -> AccountResult<Vec<ApiPart>> {
        let parent = parent.unwrap_or_default();
        match kind {
            ApiPartKind::Authorizer => self.get_authorizers(api).await,
            ApiPartKind::Integration => self.get_integrations(api).await,
            ApiPartKind::IntegrationResponse => self.get_integration_responses(api, parent).await,
            ApiPartKind::Model => self.get_models(api).await,
            ApiPartKind::Route => self.get_routes(api).await,
            ApiPartKind::RouteResponse => self.get_route_responses(api, parent).await,
        }
    }

    async fn custom_domains(&self) -> AccountResult<Vec<CustomDomain>> {
        let operation = AwsOperation::gateway(AwsCall::GetDomainNames, "/domainnames");
        let found = pages(&operation, |token| async {
            let page = self.gateway.get_domain_names().set_next_token(token);
            let page = operation.result(page.send().await)?;
            Ok((operation.items(page.items)?, page.next_token))
        });
        let found = found.await?;
        let domains = found.iter().filter_map(|domain| {
            Some(CustomDomain {
                name: domain.domain_name()?.to_owned(),
                mutual_tls: domain.mutual_tls_authentication().is_some(),
            })
        });
        Ok(domains.collect())
    }

    async fn mappings(&self, domain: &str, api: &ApiId) -> AccountResult<Vec<DomainMapping>> {
        let found = self.all_mappings(domain).await?;
        let of_api = found
            .iter()
            .filter(|mapping| mapping.api_id() == Some(api.as_str()));
        let mappings = of_api.filter_map(|mapping| {
            Some(DomainMapping {
                key: mapping.api_mapping_key().map(str::to_owned),
                stage: StageName::new(mapping.stage()?),
            })
        });
        Ok(mappings.collect())
    }

    async fn stages(&self, api: &ApiId) -> AccountResult<Vec<StageInfo>> {
        let operation = AwsOperation::gateway(AwsCall::GetStages, format!("/apis/{api}/stages"));
        let found = pages(&operation, |token| async {
            let page = self.gateway.get_stages().api_id(api.as_str());
            let page = operation.result(page.set_next_token(token).send().await)?;
            Ok((operation.items(page.items)?, page.next_token))
        });
        let found = found.await?;
        let stages = found.iter().filter_map(|stage| {
            let (name, deployment) = (stage.stage_name(), stage.deployment_id());
            let message = stage.last_deployment_status_message();
            convert::stage(name, deployment, stage.auto_deploy(), message)
        });
        Ok(stages.collect())
    }

    async fn stage(&self, api: &ApiId, name: &StageName) -> AccountResult<StageInfo> {
        let path = format!("/apis/{api}/stages/{name}");
        let operation = AwsOperation::gateway(AwsCall::GetStage, path);
        let request = self.gateway.get_stage().api_id(api.as_str());
        let found = operation.result(request.stage_name(name.as_str()).send().await)?;
        let (name, deployment) = (found.stage_name(), found.deployment_id());
        let message = found.last_deployment_status_message();
        let stage = convert::stage(name, deployment, found.auto_deploy(), message);
        stage.ok_or_else(|| operation.lacks("stage name"))
    }

    async fn activate(
        &self,
        api: &ApiId,
        name: &StageName,
        deployment: &DeploymentId,
    ) -> AccountResult<()> {
        let path = format!("/apis/{api}/stages/{name}");
        let operation = AwsOperation::gateway(AwsCall::UpdateStage, path);
        let request = self.gateway.update_stage().api_id(api.as_str());
        let request = request.stage_name(name.as_str());
        let request = request.deployment_id(deployment.as_str());
        operation.result(request.send().await).map(drop)
    }

    async fn deployments(&self, api: &ApiId) -> AccountResult<Vec<DeploymentInfo>> {
        let path = format!("/apis/{api}/deployments");
        let operation = AwsOperation::gateway(AwsCall::GetDeployments, path);
        let found = pages(&operation, |token| async {
            let page = self.gateway.get_deployments().api_id(api.as_str());
            let page = operation.result(page.set_next_token(token).send().await)?;
            Ok((operation.items(page.items)?, page.next_token))
        });
        let found = found.await?;
        Ok(found.iter().filter_map(|one| deployment!(one)).collect())
    }

    async fn deployment(&self, api: &ApiId, id: &DeploymentId) -> AccountResult<DeploymentInfo> {
        let path = format!("/apis/{api}/deployments/{id}");
        let operation = AwsOperation::gateway(AwsCall::GetDeployment, path);
        let request = self.gateway.get_deployment().api_id(api.as_str());
        let found = operation.result(request.deployment_id(id.as_str()).send().await)?;
        deployment!(found).ok_or_else(|| operation.lacks("deployment id"))
    }

    async fn create_deployment(
        &self,
        api: &ApiId,
        description: &str,
    ) -> AccountResult<DeploymentInfo> {
        let path = format!("/apis/{api}/deployments");
        let operation = AwsOperation::gateway(AwsCall::CreateDeployment, path);
        let request = self.gateway.create_deployment().api_id(api.as_str());
        let created = operation.result(request.description(description).send().await)?;
        deployment!(created).ok_or_else(|| operation.lacks("deployment id"))
    }

    async fn update_description(
        &self,
        api: &ApiId,
        id: &DeploymentId,
        description: &str,
    ) -> AccountResult<()> {
        let path = format!("/apis/{api}/deployments/{id}");
        let operation = AwsOperation::gateway(AwsCall::UpdateDeployment, path);
        let request = self.gateway.update_deployment().api_id(api.as_str());
        let request = request.deployment_id(id.as_str()).description(description);
        operation.result(request.send().await).map(drop)
    }

    async fn delete_deployment(&self, api: &ApiId, id: &DeploymentId) -> AccountResult<()> {
        let path = format!("/apis/{api}/deployments/{id}");
        let operation = AwsOperation::gateway(AwsCall::DeleteDeployment, path);
        let request = self.gateway.delete_deployment().api_id(api.as_str());
        let request = request.deployment_id(id.as_str());
        operation.result(request.send().await).map(drop)
    }

    async fn function(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> AccountResult<FunctionState> {
        let operation = AwsOperation::lambda(AwsCall::GetFunctionConfiguration, name);
        let request = self.lambda.get_function_configuration();
        let request = request.function_name(name.as_str());
        let request = request.set_qualifier(version.map(ToString::to_string));
        let found = operation.result(request.send().await)?;
        lambda::state(&found).ok_or_else(|| operation.lacks("CodeSha256"))
    }

    async fn update_code(
        &self,
        name: &FunctionName,
        revision: Option<&str>,
        zip: &[u8],
    ) -> AccountResult<()> {
        let operation = AwsOperation::lambda(AwsCall::UpdateFunctionCode, name);
        let request = self.lambda.update_function_code();
        let request = request
            .function_name(name.as_str())
            .set_revision_id(revision.map(str::to_owned))
            .zip_file(Blob::new(zip));
        operation.result(request.send().await).map(drop)
    }

    async fn publish_version(
        &self,
        name: &FunctionName,
        code_sha256: &str,
    ) -> AccountResult<FunctionVersion> {
        let operation = AwsOperation::lambda(AwsCall::PublishVersion, name);
        let request = self.lambda.publish_version().function_name(name.as_str());
        let published = operation.result(request.code_sha256(code_sha256).send().await)?;
        let version = published
            .version()
            .ok_or_else(|| operation.lacks("version"))?;
        Ok(FunctionVersion::new(version))
    }

    async fn versions(&self, name: &FunctionName) -> AccountResult<Vec<PublishedVersion>> {
        let operation = AwsOperation::lambda(AwsCall::ListVersionsByFunction, name);
        let found = pages(&operation, |marker| async {
            let request = self.lambda.list_versions_by_function();
            let request = request.function_name(name.as_str()).set_marker(marker);
            let page = operation.result(request.send().await)?;
            Ok((page.versions.unwrap_or_default(), page.next_marker))
        });
        let found = found.await?;
        Ok(found.iter().filter_map(lambda::published).collect())
    }

    async fn delete_version(&self, version: &CalledVersion) -> AccountResult<()> {
        let operation = AwsOperation::lambda(AwsCall::DeleteFunction, &version.function);
        let request = self.lambda.delete_function();
        let request = request
            .function_name(version.function.as_str())
            .qualifier(version.version.as_str());
        operation.result(request.send().await).map(drop)
    }

    async fn set_integration_uri(
        &self,
        api: &ApiId,
        integration: &str,
        uri: &str,
    ) -> AccountResult<()> {
        let path = format!("/apis/{api}/integrations/{integration}");
        let operation = AwsOperation::gateway(AwsCall::UpdateIntegration, path);
        let request = self.gateway.update_integration().api_id(api.as_str());
        let request = request.integration_id(integration).integration_uri(uri);
        operation.result(request.send().await).map(drop)
    }

    async fn set_authorizer_uri(
        &self,
        api: &ApiId,
        authorizer: &str,
        uri: &str,
    ) -> AccountResult<()> {
        let path = format!("/apis/{api}/authorizers/{authorizer}");
        let operation = AwsOperation::gateway(AwsCall::UpdateAuthorizer, path);
        let request = self.gateway.update_authorizer().api_id(api.as_str());
        let request = request.authorizer_id(authorizer).authorizer_uri(uri);
        operation.result(request.send().await).map(drop)
    }
}

impl Aws {
    async fn get_api(&self, api: &ApiId) -> AccountResult<GetApiOutput> {
        let operation = AwsOperation::gateway(AwsCall::GetApi, format!("/apis/{api}"));
        let request = self.gateway.get_api().api_id(api.as_str());
        operation.result(request.send().await)
    }
}
