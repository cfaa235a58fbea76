//! The calls of the account in memory.

use serde_json::Value as Json;
use stackgen_deploy::account::{AccountRegion, ApiPart, ApiPartKind, Properties};
use stackgen_deploy::{
    Account, AccountErrorKind, AccountResult, ApiId, ApiInfo, CalledVersion, CustomDomain,
    DeploymentId, DeploymentInfo, DeploymentState, DomainMapping, FunctionName, FunctionState,
    FunctionVersion, PublishedVersion, StageInfo, StageName, UpdateStatus,
};

use super::{Memory, MemoryState, account_region, by_hand, refused};
use crate::support::at;

impl Account for Memory {
    async fn account_region(&self) -> AccountResult<AccountRegion> {
        self.call("GetCallerIdentity", |_| Ok(account_region()))
            .await
    }

    async fn apis(&self) -> AccountResult<Vec<ApiInfo>> {
        self.call("GetApis", |_| Ok(vec![Memory::api()])).await
    }

    async fn api(&self, _: &ApiId) -> AccountResult<ApiInfo> {
        self.call("GetApi", |_| Ok(Memory::api())).await
    }

    async fn stages(&self, _: &ApiId) -> AccountResult<Vec<StageInfo>> {
        self.call("GetStages", |state| {
            state.progress_auto_deploy();
            Ok(vec![state.stage.clone()])
        })
        .await
    }

    async fn custom_domains(&self) -> AccountResult<Vec<CustomDomain>> {
        let domains = |state: &mut MemoryState| {
            Ok(state
                .domains
                .iter()
                .map(|(domain, _)| domain.clone())
                .collect())
        };
        self.call("GetDomainNames", domains).await
    }

    async fn mappings(&self, domain: &str, _: &ApiId) -> AccountResult<Vec<DomainMapping>> {
        self.call("GetApiMappings", |state| {
            let mut domains = state.domains.iter();
            let found = domains.find(|(custom, _)| custom.name == domain);
            Ok(found.map_or_else(Vec::new, |(_, mappings)| mappings.clone()))
        })
        .await
    }

    async fn api_properties(&self, _: &ApiId) -> AccountResult<Properties> {
        self.call("GetApi", |state| Ok(state.description.api.clone()))
            .await
    }

    async fn parts(
        &self,
        _: &ApiId,
        kind: ApiPartKind,
        parent: Option<&str>,
    ) -> AccountResult<Vec<ApiPart>> {
        let operation = match kind {
            ApiPartKind::Authorizer => "GetAuthorizers",
            ApiPartKind::Integration => "GetIntegrations",
            ApiPartKind::IntegrationResponse => "GetIntegrationResponses",
            ApiPartKind::Model => "GetModels",
            ApiPartKind::Route => "GetRoutes",
            ApiPartKind::RouteResponse => "GetRouteResponses",
        };
        self.call(operation, |state| {
            let parts = state.description.parts.iter();
            let listed = parts.filter(|part| part.kind == kind && part.parent.as_deref() == parent);
            Ok(listed.cloned().collect())
        })
        .await
    }

    async fn deployments(&self, _: &ApiId) -> AccountResult<Vec<DeploymentInfo>> {
        let all = |state: &mut MemoryState| {
            Ok(state
                .deployments
                .iter()
                .map(|(one, _)| one.clone())
                .collect())
        };
        self.call("GetDeployments", all).await
    }

    async fn deployment(&self, _: &ApiId, id: &DeploymentId) -> AccountResult<DeploymentInfo> {
        self.call("GetDeployment", |state| {
            let ready = self.ready(state.pending);
            let becomes = state.becomes;
            let found = state.deployments.iter_mut().find(|(one, _)| one.id == *id);
            let (found, _) = found
                .ok_or_else(|| refused("GetDeployment", AccountErrorKind::NotFound, "no such"))?;
            if found.status == DeploymentState::Pending && ready {
                found.status = becomes;
                found.message = (becomes == DeploymentState::Failed).then(|| "no".to_owned());
            }
            Ok(found.clone())
        })
        .await
    }

    async fn create_deployment(
        &self,
        _: &ApiId,
        description: &str,
    ) -> AccountResult<DeploymentInfo> {
        self.call("CreateDeployment", |state| {
            state.made += 1;
            let status = match state.pending {
                0 => state.becomes,
                _ => DeploymentState::Pending,
            };
            self.reads.set(0);
            let made = DeploymentInfo {
                id: DeploymentId::new(format!("new{}", state.made)),
                status,
                description: Some(description.to_owned()),
                ..by_hand("", 2_000 + i64::from(state.made))
            };
            state
                .deployments
                .push((made.clone(), state.description.clone()));
            Ok(made)
        })
        .await
    }

    async fn update_description(
        &self,
        _: &ApiId,
        id: &DeploymentId,
        description: &str,
    ) -> AccountResult<()> {
        self.call("UpdateDeployment", |state| {
            // Another pipeline may have deleted it.
            let found = state.deployments.iter_mut().find(|(one, _)| one.id == *id);
            let (found, _) = found.ok_or_else(|| {
                refused("UpdateDeployment", AccountErrorKind::NotFound, "no such")
            })?;
            found.description = Some(description.to_owned());
            Ok(())
        })
        .await
    }

    async fn delete_deployment(&self, _: &ApiId, id: &DeploymentId) -> AccountResult<()> {
        self.call("DeleteDeployment", |state| {
            if state.stage.deployment.as_ref() == Some(id) {
                let message = "Active stages pointing to this deployment must be moved or deleted";
                return Err(refused(
                    "DeleteDeployment",
                    AccountErrorKind::Refused,
                    message,
                ));
            }
            state.deployments.retain(|(one, _)| one.id != *id);
            Ok(())
        })
        .await
    }

    async fn stage(&self, _: &ApiId, _: &StageName) -> AccountResult<StageInfo> {
        self.call("GetStage", |state| Ok(state.stage.clone())).await
    }

    async fn activate(
        &self,
        _: &ApiId,
        _: &StageName,
        deployment: &DeploymentId,
    ) -> AccountResult<()> {
        self.call("UpdateStage", |state| {
            let is_there = state
                .deployments
                .iter()
                .any(|(one, _)| one.id == *deployment);
            if !is_there {
                let message = "Invalid deployment identifier specified";
                return Err(refused("UpdateStage", AccountErrorKind::NotFound, message));
            }
            if !state.frozen_stage {
                state.stage.deployment = Some(deployment.clone());
            }
            Ok(())
        })
        .await
    }

    async fn function(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> AccountResult<FunctionState> {
        self.call("GetFunctionConfiguration", |state| {
            let missing = || {
                refused(
                    "GetFunctionConfiguration",
                    AccountErrorKind::NotFound,
                    "no such",
                )
            };
            let function = state.functions.get_mut(name).ok_or_else(missing)?;
            let update = match function.updating {
                0 => UpdateStatus::Successful,
                _ => UpdateStatus::InProgress,
            };
            function.updating = function.updating.saturating_sub(1);
            let number = version.map(|version| version.as_str().parse::<usize>().unwrap());
            let (code_sha256, configuration) = match number {
                None => (function.code.clone(), function.configuration),
                Some(number) => function
                    .versions
                    .get(number - 1)
                    .cloned()
                    .ok_or_else(missing)?,
            };
            Ok(FunctionState {
                code_sha256,
                configuration,
                update,
                revision: Some(function.revision.to_string()),
            })
        })
        .await
    }

    async fn update_code(
        &self,
        name: &FunctionName,
        revision: Option<&str>,
        zip: &[u8],
    ) -> AccountResult<()> {
        self.call("UpdateFunctionCode", |state| {
            let function = state.functions.get_mut(name).unwrap();
            if revision.is_some_and(|revision| revision != function.revision.to_string()) {
                let message = "The RevisionId provided does not match the latest RevisionId";
                return Err(refused(
                    "UpdateFunctionCode",
                    AccountErrorKind::Outdated,
                    message,
                ));
            }
            function.revision += 1;
            function.code = String::from_utf8(zip.to_vec()).unwrap();
            function.updating = 2;
            Ok(())
        })
        .await
    }

    async fn publish_version(
        &self,
        name: &FunctionName,
        code_sha256: &str,
    ) -> AccountResult<FunctionVersion> {
        self.call("PublishVersion", |state| {
            let function = state.functions.get_mut(name).unwrap();
            if function.code != code_sha256 {
                let message = "CodeSHA256 is different from current CodeSHA256 in $LATEST";
                return Err(refused(
                    "PublishVersion",
                    AccountErrorKind::Refused,
                    message,
                ));
            }
            let latest = (function.code.clone(), function.configuration);
            // Row D17.
            if function.versions.last() != Some(&latest) {
                function.versions.push(latest);
            }
            Ok(FunctionVersion::new(function.versions.len().to_string()))
        })
        .await
    }

    async fn versions(&self, name: &FunctionName) -> AccountResult<Vec<PublishedVersion>> {
        self.call("ListVersionsByFunction", |state| {
            let count = state.functions[name].versions.len();
            let number = |index: usize| PublishedVersion {
                version: FunctionVersion::new((index + 1).to_string()),
                published: at(1_500 + 100 * i64::try_from(index).unwrap()),
            };
            Ok((0..count).map(number).collect())
        })
        .await
    }

    async fn delete_version(&self, version: &CalledVersion) -> AccountResult<()> {
        self.call("DeleteFunction", |state| {
            state.deleted_versions.push(version.to_string());
            Ok(())
        })
        .await
    }

    async fn set_integration_uri(
        &self,
        _: &ApiId,
        integration: &str,
        uri: &str,
    ) -> AccountResult<()> {
        self.call("UpdateIntegration", |state| {
            let part = state
                .description
                .parts
                .iter_mut()
                .find(|part| part.id == integration);
            part.unwrap()
                .properties
                .insert("IntegrationUri".to_owned(), Json::from(uri));
            Ok(())
        })
        .await
    }

    async fn set_authorizer_uri(
        &self,
        _: &ApiId,
        authorizer: &str,
        uri: &str,
    ) -> AccountResult<()> {
        self.call("UpdateAuthorizer", |state| {
            let part = state
                .description
                .parts
                .iter_mut()
                .find(|part| part.id == authorizer);
            part.unwrap()
                .properties
                .insert("AuthorizerUri".to_owned(), Json::from(uri));
            Ok(())
        })
        .await
    }
}
