//! A function with its versions, aliases and policies.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use stackgen_gateway_common::{EpochMillis, FunctionArn, uuid};

use super::credentials::FunctionCredentials;
use super::pool::EnvironmentPool;
use super::{
    AsyncSettings, CodeCopy, Configuration, FunctionAlias, FunctionChange, FunctionError,
    FunctionHost, FunctionVersion, LATEST, PermissionStatement, ResourcePolicy,
};

pub(super) struct FunctionRecord {
    pub(super) arn: FunctionArn,
    pub(super) credentials: FunctionCredentials,
    host: Arc<FunctionHost>,
    state: RwLock<FunctionState>,
}

struct FunctionState {
    latest: Arc<FunctionVersion>,
    published: BTreeMap<u64, Arc<FunctionVersion>>,
    aliases: BTreeMap<String, FunctionAlias>,
    /// Policies by qualifier. The key `$LATEST` holds that of the unqualified function.
    policies: BTreeMap<String, ResourcePolicy>,
    /// Last version number that was assigned. Numbers are never reused.
    last_number: u64,
    reserved: Option<usize>,
    /// Settings of asynchronous invocations by qualifier.
    asynchronous: BTreeMap<String, AsyncSettings>,
}

impl FunctionRecord {
    pub(super) fn new(
        host: &Arc<FunctionHost>,
        arn: FunctionArn,
        configuration: Configuration,
        code: CodeCopy,
    ) -> Result<Self, FunctionError> {
        let credentials = FunctionCredentials::generate()?;
        let latest = new_version(
            host,
            &arn,
            &credentials,
            LATEST,
            configuration.into(),
            code.into(),
        );
        Ok(FunctionRecord {
            arn,
            credentials,
            host: host.clone(),
            state: RwLock::new(FunctionState {
                latest,
                published: BTreeMap::new(),
                aliases: BTreeMap::new(),
                policies: BTreeMap::new(),
                last_number: 0,
                reserved: None,
                asynchronous: BTreeMap::new(),
            }),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, FunctionState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, FunctionState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the version that a qualifier refers to.
    pub(super) fn version(&self, qualifier: Option<&str>) -> Option<Arc<FunctionVersion>> {
        self.read().version(qualifier.unwrap_or(LATEST)).cloned()
    }

    /// Returns the role of `$LATEST`, which counts as the role of all processes.
    pub(super) fn role(&self) -> Option<String> {
        Some(self.version(None)?.configuration.role.clone())
    }

    /// Returns `$LATEST` and all published versions, oldest first.
    pub(super) fn versions(&self) -> Vec<Arc<FunctionVersion>> {
        let state = self.read();
        std::iter::once(&state.latest)
            .chain(state.published.values())
            .cloned()
            .collect()
    }

    /// Replaces code, configuration or both of `$LATEST`. Its processes end after their current invocation.
    pub(super) fn update(
        &self,
        configuration: Option<Configuration>,
        code: Option<CodeCopy>,
        revision: Option<&str>,
    ) -> Result<(Arc<FunctionVersion>, FunctionChange), FunctionError> {
        let mut state = self.write();
        require_revision(revision, &state.latest.revision_id)?;
        let configuration = configuration.filter(|one| *one != *state.latest.configuration);
        let code = code.filter(|one| *one != *state.latest.code);
        let change = match (&code, &configuration) {
            (Some(_), _) => FunctionChange::Code,
            (None, Some(_)) => FunctionChange::Configuration,
            (None, None) => return Ok((state.latest.clone(), FunctionChange::None)),
        };
        let configuration =
            configuration.map_or_else(|| state.latest.configuration.clone(), Arc::new);
        let code = code.map_or_else(|| state.latest.code.clone(), Arc::new);
        let latest = new_version(
            &self.host,
            &self.arn,
            &self.credentials,
            LATEST,
            configuration,
            code,
        );
        latest.pool.limit_environments(state.reserved);
        let before = std::mem::replace(&mut state.latest, latest.clone());
        drop(state);
        before.pool.retire();
        Ok((latest, change))
    }

    /// Publishes `$LATEST` under the next number, or returns the newest version if nothing changed (row D17).
    pub(super) fn publish(
        &self,
        description: Option<String>,
        sha256: Option<&str>,
        revision: Option<&str>,
    ) -> Result<Arc<FunctionVersion>, FunctionError> {
        let mut state = self.write();
        require_revision(revision, &state.latest.revision_id)?;
        if let Some(expected) = sha256.filter(|&sha256| sha256 != state.latest.code.sha256) {
            return Err(FunctionError::invalid(format!(
                "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({}). Please try again with \
                 the CodeSHA256 in $LATEST.",
                state.latest.code.sha256
            )));
        }
        let latest = state.latest.clone();
        if let Some((_, last)) = state.published.last_key_value()
            && last.is_copy_of(&latest)
        {
            return Ok(last.clone());
        }
        state.last_number += 1;
        let number = state.last_number;
        let configuration = match description {
            Some(description) => Arc::new(Configuration {
                description,
                ..(*latest.configuration).clone()
            }),
            None => latest.configuration.clone(),
        };
        let published = new_version(
            &self.host,
            &self.arn,
            &self.credentials,
            &number.to_string(),
            configuration,
            latest.code.clone(),
        );
        published.pool.limit_environments(state.reserved);
        state.published.insert(number, published.clone());
        Ok(published)
    }

    /// Deletes a published version.
    pub(super) fn delete_version(&self, qualifier: &str) -> Result<(), FunctionError> {
        let mut state = self.write();
        if qualifier == LATEST || state.aliases.contains_key(qualifier) {
            return Err(FunctionError::invalid(format!(
                "{qualifier} version cannot be deleted without deleting the function."
            )));
        }
        if let Some(alias) = state
            .aliases
            .values()
            .find(|alias| alias.version == qualifier)
        {
            return Err(FunctionError::conflict(format!(
                "Version {qualifier} of the function is referenced by the alias {}. Delete the alias or point it at \
                 another version first.",
                alias.name
            )));
        }
        let removed = qualifier
            .parse()
            .ok()
            .and_then(|number: u64| state.published.remove(&number));
        state.policies.remove(qualifier);
        state.asynchronous.remove(qualifier);
        drop(state);
        if let Some(version) = removed {
            version.pool.retire();
        }
        Ok(())
    }

    pub(super) fn alias(&self, name: &str) -> Result<FunctionAlias, FunctionError> {
        let found = self.read().aliases.get(name).cloned();
        found.ok_or_else(|| self.alias_not_found(name))
    }

    fn alias_not_found(&self, name: &str) -> FunctionError {
        let arn = self.arn.qualified(name);
        FunctionError::not_found(format!("Cannot find alias arn: {arn}"))
    }

    pub(super) fn aliases(&self) -> Vec<FunctionAlias> {
        self.read().aliases.values().cloned().collect()
    }

    pub(super) fn create_alias(
        &self,
        name: &str,
        version: &str,
        description: String,
    ) -> Result<FunctionAlias, FunctionError> {
        let mut state = self.write();
        if state.aliases.contains_key(name) {
            return Err(FunctionError::conflict(format!(
                "Alias already exists: {}",
                self.arn.qualified(name)
            )));
        }
        let digits = name.bytes().all(|byte| byte.is_ascii_digit());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if digits || name.len() > 128 || !name.bytes().all(allowed) {
            return Err(FunctionError::invalid(format!(
                "{name:?} is not a valid alias name: use letters, digits, - and _, at most 128 characters, not only digits"
            )));
        }
        self.require_version(&state, version)?;
        let alias = FunctionAlias {
            name: name.to_owned(),
            version: version.to_owned(),
            description,
            revision_id: uuid(),
        };
        state.aliases.insert(name.to_owned(), alias.clone());
        Ok(alias)
    }

    pub(super) fn update_alias(
        &self,
        name: &str,
        version: Option<&str>,
        description: Option<String>,
        revision: Option<&str>,
    ) -> Result<FunctionAlias, FunctionError> {
        let mut state = self.write();
        let before = state.aliases.get(name).cloned();
        let before = before.ok_or_else(|| self.alias_not_found(name))?;
        require_revision(revision, &before.revision_id)?;
        if let Some(version) = version {
            self.require_version(&state, version)?;
        }
        let alias = FunctionAlias {
            version: version.map_or(before.version, str::to_owned),
            description: description.unwrap_or(before.description),
            revision_id: uuid(),
            name: before.name,
        };
        state.aliases.insert(name.to_owned(), alias.clone());
        Ok(alias)
    }

    pub(super) fn delete_alias(&self, name: &str) {
        let mut state = self.write();
        if state.aliases.remove(name).is_some() {
            state.policies.remove(name);
            state.asynchronous.remove(name);
        }
    }

    pub(super) fn add_permission(
        &self,
        qualifier: Option<&str>,
        permission: PermissionStatement,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        if qualifier == Some(LATEST) {
            return Err(FunctionError::invalid(
                "We currently do not support adding policies for $LATEST.",
            ));
        }
        let mut state = self.write();
        let key = qualifier.unwrap_or(LATEST);
        self.require_version(&state, key)?;
        let policy = state.policies.entry(key.to_owned()).or_default();
        require_revision(
            revision.filter(|_| !policy.statements.is_empty()),
            &policy.revision_id,
        )?;
        let id = &permission.statement_id;
        if policy.statements.iter().any(|one| one.statement_id == *id) {
            return Err(FunctionError::conflict(format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement."
            )));
        }
        policy.statements.push(permission);
        policy.revision_id = uuid();
        Ok(())
    }

    pub(super) fn remove_permission(
        &self,
        qualifier: Option<&str>,
        statement_id: &str,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        let mut state = self.write();
        let missing = || {
            FunctionError::not_found(format!(
                "Statement {statement_id} is not found in resource policy."
            ))
        };
        let key = qualifier.unwrap_or(LATEST);
        let policy = state.policies.get_mut(key).ok_or_else(missing)?;
        require_revision(revision, &policy.revision_id)?;
        let mut statements = policy.statements.iter();
        let at = statements.position(|one| one.statement_id == statement_id);
        policy.statements.remove(at.ok_or_else(missing)?);
        policy.revision_id = uuid();
        if policy.statements.is_empty() {
            state.policies.remove(key);
        }
        Ok(())
    }

    pub(super) fn policy(&self, qualifier: Option<&str>) -> Result<ResourcePolicy, FunctionError> {
        let found = self
            .read()
            .policies
            .get(qualifier.unwrap_or(LATEST))
            .cloned();
        found.ok_or_else(|| FunctionError::not_found("The resource you requested does not exist."))
    }

    /// Returns true if the policy of exactly this qualifier allows a service (rows C7, A16, D19).
    pub(super) fn allows_service(
        &self,
        qualifier: Option<&str>,
        principal: &str,
        source_arn: &str,
    ) -> bool {
        let state = self.read();
        let account = &self.arn.scope.account;
        let policy = state.policies.get(qualifier.unwrap_or(LATEST));
        policy.is_some_and(|policy| {
            let mut statements = policy.statements.iter();
            statements.any(|one| one.allows_service(principal, source_arn, account))
        })
    }

    pub(super) fn async_settings(&self, qualifier: &str) -> Option<AsyncSettings> {
        self.read().asynchronous.get(qualifier).copied()
    }

    pub(super) fn set_async_settings(
        &self,
        qualifier: &str,
        settings: Option<AsyncSettings>,
    ) -> Result<(), FunctionError> {
        let mut state = self.write();
        self.require_version(&state, qualifier)?;
        match settings {
            Some(settings) => state.asynchronous.insert(qualifier.to_owned(), settings),
            None => state.asynchronous.remove(qualifier),
        };
        Ok(())
    }

    pub(super) fn reserved_concurrency(&self) -> Option<usize> {
        self.read().reserved
    }

    pub(super) fn set_reserved_concurrency(&self, environments: Option<usize>) {
        self.write().reserved = environments;
        for version in self.versions() {
            version.pool.limit_environments(environments);
        }
    }

    /// Accepts no more invocations, and ends every process after its current one.
    pub(super) fn retire(&self) {
        for version in self.versions() {
            version.pool.retire();
        }
    }

    fn require_version(&self, state: &FunctionState, qualifier: &str) -> Result<(), FunctionError> {
        match state.version(qualifier) {
            Some(_) => Ok(()),
            None => Err(FunctionError::not_found(format!(
                "Function not found: {}",
                self.arn.qualified(qualifier)
            ))),
        }
    }
}

impl FunctionState {
    fn version(&self, qualifier: &str) -> Option<&Arc<FunctionVersion>> {
        if qualifier == LATEST {
            return Some(&self.latest);
        }
        match self.aliases.get(qualifier) {
            Some(alias) if alias.version == LATEST => Some(&self.latest),
            Some(alias) => self.published.get(&alias.version.parse().ok()?),
            None => self.published.get(&qualifier.parse().ok()?),
        }
    }
}

impl FunctionVersion {
    /// Returns true if publishing `latest` would create an equal version (row D17). Descriptions do not count.
    fn is_copy_of(&self, latest: &FunctionVersion) -> bool {
        let mut same = (*self.configuration).clone();
        same.description
            .clone_from(&latest.configuration.description);
        same == *latest.configuration && self.code == latest.code
    }
}

fn new_version(
    host: &Arc<FunctionHost>,
    arn: &FunctionArn,
    credentials: &FunctionCredentials,
    version: &str,
    configuration: Arc<Configuration>,
    code: Arc<CodeCopy>,
) -> Arc<FunctionVersion> {
    let pool = EnvironmentPool::new(host, arn, version, &configuration, &code, credentials);
    Arc::new(FunctionVersion {
        function: arn.clone(),
        version: version.to_owned(),
        configuration,
        code,
        revision_id: uuid(),
        last_modified: EpochMillis::now(),
        pool,
    })
}

fn require_revision(expected: Option<&str>, actual: &str) -> Result<(), FunctionError> {
    match expected {
        Some(expected) if expected != actual => Err(FunctionError::new(
            super::FunctionErrorKind::PreconditionFailed,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}
