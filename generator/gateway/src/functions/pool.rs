//! The processes of a version.

use std::sync::Arc;

use super::function::Credentials;
use super::{Configuration, Frozen, Host};
use crate::FunctionArn;

#[derive(Debug)]
pub(super) struct Pool {}

impl Pool {
    pub(super) fn new(
        _host: &Arc<Host>,
        _function: &FunctionArn,
        _version: &str,
        _configuration: &Arc<Configuration>,
        _code: &Arc<Frozen>,
        _credentials: &Credentials,
    ) -> Arc<Self> {
        Arc::new(Pool {})
    }

    pub(super) fn reserve(&self, _environments: Option<usize>) {}

    pub(super) fn retire(&self) {}
}
