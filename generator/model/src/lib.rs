//! The API model: one graph of APIs, routes, integrations, authorizers, permissions, deployments, stages, functions and
//! tables, which is read from a template. The linter checks it, the gateway runs it, and `diff` compares two of them.
//!
//! Reading never fails and never guesses: a value that the template does not determine is an [`Unknown`] with a reason,
//! and a mistake in the template is a [`Problem`]. Nothing here does I/O.

pub mod access_log;
mod api;
mod content;
pub mod diff;
mod digest;
mod function;
pub mod graph;
mod ids;
mod link;
mod model;
mod ordered_map;
mod parts;
mod problem;
mod read;
pub mod resolve;
mod resource;
mod role;
mod schedule;
mod snapshot;
mod table;

pub use api::{
    Api, ApiMapping, ApiModel, Authorizer, Deployment, DomainName, Integration,
    IntegrationResponse, Protocol, Route, RouteResponse, Stage,
};
pub use content::ModelContent;
pub use function::{Alias, Function, Permission, Version, is_reserved_variable};
pub use ids::{LogicalId, RouteKey};
pub use link::{FunctionLink, Link, Qualifier};
pub use model::Model;
pub use ordered_map::OrderedMap;
pub use parts::ChangeEffect;
pub use problem::{Problem, ProblemKind};
pub use resolve::{
    Inputs, Piece, Pseudo, Reference, Resolved, Resolver, Setting, Text, Unknown, UnknownReason,
};
pub use resource::{Conditional, Resource, Resources};
pub use role::{Grant, Role};
pub use schedule::{
    CivilMinute, CronExpression, ScheduleExpression, ScheduleExpressionError, parse_utc,
};
pub use snapshot::{MODEL_PROPERTIES, NotADigest, SnapshotDigest};
pub use table::{Index, KeyAttribute, LogGroup, Table};
