//! Names of the operations that stackgen calls, from the request line.

use std::fmt;

/// An operation of an AWS API: `UpdateStage`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Operation(String);

/// The service that an operation belongs to, which decides what an error looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    ApiGateway,
    Lambda,
    Sts,
}

impl Operation {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Operation(name.into())
    }

    /// Returns the operation of a request. What is not known is named by its method and path.
    pub(crate) fn of_request(method: &str, target: &str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let name = match parts.as_slice() {
            [] => Some("GetCallerIdentity".to_owned()),
            ["2015-03-31", "functions", _, rest @ ..] => function(method, rest),
            ["v2", rest @ ..] => resource(method, rest),
            _ => None,
        };
        Operation(name.unwrap_or_else(|| format!("{method} {path}")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn service(&self) -> Service {
        match self.as_str() {
            "GetCallerIdentity" => Service::Sts,
            name if name.contains("Function") || name == "PublishVersion" => Service::Lambda,
            _ => Service::ApiGateway,
        }
    }

    /// Returns true if the operation changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        self.as_str().starts_with("Get")
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn function(method: &str, rest: &[&str]) -> Option<String> {
    let name = match (method, rest) {
        ("GET", []) => "GetFunction",
        ("GET", ["configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["code"]) => "UpdateFunctionCode",
        ("POST", ["versions"]) => "PublishVersion",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Collections of API Gateway v2: what the path says, one of them, and several.
const COLLECTIONS: [(&str, &str, &str); 9] = [
    ("apis", "Api", "Apis"),
    ("authorizers", "Authorizer", "Authorizers"),
    ("deployments", "Deployment", "Deployments"),
    (
        "integrationresponses",
        "IntegrationResponse",
        "IntegrationResponses",
    ),
    ("integrations", "Integration", "Integrations"),
    ("models", "Model", "Models"),
    ("routeresponses", "RouteResponse", "RouteResponses"),
    ("routes", "Route", "Routes"),
    ("stages", "Stage", "Stages"),
];

/// `["apis", id, "stages", name]` with `PATCH` is `UpdateStage`.
fn resource(method: &str, path: &[&str]) -> Option<String> {
    let is_one = path.len().is_multiple_of(2);
    let collection = path.get(path.len().checked_sub(if is_one { 2 } else { 1 })?)?;
    let (_, one, many) = COLLECTIONS.iter().find(|(name, ..)| name == collection)?;
    Some(match (method, is_one) {
        ("GET", false) => format!("Get{many}"),
        ("GET", true) => format!("Get{one}"),
        ("POST", false) => format!("Create{one}"),
        ("PATCH", true) => format!("Update{one}"),
        ("DELETE", true) => format!("Delete{one}"),
        _ => return None,
    })
}

#[test]
fn operations_have_the_names_that_aws_gives_them() {
    let name = |method, target| Operation::of_request(method, target).to_string();
    assert_eq!(name("POST", "/"), "GetCallerIdentity");
    assert_eq!(name("GET", "/v2/apis?nextToken=a"), "GetApis");
    assert_eq!(name("GET", "/v2/apis/a"), "GetApi");
    assert_eq!(name("PATCH", "/v2/apis/a/stages/prod"), "UpdateStage");
    assert_eq!(name("POST", "/v2/apis/a/deployments"), "CreateDeployment");
    assert_eq!(
        name("GET", "/v2/apis/a/routes/b/routeresponses"),
        "GetRouteResponses"
    );
    assert_eq!(
        name("PUT", "/2015-03-31/functions/hello/code"),
        "UpdateFunctionCode"
    );
    assert_eq!(name("GET", "/other/path"), "GET /other/path");
}
