//! Deployments and stages.
//!
//! The SDK repeats no call that makes a deployment or moves a stage: whether the first one arrived is found out by
//! looking, by the engine.

use aws_sdk_apigatewayv2::config::Builder;
use aws_smithy_types::retry::RetryConfig;
use stackgen_deploy::{
    AccountError, ApiId, Deployment, DeploymentId, DeploymentStore, Stage, StageActivator,
    StageName,
};

use crate::Aws;
use crate::catalog::pages;
use crate::convert::{self, deployment};
use crate::error::Call;

type Answer<T> = Result<T, AccountError>;

fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

impl DeploymentStore for Aws {
    async fn deployments(&self, api: &ApiId) -> Answer<Vec<Deployment>> {
        let call = Call::new(
            "GetDeployments",
            format!("apigateway:GET on /apis/{api}/deployments"),
        );
        let found = pages(&call, |token| async {
            let page = self
                .gateway
                .get_deployments()
                .api_id(api.as_str())
                .set_next_token(token);
            let page = call.answer(page.send().await)?;
            Ok((page.items.unwrap_or_default(), page.next_token))
        });
        Ok(found
            .await?
            .iter()
            .filter_map(|found| deployment!(found))
            .collect())
    }

    async fn deployment(&self, api: &ApiId, id: &DeploymentId) -> Answer<Deployment> {
        let call = Call::new(
            "GetDeployment",
            format!("apigateway:GET on /apis/{api}/deployments/{id}"),
        );
        let request = self
            .gateway
            .get_deployment()
            .api_id(api.as_str())
            .deployment_id(id.as_str());
        let found = call.answer(request.send().await)?;
        deployment!(found).ok_or_else(|| call.lacks("deployment id"))
    }

    async fn create(&self, api: &ApiId, description: &str) -> Answer<Deployment> {
        let call = Call::new(
            "CreateDeployment",
            format!("apigateway:POST on /apis/{api}/deployments"),
        );
        let request = self
            .gateway
            .create_deployment()
            .api_id(api.as_str())
            .description(description);
        let made = call.answer(request.customize().config_override(once()).send().await)?;
        deployment!(made).ok_or_else(|| call.lacks("deployment id"))
    }

    async fn update_description(
        &self,
        api: &ApiId,
        id: &DeploymentId,
        description: &str,
    ) -> Answer<()> {
        let call = Call::new(
            "UpdateDeployment",
            format!("apigateway:PATCH on /apis/{api}/deployments/{id}"),
        );
        let request = self
            .gateway
            .update_deployment()
            .api_id(api.as_str())
            .deployment_id(id.as_str());
        call.answer(request.description(description).send().await)
            .map(drop)
    }

    async fn delete(&self, api: &ApiId, id: &DeploymentId) -> Answer<()> {
        let call = Call::new(
            "DeleteDeployment",
            format!("apigateway:DELETE on /apis/{api}/deployments/{id}"),
        );
        let request = self
            .gateway
            .delete_deployment()
            .api_id(api.as_str())
            .deployment_id(id.as_str());
        call.answer(request.send().await).map(drop)
    }
}

impl StageActivator for Aws {
    async fn stage(&self, api: &ApiId, name: &StageName) -> Answer<Stage> {
        let call = Call::new(
            "GetStage",
            format!("apigateway:GET on /apis/{api}/stages/{name}"),
        );
        let request = self
            .gateway
            .get_stage()
            .api_id(api.as_str())
            .stage_name(name.as_str());
        let found = call.answer(request.send().await)?;
        let stage = convert::stage(
            found.stage_name(),
            found.deployment_id(),
            found.auto_deploy(),
        );
        stage.ok_or_else(|| call.lacks("stage name"))
    }

    async fn activate(
        &self,
        api: &ApiId,
        name: &StageName,
        deployment: &DeploymentId,
    ) -> Answer<()> {
        let call = Call::new(
            "UpdateStage",
            format!("apigateway:PATCH on /apis/{api}/stages/{name}"),
        );
        let request = self
            .gateway
            .update_stage()
            .api_id(api.as_str())
            .stage_name(name.as_str());
        let request = request
            .deployment_id(deployment.as_str())
            .customize()
            .config_override(once());
        call.answer(request.send().await).map(drop)
    }
}
