//! Names of the resources of the stack's two APIs.

/// Names of an API's resources.
#[derive(Clone, Copy)]
pub(super) struct ApiNames {
    /// Section of stackgen.yaml.
    pub(super) section: &'static str,
    /// Logical ID of the API.
    pub(super) id: &'static str,
    /// Prefix of the logical IDs of deployment, stage and domain.
    prefix: &'static str,
}

impl ApiNames {
    pub(super) const WEBSOCKET: ApiNames = ApiNames {
        section: "websocket",
        id: "WebSocketApi",
        prefix: "WebSocket",
    };
    pub(super) const HTTP: ApiNames = ApiNames {
        section: "http",
        id: "HttpApi",
        prefix: "Http",
    };

    pub(super) fn is_http(self) -> bool {
        self.section == Self::HTTP.section
    }

    /// Logical ID of the deployment without the digest. It is a placeholder in a template under construction.
    pub(super) fn deployment_id(self) -> String {
        format!("{}Deployment", self.prefix)
    }

    pub(super) fn deployment_output_id(self) -> String {
        format!("{}DeploymentId", self.prefix)
    }

    pub(super) fn stage_id(self) -> String {
        format!("{}Stage", self.prefix)
    }

    pub(super) fn invoke_role_id(self) -> String {
        format!("{}InvokeRole", self.prefix)
    }

    pub(super) fn log_group_id(self) -> String {
        format!("{}AccessLogGroup", self.prefix)
    }

    /// Name of the access log's log group. An HTTP API writes it by log delivery, which adds every log group outside
    /// `/aws/vendedlogs` to one resource policy of the account, and that policy has a size limit.
    pub(super) fn log_group_name(self, api: &str) -> String {
        match self.is_http() {
            true => format!("/aws/vendedlogs/apigateway/{api}"),
            false => format!("/aws/apigateway/{api}"),
        }
    }

    pub(super) fn domain_name_id(self) -> String {
        format!("{}DomainName", self.prefix)
    }

    pub(super) fn api_mapping_id(self) -> String {
        format!("{}ApiMapping", self.prefix)
    }

    pub(super) fn record_id(self) -> String {
        format!("{}Record", self.prefix)
    }

    pub(super) fn domain_target_output_id(self) -> String {
        format!("{}DomainTarget", self.prefix)
    }
}
