//! What several rules need to know of a template, each thing worked out in one place.

pub(crate) mod access_log;
pub(crate) mod arn;
pub(crate) mod authorization;
pub(crate) mod browsers;
pub(crate) mod callers;
pub(crate) mod connections;
pub(crate) mod constant_id;
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
pub(crate) mod selection;
pub(crate) mod serving;
pub(crate) mod settings;
pub(crate) mod stale;
pub(crate) mod target;
pub(crate) mod width;
