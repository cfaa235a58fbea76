//! The description of an API in an account, and its digest.

mod document;
mod json;
mod uri;

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use stackgen_cfn::Node;
use stackgen_model::{Inputs, Model, SnapshotDigest};

use crate::{CalledVersion, FunctionName};
pub use uri::{AccountRegion, InvocationUri};

/// Properties under CloudFormation's names.
pub type Properties = Map<String, Json>;

/// Everything of an API that a deployment snapshots (row D1), as the account returns it: with the account's IDs, and
/// with API Gateway's defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiDescription {
    /// The API's own properties.
    pub api: Properties,
    /// Its parts, in any order.
    pub parts: Vec<ApiPart>,
}

/// A part of an API.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiPart {
    /// The kind.
    pub kind: ApiPartKind,
    /// The ID in the account.
    pub id: String,
    /// The ID of the route or integration that a response belongs to.
    pub parent: Option<String>,
    /// The properties. They name other parts by ID: `AuthorizerId`, and `integrations/{id}` of a `Target`.
    pub properties: Properties,
}

/// The kind of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CloudFormation's")]
pub enum ApiPartKind {
    Authorizer,
    Integration,
    IntegrationResponse,
    Model,
    Route,
    RouteResponse,
}

impl ApiPartKind {
    /// Returns the last word of the resource type.
    pub fn name(self) -> &'static str {
        match self {
            ApiPartKind::Authorizer => "Authorizer",
            ApiPartKind::Integration => "Integration",
            ApiPartKind::IntegrationResponse => "IntegrationResponse",
            ApiPartKind::Model => "Model",
            ApiPartKind::Route => "Route",
            ApiPartKind::RouteResponse => "RouteResponse",
        }
    }
}

impl ApiPart {
    /// Returns a property if it is text.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// Returns the invocation URI of an integration or an authorizer, if it names a function.
    pub fn invocation(&self) -> Option<InvocationUri> {
        InvocationUri::parse(self.text(match self.kind {
            ApiPartKind::Integration => "IntegrationUri",
            ApiPartKind::Authorizer => "AuthorizerUri",
            _ => return None,
        })?)
    }

    /// Returns the role with which API Gateway invokes an integration or an authorizer.
    pub fn credentials(&self) -> Option<&str> {
        self.text(match self.kind {
            ApiPartKind::Integration => "CredentialsArn",
            ApiPartKind::Authorizer => "AuthorizerCredentialsArn",
            _ => return None,
        })
    }
}

/// Returns the function versions that parts of an API invoke in an account and region.
pub(crate) fn called_versions(
    parts: &[ApiPart],
    region: &AccountRegion,
) -> BTreeSet<CalledVersion> {
    let invoked = parts.iter().filter_map(ApiPart::invocation);
    let here = invoked.filter(|invoked| invoked.is_in(region));
    let called = here.filter_map(|invoked| {
        Some(CalledVersion {
            version: invoked.version()?,
            function: invoked.function,
        })
    });
    called.collect()
}

/// The wiring of an API: what a deployment would snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiWiring {
    /// The digest. It equals the digest of a template with the same wiring.
    pub digest: SnapshotDigest,
    /// The canonical form.
    pub snapshot: String,
    /// Number of routes.
    pub routes: usize,
    /// The function versions of this account and region that it invokes, sorted, each once.
    pub calls: Vec<CalledVersion>,
}

impl ApiDescription {
    /// Returns the wiring. It depends neither on IDs nor on order.
    pub fn wiring(&self, region: &AccountRegion) -> ApiWiring {
        let model = Model::of_wiring(&document::template(self, region), &Inputs::none());
        let own = |api: &&stackgen_model::Api| api.resource.is_some();
        let api = model
            .apis
            .iter()
            .find(own)
            .expect("the document has one API");
        ApiWiring {
            digest: api.snapshot_digest(&model),
            snapshot: api.snapshot(&model),
            routes: api.routes.len(),
            calls: called_versions(&self.parts, region).into_iter().collect(),
        }
    }

    /// Returns the API as a template, as if CloudFormation had created it. The logical ID of the API is `Api`, that of a part
    /// is [`ApiDescription::logical_id`], and those of invoked functions and aliases are invented.
    pub fn template(&self, region: &AccountRegion) -> Node {
        document::template(self, region)
    }

    /// Returns the logical ID of a part in the template. `index` is its position among the parts.
    pub fn logical_id(part: &ApiPart, index: usize) -> String {
        format!("{}{index}", part.kind.name())
    }

    /// Returns the functions of this account and region that the API invokes, sorted, each once.
    pub fn functions(&self, region: &AccountRegion) -> Vec<FunctionName> {
        let invoked = self.parts.iter().filter_map(ApiPart::invocation);
        let here = invoked.filter(|invoked| invoked.is_in(region));
        let mut names: Vec<_> = here.map(|invoked| invoked.function).collect();
        names.sort();
        names.dedup();
        names
    }

    /// True if `$connect` needs an authorizer, IAM or an API key (rows A1, A14, A15).
    pub fn connect_is_guarded(&self) -> bool {
        let connect = self
            .parts
            .iter()
            .find(|part| part.text("RouteKey") == Some("$connect"));
        connect.is_some_and(|route| {
            let authorized = route
                .text("AuthorizationType")
                .is_some_and(|kind| kind != "NONE");
            authorized || route.properties.get("ApiKeyRequired") == Some(&Json::Bool(true))
        })
    }

    /// Returns the path of a GET route without authorization and path parameters.
    pub fn open_path(&self) -> Option<String> {
        let open = self.parts.iter().filter(|part| {
            let authorization = part.text("AuthorizationType").unwrap_or("NONE");
            part.kind == ApiPartKind::Route && authorization == "NONE"
        });
        let paths = open.filter_map(|route| {
            let path = route.text("RouteKey")?.strip_prefix("GET ")?;
            (!path.contains('{')).then(|| path.to_owned())
        });
        paths.min()
    }
}
