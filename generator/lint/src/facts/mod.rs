//! Facts about a template that more than one rule reads.
//!
//! Every module answers one question about the model. [`Facts`] computes each answer on first use and caches it, so
//! that rules can ask in any order. Facts depend only on the model, not on the context of rules.

pub(crate) mod access_log;
pub(crate) mod anonymous;
pub(crate) mod apis;
pub(crate) mod arn;
pub(crate) mod authorization;
pub(crate) mod browsers;
pub(crate) mod changed_apis;
pub(crate) mod connection_arns;
pub(crate) mod connection_records;
pub(crate) mod constant_id;
pub(crate) mod creation_order;
pub(crate) mod custom_deployers;
pub(crate) mod endpoints;
pub(crate) mod environment;
pub(crate) mod function_roles;
pub(crate) mod generator;
pub(crate) mod hard_coded_arns;
pub(crate) mod identity_source;
pub(crate) mod invoke_role;
pub(crate) mod mapped_domains;
pub(crate) mod mapping_template;
pub(crate) mod permission_scope;
pub(crate) mod permissions;
pub(crate) mod policies;
pub(crate) mod posting;
pub(crate) mod presence;
pub(crate) mod quota;
pub(crate) mod role_rights;
pub(crate) mod route_visibility;
pub(crate) mod secrets;
pub(crate) mod selection_expression;
pub(crate) mod served_deployments;
pub(crate) mod settings;
pub(crate) mod substitution;
pub(crate) mod target;
pub(crate) mod terraform;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use stackgen_model::{Api, ApiMapping, DomainName, LogicalId, Model};

use changed_apis::ChangedApi;
use connection_arns::ConnectionArns;
use connection_records::ConnectionRecords;
use creation_order::CreationOrder;
use custom_deployers::CustomDeployers;
use endpoints::Endpoint;
use function_roles::FunctionRoles;
use hard_coded_arns::HardCodedArn;
use permissions::{CalledFunction, DeniedInvocation};
use policies::RoleStatement;
use posting::PostingFunction;
use route_visibility::RouteVisibility;

/// Facts about one template, each computed at most once.
pub(crate) struct Facts<'a> {
    pub(crate) model: &'a Model,
    /// The template's earlier revision.
    pub(crate) previous: Option<&'a Model>,
    attached_authorizers: OnceCell<HashSet<&'a LogicalId>>,
    called_functions: OnceCell<HashMap<&'a LogicalId, CalledFunction<'a>>>,
    changed_apis: OnceCell<Vec<ChangedApi<'a>>>,
    connection_arns: OnceCell<ConnectionArns<'a>>,
    connection_records: OnceCell<ConnectionRecords<'a>>,
    creation_order: OnceCell<CreationOrder<'a>>,
    custom_deployers: OnceCell<CustomDeployers<'a>>,
    denied_invocations: OnceCell<Vec<DeniedInvocation<'a>>>,
    endpoints: OnceCell<Vec<Endpoint<'a>>>,
    function_roles: OnceCell<FunctionRoles<'a>>,
    hard_coded_arns: OnceCell<Vec<HardCodedArn<'a>>>,
    mapped_domains: OnceCell<Vec<(&'a DomainName, &'a ApiMapping)>>,
    message_functions: OnceCell<HashMap<&'a LogicalId, Vec<&'a Api>>>,
    policy_statements: OnceCell<Vec<RoleStatement<'a>>>,
    posting_functions: OnceCell<Vec<PostingFunction<'a>>>,
    route_visibility: OnceCell<RouteVisibility<'a>>,
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
            .get_or_init(|| authorization::attached_authorizers(self.model))
    }

    /// Returns the functions that WebSocket APIs call.
    pub(crate) fn called_functions(&self) -> &HashMap<&'a LogicalId, CalledFunction<'a>> {
        self.called_functions
            .get_or_init(|| permissions::called_functions(self))
    }

    /// Returns the APIs whose wiring differs from the earlier revision.
    pub(crate) fn changed_apis(&self) -> &[ChangedApi<'a>] {
        self.changed_apis.get_or_init(|| ChangedApi::all(self))
    }

    /// Returns the ARNs of the APIs' connections.
    pub(crate) fn connection_arns(&self) -> &ConnectionArns<'a> {
        self.connection_arns
            .get_or_init(|| ConnectionArns::of(self))
    }

    /// Returns the tables and functions that may record connections.
    pub(crate) fn connection_records(&self) -> &ConnectionRecords<'a> {
        self.connection_records
            .get_or_init(|| ConnectionRecords::new(self))
    }

    /// Returns the order in which CloudFormation creates resources.
    pub(crate) fn creation_order(&self) -> &CreationOrder<'a> {
        self.creation_order
            .get_or_init(|| CreationOrder::of(self.model))
    }

    /// Returns the custom resources that may deploy an API.
    pub(crate) fn custom_deployers(&self) -> &CustomDeployers<'a> {
        self.custom_deployers
            .get_or_init(|| CustomDeployers::of(self.model))
    }

    /// Returns the calls of functions that permissions do not allow.
    pub(crate) fn denied_invocations(&self) -> &[DeniedInvocation<'a>] {
        self.denied_invocations
            .get_or_init(|| permissions::denied_invocations(self))
    }

    /// Returns the addresses of APIs in the functions' environment variables.
    pub(crate) fn endpoints(&self) -> &[Endpoint<'a>] {
        self.endpoints.get_or_init(|| endpoints::endpoints(self))
    }

    /// Returns the roles of which the template shows every grant.
    pub(crate) fn function_roles(&self) -> &FunctionRoles<'a> {
        self.function_roles
            .get_or_init(|| FunctionRoles::of(self.model))
    }

    /// Returns the ARNs with a literal account, region or partition.
    pub(crate) fn hard_coded_arns(&self) -> &[HardCodedArn<'a>] {
        self.hard_coded_arns
            .get_or_init(|| hard_coded_arns::hard_coded_arns(self))
    }

    /// Returns the custom domains of WebSocket APIs, each with its first mapping.
    pub(crate) fn mapped_domains(&self) -> &[(&'a DomainName, &'a ApiMapping)] {
        self.mapped_domains
            .get_or_init(|| mapped_domains::mapped_domains(self))
    }

    /// Returns the functions behind the APIs' integrations.
    pub(crate) fn message_functions(&self) -> &HashMap<&'a LogicalId, Vec<&'a Api>> {
        self.message_functions
            .get_or_init(|| posting::message_functions(self))
    }

    /// Returns the `Allow` statements of roles and policies.
    pub(crate) fn policy_statements(&self) -> &[RoleStatement<'a>] {
        self.policy_statements
            .get_or_init(|| policies::allow_statements(self.model))
    }

    /// Returns the functions that post to connections.
    pub(crate) fn posting_functions(&self) -> &[PostingFunction<'a>] {
        self.posting_functions
            .get_or_init(|| posting::posting_functions(self))
    }

    /// Returns which APIs may have routes outside the template.
    pub(crate) fn route_visibility(&self) -> &RouteVisibility<'a> {
        self.route_visibility
            .get_or_init(|| RouteVisibility::of(self.model))
    }
}
