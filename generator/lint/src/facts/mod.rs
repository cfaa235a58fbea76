//! Facts about a template that more than one rule reads.
//!
//! Every module answers one question about the model. [`Facts`] computes each answer on first use and keeps it, so that
//! rules can ask in any order. Facts know the model and nothing of rules' context.

pub(crate) mod access_log;
pub(crate) mod apis;
pub(crate) mod arn;
pub(crate) mod authorization;
pub(crate) mod browsers;
pub(crate) mod callers;
pub(crate) mod connections;
pub(crate) mod constant_id;
pub(crate) mod deployer;
pub(crate) mod domains;
pub(crate) mod environment;
pub(crate) mod hard_coded;
pub(crate) mod identity_source;
pub(crate) mod invoke_role;
pub(crate) mod order;
pub(crate) mod permissions;
pub(crate) mod policies;
pub(crate) mod posts;
pub(crate) mod presence;
pub(crate) mod quota;
pub(crate) mod records;
pub(crate) mod roles;
pub(crate) mod secrets;
pub(crate) mod selection;
pub(crate) mod serving;
pub(crate) mod settings;
pub(crate) mod stale;
pub(crate) mod target;
pub(crate) mod width;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use stackgen_model::{Api, ApiMapping, DomainName, LogicalId, Model};

use connections::Connections;
use deployer::Deployers;
use environment::Endpoint;
use hard_coded::HardCoded;
use order::Order;
use permissions::{Called, Refusal};
use policies::Statement;
use posts::Post;
use presence::Sight;
use records::Records;
use roles::Roles;
use stale::Rewired;

/// Facts about one template, each computed at most once.
pub(crate) struct Facts<'a> {
    pub(crate) model: &'a Model,
    /// The template's earlier revision.
    pub(crate) previous: Option<&'a Model>,
    attached_authorizers: OnceCell<HashSet<&'a LogicalId>>,
    called_functions: OnceCell<HashMap<&'a LogicalId, Called<'a>>>,
    changed_apis: OnceCell<Vec<Rewired<'a>>>,
    connection_arns: OnceCell<Connections<'a>>,
    connection_records: OnceCell<Records<'a>>,
    creation_order: OnceCell<Order<'a>>,
    custom_deployers: OnceCell<Deployers<'a>>,
    denied_invocations: OnceCell<Vec<Refusal<'a>>>,
    endpoints: OnceCell<Vec<Endpoint<'a>>>,
    function_roles: OnceCell<Roles<'a>>,
    hard_coded_arns: OnceCell<Vec<HardCoded<'a>>>,
    mapped_domains: OnceCell<Vec<(&'a DomainName, &'a ApiMapping)>>,
    message_functions: OnceCell<HashMap<&'a LogicalId, Vec<&'a Api>>>,
    policy_statements: OnceCell<Vec<Statement<'a>>>,
    posting_functions: OnceCell<Vec<Post<'a>>>,
    route_visibility: OnceCell<Sight<'a>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(model: &'a Model, previous: Option<&'a Model>) -> Facts<'a> {
        Facts {
            model,
            previous,
            attached_authorizers: OnceCell::new(),
            called_functions: OnceCell::new(),
            changed_apis: OnceCell::new(),
            connection_arns: OnceCell::new(),
            connection_records: OnceCell::new(),
            creation_order: OnceCell::new(),
            custom_deployers: OnceCell::new(),
            denied_invocations: OnceCell::new(),
            endpoints: OnceCell::new(),
            function_roles: OnceCell::new(),
            hard_coded_arns: OnceCell::new(),
            mapped_domains: OnceCell::new(),
            message_functions: OnceCell::new(),
            policy_statements: OnceCell::new(),
            posting_functions: OnceCell::new(),
            route_visibility: OnceCell::new(),
        }
    }

    /// Returns the template's WebSocket APIs; see [`apis::websockets`].
    pub(crate) fn websockets(&self) -> impl Iterator<Item = &'a Api> + use<'a> {
        apis::websockets(self.model)
    }

    /// Returns true if the template shows everything that an API has; see [`apis::is_complete`].
    pub(crate) fn is_complete(&self, api: &Api) -> bool {
        apis::is_complete(self.model, api)
    }

    /// Returns the authorizers that a route names.
    pub(crate) fn attached_authorizers(&self) -> &HashSet<&'a LogicalId> {
        self.attached_authorizers
            .get_or_init(|| authorization::named(self.model))
    }

    /// Returns the functions that WebSocket APIs call.
    pub(crate) fn called_functions(&self) -> &HashMap<&'a LogicalId, Called<'a>> {
        self.called_functions
            .get_or_init(|| permissions::called(self))
    }

    /// Returns the APIs whose wiring differs from the earlier revision.
    pub(crate) fn changed_apis(&self) -> &[Rewired<'a>] {
        self.changed_apis.get_or_init(|| Rewired::all(self))
    }

    /// Returns the ARNs of the APIs' connections.
    pub(crate) fn connection_arns(&self) -> &Connections<'a> {
        self.connection_arns.get_or_init(|| Connections::of(self))
    }

    /// Returns what may hold records of connections.
    pub(crate) fn connection_records(&self) -> &Records<'a> {
        self.connection_records.get_or_init(|| Records::new(self))
    }

    /// Returns the order in which CloudFormation creates resources.
    pub(crate) fn creation_order(&self) -> &Order<'a> {
        self.creation_order.get_or_init(|| Order::of(self.model))
    }

    /// Returns the custom resources that may deploy an API.
    pub(crate) fn custom_deployers(&self) -> &Deployers<'a> {
        self.custom_deployers
            .get_or_init(|| Deployers::of(self.model))
    }

    /// Returns the calls of functions that permissions do not allow.
    pub(crate) fn denied_invocations(&self) -> &[Refusal<'a>] {
        self.denied_invocations
            .get_or_init(|| permissions::refusals(self))
    }

    /// Returns the addresses of APIs in the functions' environment variables.
    pub(crate) fn endpoints(&self) -> &[Endpoint<'a>] {
        self.endpoints.get_or_init(|| environment::endpoints(self))
    }

    /// Returns the roles of which the template shows every grant.
    pub(crate) fn function_roles(&self) -> &Roles<'a> {
        self.function_roles.get_or_init(|| Roles::of(self.model))
    }

    /// Returns the ARNs with a literal account, region or partition.
    pub(crate) fn hard_coded_arns(&self) -> &[HardCoded<'a>] {
        self.hard_coded_arns
            .get_or_init(|| hard_coded::hard_coded(self))
    }

    /// Returns the custom domains of WebSocket APIs, each with its first mapping.
    pub(crate) fn mapped_domains(&self) -> &[(&'a DomainName, &'a ApiMapping)] {
        self.mapped_domains
            .get_or_init(|| domains::of_websockets(self))
    }

    /// Returns the functions behind the APIs' integrations.
    pub(crate) fn message_functions(&self) -> &HashMap<&'a LogicalId, Vec<&'a Api>> {
        self.message_functions.get_or_init(|| posts::behind(self))
    }

    /// Returns the `Allow` statements of roles and policies.
    pub(crate) fn policy_statements(&self) -> &[Statement<'a>] {
        self.policy_statements
            .get_or_init(|| policies::allowing(self.model))
    }

    /// Returns the functions that post to connections.
    pub(crate) fn posting_functions(&self) -> &[Post<'a>] {
        self.posting_functions.get_or_init(|| posts::posts(self))
    }

    /// Returns which APIs the template shows every route of.
    pub(crate) fn route_visibility(&self) -> &Sight<'a> {
        self.route_visibility.get_or_init(|| Sight::of(self.model))
    }
}
