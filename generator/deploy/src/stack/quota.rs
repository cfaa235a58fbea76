//! Quotas of AWS that a deploy may exceed, with their sources.

use std::fmt;

/// Value of a quota, and how much of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaUsage {
    /// The use.
    pub used: u64,
    /// The quota.
    pub limit: u64,
}

/// A quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Resources of a stack (CloudFormation User Guide, "Understand CloudFormation quotas").
    StackResources,
    /// Stacks of the account and region.
    Stacks,
    /// Bytes of code of all functions, versions and layers of the region.
    CodeStorage,
    /// Roles of the account.
    Roles,
    /// APIs of the region: "Regional APIs" in the API Gateway Developer Guide, "Amazon API Gateway quotas".
    Apis,
    /// A part of an API: "Quotas for configuring and running a WebSocket API in API Gateway", and those for HTTP APIs.
    ApiPart(&'static ApiPartQuota),
}

/// A quota of the parts of an API.
#[derive(Debug, PartialEq, Eq)]
pub struct ApiPartQuota {
    /// Resource type of the part.
    pub(super) kind: &'static str,
    /// The part in words, in the plural.
    pub(super) parts: &'static str,
    /// The default, which API Gateway can raise for single APIs.
    pub(super) default: u64,
    /// Code in Service Quotas, for WebSocket and HTTP APIs; `None` if only AWS Support raises the quota.
    codes: Option<ServiceQuotaCodes>,
}

/// Codes in Service Quotas, from the links in the tables of quotas in the API Gateway Developer Guide.
#[derive(Debug, PartialEq, Eq)]
struct ServiceQuotaCodes {
    websocket: &'static str,
    http: &'static str,
}

/// Most resources that CloudFormation accepts in a template. It cannot be raised.
pub(super) const MAX_RESOURCES: u64 = 500;

/// Regional APIs of an account and region: WebSocket, HTTP and REST APIs. It cannot be raised.
pub(super) const MAX_APIS: u64 = 600;

pub(super) static API_PARTS: [ApiPartQuota; 4] = [
    ApiPartQuota {
        kind: "AWS::ApiGatewayV2::Route",
        parts: "routes",
        default: 300,
        codes: Some(ServiceQuotaCodes {
            websocket: "L-01C8A9E0",
            http: "L-65B5C802",
        }),
    },
    ApiPartQuota {
        kind: "AWS::ApiGatewayV2::Integration",
        parts: "integrations",
        default: 300,
        codes: None,
    },
    ApiPartQuota {
        kind: "AWS::ApiGatewayV2::Authorizer",
        parts: "authorizers",
        default: 10,
        codes: None,
    },
    ApiPartQuota {
        kind: "AWS::ApiGatewayV2::Stage",
        parts: "stages",
        default: 10,
        codes: Some(ServiceQuotaCodes {
            websocket: "L-379E48B0",
            http: "L-379E48B0",
        }),
    },
];

/// A quota that a deploy would exceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaExceeded {
    /// The quota.
    pub quota: Quota,
    /// The use after the deploy.
    pub needed: u64,
    /// The value of the quota.
    pub limit: u64,
}

impl Quota {
    /// Returns what to do if a quota is exceeded.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Quota::StackResources => "split the stack: this quota cannot be raised",
            Quota::Stacks => "delete stacks, or raise the quota of stacks in Service Quotas",
            Quota::CodeStorage => {
                "delete old versions with `stackgen deployments prune`, or raise the quota of code storage in Service Quotas"
            }
            Quota::Roles => "delete roles, or raise the quota of roles in Service Quotas",
            Quota::Apis => {
                "delete APIs, or use another account or region: this quota cannot be raised"
            }
            Quota::ApiPart(_) => {
                "use fewer, or have the quota of the API raised by Service Quotas or AWS Support"
            }
        }
    }
}

impl fmt::Display for QuotaExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QuotaExceeded { needed, limit, .. } = self;
        match self.quota {
            Quota::StackResources => write!(
                f,
                "the template has {needed} resources, and CloudFormation accepts {limit} in a stack"
            ),
            Quota::Stacks => write!(
                f,
                "with this stack the account would have {needed} stacks in the region, and its quota is {limit}"
            ),
            Quota::CodeStorage => write!(
                f,
                "with this code the functions of the region have {needed} bytes of code, and the quota is {limit}"
            ),
            Quota::Roles => write!(
                f,
                "with this stack the account would have {needed} roles, and its quota is {limit}"
            ),
            Quota::Apis => write!(
                f,
                "with this stack the account would have {needed} or more APIs in the region, and its quota is {limit}"
            ),
            Quota::ApiPart(part) => write!(
                f,
                "an API has {needed} {}, and its quota is {limit}",
                part.parts
            ),
        }
    }
}

impl ApiPartQuota {
    /// Returns the code of the quota in Service Quotas.
    pub(super) fn code(&self, is_http: bool) -> Option<&'static str> {
        let codes = self.codes.as_ref()?;
        Some(match is_http {
            true => codes.http,
            false => codes.websocket,
        })
    }
}
