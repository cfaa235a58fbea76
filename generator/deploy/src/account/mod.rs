//! What an account holds, read as if it were a template.

mod document;
mod json;
mod read;
mod uri;

use serde_json::{Map, Value as Json};
use stackgen_model::{Inputs, Model, SnapshotDigest};

use crate::FunctionName;
pub use uri::{AccountRegion, Invoked};

/// Properties by CloudFormation's names.
pub type Properties = Map<String, Json>;

/// Everything of an API that a deployment snapshots (row D1), as the account tells it: ids are the account's, and
/// what API Gateway fills in is there.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiDescription {
    /// The API's own properties.
    pub api: Properties,
    /// Its parts, in any order.
    pub parts: Vec<Part>,
}

/// A part of an API.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its id in the account.
    pub id: String,
    /// The id of the route or integration that a response belongs to.
    pub parent: Option<String>,
    /// Its properties. Other parts are named by id: `AuthorizerId`, and `integrations/{id}` of a `Target`.
    pub properties: Properties,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CloudFormation's")]
pub enum PartKind {
    Authorizer,
    Integration,
    IntegrationResponse,
    Model,
    Route,
    RouteResponse,
}

impl PartKind {
    /// The last word of the resource type.
    pub fn name(self) -> &'static str {
        match self {
            PartKind::Authorizer => "Authorizer",
            PartKind::Integration => "Integration",
            PartKind::IntegrationResponse => "IntegrationResponse",
            PartKind::Model => "Model",
            PartKind::Route => "Route",
            PartKind::RouteResponse => "RouteResponse",
        }
    }
}

impl Part {
    /// A property that is text.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// What an integration or an authorizer calls, when that is a function.
    pub fn invoked(&self) -> Option<Invoked> {
        Invoked::parse(self.text(match self.kind {
            PartKind::Integration => "IntegrationUri",
            PartKind::Authorizer => "AuthorizerUri",
            _ => return None,
        })?)
    }

    /// The role by which an integration or an authorizer calls.
    pub fn credentials(&self) -> Option<&str> {
        self.text(match self.kind {
            PartKind::Integration => "CredentialsArn",
            PartKind::Authorizer => "AuthorizerCredentialsArn",
            _ => return None,
        })
    }
}

/// What a deployment would freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// Its digest, the same as that of a template that says the same.
    pub digest: SnapshotDigest,
    /// Its canonical form.
    pub snapshot: String,
    /// How many routes it has.
    pub routes: usize,
}

impl ApiDescription {
    /// What a deployment would freeze at this moment. It depends neither on ids nor on order.
    pub fn wiring(&self, place: &AccountRegion) -> Wiring {
        let model = Model::of_wiring(&document::template(self, place), &Inputs::none());
        let own = |api: &&stackgen_model::Api| api.resource.is_some();
        let api = model
            .apis
            .iter()
            .find(own)
            .expect("the document has one API");
        Wiring {
            digest: api.snapshot_digest(&model),
            snapshot: api.snapshot(&model),
            routes: api.routes.len(),
        }
    }

    /// The functions of this account and region that the API calls, each once, by name.
    pub fn functions(&self, place: &AccountRegion) -> Vec<FunctionName> {
        let invoked = self.parts.iter().filter_map(Part::invoked);
        let here = invoked.filter(|invoked| invoked.is_at(place));
        let mut names: Vec<_> = here.map(|invoked| invoked.function).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether a caller must be let in by an authorizer, by IAM or by an API key to connect (rows A1, A14, A15).
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

    /// The path of a GET route that an anonymous caller can call as it stands.
    pub fn open_path(&self) -> Option<String> {
        let open = self.parts.iter().filter(|part| {
            let authorization = part.text("AuthorizationType").unwrap_or("NONE");
            part.kind == PartKind::Route && authorization == "NONE"
        });
        let paths = open.filter_map(|route| {
            let path = route.text("RouteKey")?.strip_prefix("GET ")?;
            (!path.contains('{')).then(|| path.to_owned())
        });
        paths.min()
    }
}
