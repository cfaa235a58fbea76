//! Conversion of the SDK's types to those of `stackgen-deploy`.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_apigatewayv2::types::{self as sdk, ParameterConstraints};
use aws_smithy_types::DateTime;
use serde_json::{Map, Value as Json, json};
use stackgen_deploy::account::Properties;
use stackgen_deploy::{
    ApiId, ApiInfo, ApiProtocol, DeploymentId, DeploymentInfo, DeploymentState, OffsetDateTime,
    StageInfo, StageName,
};

/// Builder of properties under CloudFormation's names. It leaves out absent and empty values.
#[derive(Default)]
pub(crate) struct PropertiesBuilder(Properties);

impl PropertiesBuilder {
    pub(crate) fn text(mut self, key: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), Json::from(value));
        }
        self
    }

    pub(crate) fn flag(mut self, key: &str, value: Option<bool>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), Json::from(value));
        }
        self
    }

    pub(crate) fn number(mut self, key: &str, value: Option<i32>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), Json::from(value));
        }
        self
    }

    pub(crate) fn list(mut self, key: &str, value: &[String]) -> Self {
        if !value.is_empty() {
            self.0.insert(key.to_owned(), Json::from(value));
        }
        self
    }

    pub(crate) fn pairs(self, key: &str, value: Option<&HashMap<String, String>>) -> Self {
        let json = value.map(|pairs| {
            pairs
                .iter()
                .map(|(key, value)| (key.clone(), Json::from(value.as_str())))
                .collect()
        });
        self.map(key, json)
    }

    pub(crate) fn constraints(
        self,
        key: &str,
        value: Option<&HashMap<String, ParameterConstraints>>,
    ) -> Self {
        let required = |constraints: &ParameterConstraints| json!({ "Required": constraints.required().unwrap_or(false) });
        let json = value.map(|all| {
            all.iter()
                .map(|(name, one)| (name.clone(), required(one)))
                .collect()
        });
        self.map(key, json)
    }

    pub(crate) fn map(mut self, key: &str, value: Option<Map<String, Json>>) -> Self {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.insert(key.to_owned(), Json::Object(value));
        }
        self
    }

    pub(crate) fn done(self) -> Properties {
        self.0
    }
}

pub(crate) fn api(found: &sdk::Api) -> Option<ApiInfo> {
    Some(ApiInfo {
        id: ApiId::new(found.api_id()?),
        name: found.name().unwrap_or_default().to_owned(),
        protocol: protocol(found.protocol_type()),
        endpoint: found.api_endpoint().map(str::to_owned),
        endpoint_disabled: found.disable_execute_api_endpoint().unwrap_or(false),
        tags: tags(found.tags()),
    })
}

pub(crate) fn tags(found: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    found
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

pub(crate) fn protocol(found: Option<&sdk::ProtocolType>) -> ApiProtocol {
    match found {
        Some(sdk::ProtocolType::Http) => ApiProtocol::Http,
        _ => ApiProtocol::WebSocket,
    }
}

pub(crate) fn stage(
    name: Option<&str>,
    deployment: Option<&str>,
    auto_deploy: Option<bool>,
    message: Option<&str>,
) -> Option<StageInfo> {
    Some(StageInfo {
        name: StageName::new(name?),
        deployment: deployment.map(DeploymentId::new),
        auto_deploy: auto_deploy.unwrap_or(false),
        last_deployment_status_message: message
            .filter(|message| !message.is_empty())
            .map(str::to_owned),
    })
}

/// Converts a deployment. The answers of three operations have the same fields and no common type.
macro_rules! deployment {
    ($found:expr) => {
        crate::convert::deployment_of(
            $found.deployment_id(),
            $found.deployment_status(),
            $found.deployment_status_message(),
            $found.description(),
            $found.auto_deployed(),
            $found.created_date(),
        )
    };
}
pub(crate) use deployment;

pub(crate) fn deployment_of(
    id: Option<&str>,
    status: Option<&sdk::DeploymentStatus>,
    message: Option<&str>,
    description: Option<&str>,
    auto_deployed: Option<bool>,
    created: Option<&DateTime>,
) -> Option<DeploymentInfo> {
    Some(DeploymentInfo {
        id: DeploymentId::new(id?),
        status: match status {
            Some(sdk::DeploymentStatus::Deployed) => DeploymentState::Deployed,
            Some(sdk::DeploymentStatus::Failed) => DeploymentState::Failed,
            _ => DeploymentState::Pending,
        },
        message: message
            .filter(|message| !message.is_empty())
            .map(str::to_owned),
        description: description.map(str::to_owned),
        auto_deployed: auto_deployed.unwrap_or(false),
        created: created_at(created),
    })
}

/// Returns a text unless it is empty. Emulators return empty texts where AWS returns none.
pub(crate) fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Converts a time; `None` for one out of range.
pub(crate) fn time(time: &DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(time.as_nanos()).ok()
}

/// Converts a time. Without one, or with one out of range, returns 1970-01-01.
fn created_at(time: Option<&DateTime>) -> OffsetDateTime {
    let seconds = time.map_or(0, DateTime::secs);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
