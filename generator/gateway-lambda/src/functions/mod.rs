//! Local Lambda: functions, versions, aliases and resource policies.
//!
//! A function's code is copied when it is set, so that a version stays the same when a build overwrites the files. Each
//! function process talks to its own Runtime API listener on loopback.

mod async_settings;
mod asynchronous;
mod code;
mod configuration;
mod credentials;
mod environment;
mod error;
mod function;
mod invoke;
mod layer_mount;
mod layer_paths;
mod policy;
mod pool;
mod processes;
mod runtime_notes;
mod runtimes;
mod store;
mod version;
mod watcher;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::{ArnScope, Events, FunctionSecret, RoleStore, Settings};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use async_settings::AsyncSettings;
pub use asynchronous::AsyncInvocation;
pub use code::{Code, CodeCopy, CodeFolder};
pub use configuration::{Configuration, LogFormat};
pub use environment::{InvocationLine, ReportLine, start_error};
pub use error::{FunctionError, FunctionErrorKind};
use function::FunctionRecord;
pub use layer_mount::{LayerMountError, mount_layers};
pub use policy::PermissionStatement;
pub use runtime_notes::RuntimeNote;
use runtimes::Bootstraps;
pub use runtimes::{node_dependencies, unsupported_runtime};
use store::CodeStore;
pub use version::{FunctionAlias, FunctionChange, FunctionVersion, LATEST, ResourcePolicy};
pub use watcher::watch;

/// All functions of this account and region.
pub struct Functions {
    host: Arc<FunctionHost>,
    store: Arc<CodeStore>,
    by_name: RwLock<BTreeMap<String, Arc<FunctionRecord>>>,
    /// Roles of deleted functions by access key: their processes may still run for a while.
    deleted_roles: RwLock<BTreeMap<String, String>>,
}

/// State that all functions share.
pub(super) struct FunctionHost {
    settings: Arc<Settings>,
    roles: Arc<RoleStore>,
    logs: Arc<dyn PutLogs>,
    events: Events,
    /// Environment variables that every process gets in addition to its function's own.
    environment_variables: RwLock<Arc<BTreeMap<String, String>>>,
    /// Prefix of the marks of all processes.
    mark: String,
    bootstraps: Bootstraps,
    /// Result of the attempt to mount layers, once it was made.
    layer_mount: OnceCell<Result<(), String>>,
    /// Number of environments that were started.
    started: AtomicU64,
    /// Cancelled when the gateway stops.
    stop: CancellationToken,
    /// Tasks of environments, and other tasks in the background.
    tasks: TaskTracker,
}

impl FunctionHost {
    /// Returns a new mark for the processes of an environment.
    fn next_mark(&self) -> String {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        format!("{}{number}/", self.mark)
    }

    fn variables(&self) -> Arc<BTreeMap<String, String>> {
        let variables = self.environment_variables.read();
        variables.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Kills processes with this mark and their descendants on a blocking thread.
async fn kill_marked(mark: String) {
    let killing = tokio::task::spawn_blocking(move || processes::kill_marked(&mark));
    // The task does not panic, and when the runtime ends nobody waits for it.
    let _ = killing.await;
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.host.stop.cancel();
    }
}

impl Functions {
    /// Creates an empty set of functions.
    ///
    /// # Errors
    ///
    /// If the temporary folder for code cannot be created, or the watcher cannot be started.
    pub fn new(
        settings: Arc<Settings>,
        roles: Arc<RoleStore>,
        logs: Arc<dyn PutLogs>,
        events: Events,
    ) -> io::Result<Self> {
        let store = CodeStore::new(&settings.functions)?;
        let host = FunctionHost {
            settings,
            roles,
            logs,
            events,
            environment_variables: RwLock::default(),
            mark: store.mark(),
            bootstraps: store.bootstraps().clone(),
            layer_mount: OnceCell::new(),
            started: AtomicU64::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Ok(Functions {
            host: Arc::new(host),
            store: Arc::new(store),
            by_name: RwLock::default(),
            deleted_roles: RwLock::default(),
        })
    }

    /// Sets environment variables for every process that starts from now on, such as `AWS_ENDPOINT_URL`. A function's own
    /// variables take precedence, except that its `NODE_OPTIONS` and `PYTHONPATH` are appended.
    pub fn set_environment_variables(&self, variables: BTreeMap<String, String>) {
        let shared = self.host.environment_variables.write();
        *shared.unwrap_or_else(PoisonError::into_inner) = Arc::new(variables);
    }

    /// Returns the folder of this gateway's files for functions. It is removed with the functions, or by the watcher.
    pub fn folder(&self) -> &Path {
        self.store.folder()
    }

    /// Kills all processes with their descendants and waits until they have ended. Dropping does the same without waiting.
    pub async fn stop(&self) {
        self.host.stop.cancel();
        self.host.tasks.close();
        self.host.tasks.wait().await;
        kill_marked(self.host.mark.clone()).await;
    }

    /// Returns partition, region and account of these functions.
    pub fn scope(&self) -> &ArnScope {
        &self.host.settings.scope
    }

    /// Creates a function, or updates `$LATEST` of the existing one. If nothing changes, its processes keep running.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid or the code cannot be read.
    pub async fn create_or_update(
        &self,
        name: &str,
        configuration: Configuration,
        code: Code,
    ) -> Result<(Arc<FunctionVersion>, FunctionChange), FunctionError> {
        configuration.check()?;
        let code = self.copy_code(code).await?;
        if let Some(function) = self.find(name) {
            return function.update(Some(configuration), Some(code), None);
        }
        let version = self.insert(name, configuration, code)?;
        Ok((version, FunctionChange::Created))
    }

    /// Creates a function.
    ///
    /// # Errors
    ///
    /// If the name is taken, the configuration is invalid, or the code cannot be read.
    pub async fn create(
        &self,
        name: &str,
        configuration: Configuration,
        code: Code,
    ) -> Result<Arc<FunctionVersion>, FunctionError> {
        configuration.check()?;
        let code = self.copy_code(code).await?;
        self.insert(name, configuration, code)
    }

    /// Replaces the code of `$LATEST`.
    ///
    /// # Errors
    ///
    /// If the function does not exist, the code cannot be read, or the revision ID is not that of `$LATEST`.
    pub async fn update_code(
        &self,
        name: &str,
        code: Code,
        revision: Option<&str>,
    ) -> Result<(Arc<FunctionVersion>, FunctionChange), FunctionError> {
        let function = self.function(name)?;
        let code = self.copy_code(code).await?;
        function.update(None, Some(code), revision)
    }

    /// Replaces the configuration of `$LATEST`.
    ///
    /// # Errors
    ///
    /// If the function does not exist, the configuration is invalid, or the revision ID is not that of `$LATEST`.
    pub fn update_configuration(
        &self,
        name: &str,
        configuration: Configuration,
        revision: Option<&str>,
    ) -> Result<(Arc<FunctionVersion>, FunctionChange), FunctionError> {
        configuration.check()?;
        self.function(name)?
            .update(Some(configuration), None, revision)
    }

    /// Copies code as [`Functions::update_code`] does, but changes no function: `DryRun`.
    ///
    /// # Errors
    ///
    /// If the code cannot be read.
    pub async fn copy_code(&self, code: Code) -> Result<CodeCopy, FunctionError> {
        let store = self.store.clone();
        let copied = tokio::task::spawn_blocking(move || store.copy_code(&code)).await;
        copied.unwrap_or_else(|error| Err(FunctionError::file("cannot copy code", &error.into())))
    }

    /// Deletes a function with all of its versions, or one version. Processes end after their current invocation.
    ///
    /// # Errors
    ///
    /// If the function does not exist, or an alias points to the version.
    pub fn delete(&self, name: &str, qualifier: Option<&str>) -> Result<(), FunctionError> {
        let function = self.function(name)?;
        if let Some(qualifier) = qualifier {
            return function.delete_version(qualifier);
        }
        // Before the removal: its processes may call at any time, and `role_of` must find their role.
        if let Some(role) = function.role() {
            let mut deleted_roles = self
                .deleted_roles
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            deleted_roles.insert(function.credentials.access_key.clone(), role);
        }
        let mut functions = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        functions.remove(name);
        drop(functions);
        function.retire();
        Ok(())
    }

    /// Returns `$LATEST` of all functions, sorted by name.
    pub fn list(&self) -> Vec<Arc<FunctionVersion>> {
        let functions = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        functions
            .values()
            .filter_map(|one| one.version(None))
            .collect()
    }

    /// Returns a version by its number or alias; `None` means `$LATEST`.
    ///
    /// # Errors
    ///
    /// If the function or the version does not exist.
    pub fn get(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<Arc<FunctionVersion>, FunctionError> {
        let function = self.function(name)?;
        let version = function.version(qualifier);
        version.ok_or_else(|| self.not_found(name, qualifier))
    }

    /// Returns `$LATEST` and all published versions, oldest first.
    ///
    /// # Errors
    ///
    /// If the function does not exist.
    pub fn versions(&self, name: &str) -> Result<Vec<Arc<FunctionVersion>>, FunctionError> {
        Ok(self.function(name)?.versions())
    }

    /// Publishes `$LATEST` under the next number. If code and configuration are those of the newest version, returns that
    /// version (row D17).
    ///
    /// # Errors
    ///
    /// If the function does not exist, or the digest or the revision ID is given and not that of `$LATEST`.
    pub fn publish_version(
        &self,
        name: &str,
        description: Option<String>,
        sha256: Option<&str>,
        revision: Option<&str>,
    ) -> Result<Arc<FunctionVersion>, FunctionError> {
        self.function(name)?.publish(description, sha256, revision)
    }

    /// Sets the maximum number of environments per version: `ReservedConcurrentExecutions`. Zero throttles every invocation.
    ///
    /// # Errors
    ///
    /// If the function does not exist.
    pub fn set_reserved_concurrency(
        &self,
        name: &str,
        environments: Option<usize>,
    ) -> Result<(), FunctionError> {
        self.function(name)?.set_reserved_concurrency(environments);
        Ok(())
    }

    /// Returns the value of [`Functions::set_reserved_concurrency`].
    ///
    /// # Errors
    ///
    /// If the function does not exist.
    pub fn reserved_concurrency(&self, name: &str) -> Result<Option<usize>, FunctionError> {
        Ok(self.function(name)?.reserved_concurrency())
    }

    /// Returns the role of the function whose processes have this access key. Other access keys have no role: they belong to
    /// an administrator of the account.
    pub fn role_of(&self, access_key: &str) -> Option<String> {
        let functions = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut functions = functions.values();
        if let Some(function) = functions.find(|one| one.credentials.access_key == access_key) {
            return function.role();
        }
        let deleted_roles = self
            .deleted_roles
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        deleted_roles.get(access_key).cloned()
    }

    /// Returns the secrets of the function whose processes have this access key. A deleted function has none.
    pub fn secret_of(&self, access_key: &str) -> Option<FunctionSecret> {
        let functions = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut functions = functions.iter();
        let (name, function) =
            functions.find(|(_, one)| one.credentials.access_key == access_key)?;
        Some(function.credentials.secret(name))
    }

    fn find(&self, name: &str) -> Option<Arc<FunctionRecord>> {
        let functions = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        functions.get(name).cloned()
    }

    fn function(&self, name: &str) -> Result<Arc<FunctionRecord>, FunctionError> {
        self.find(name).ok_or_else(|| self.not_found(name, None))
    }

    fn insert(
        &self,
        name: &str,
        configuration: Configuration,
        code: CodeCopy,
    ) -> Result<Arc<FunctionVersion>, FunctionError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
            return Err(FunctionError::invalid(format!(
                "{name:?} is not a valid function name: use letters, digits, - and _, at most 64 characters"
            )));
        }
        let function = Arc::new(FunctionRecord::new(
            &self.host,
            self.scope().function(name),
            configuration,
            code,
        )?);
        let mut functions = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if functions.contains_key(name) {
            return Err(FunctionError::conflict(format!(
                "Function already exist: {name}"
            )));
        }
        functions.insert(name.to_owned(), function.clone());
        drop(functions);
        function
            .version(None)
            .ok_or_else(|| self.not_found(name, None))
    }

    fn not_found(&self, name: &str, qualifier: Option<&str>) -> FunctionError {
        let mut arn = self.scope().function(name);
        arn.qualifier = qualifier.map(str::to_owned);
        FunctionError::not_found(format!("Function not found: {arn}"))
    }
}

/// Aliases and policies.
impl Functions {
    /// Returns an alias.
    ///
    /// # Errors
    ///
    /// If the function or the alias does not exist.
    pub fn alias(&self, name: &str, alias: &str) -> Result<FunctionAlias, FunctionError> {
        self.function(name)?.alias(alias)
    }

    /// Returns all aliases of a function, sorted by name.
    ///
    /// # Errors
    ///
    /// If the function does not exist.
    pub fn aliases(&self, name: &str) -> Result<Vec<FunctionAlias>, FunctionError> {
        Ok(self.function(name)?.aliases())
    }

    /// Creates an alias that points to a version.
    ///
    /// # Errors
    ///
    /// If the function or the version does not exist, or the alias exists already.
    pub fn create_alias(
        &self,
        name: &str,
        alias: &str,
        version: &str,
        description: String,
    ) -> Result<FunctionAlias, FunctionError> {
        self.function(name)?
            .create_alias(alias, version, description)
    }

    /// Points an alias to another version, which runs the alias's next invocation.
    ///
    /// # Errors
    ///
    /// If the function, the alias or the version does not exist, or the revision ID does not match.
    pub fn update_alias(
        &self,
        name: &str,
        alias: &str,
        version: Option<&str>,
        description: Option<String>,
        revision: Option<&str>,
    ) -> Result<FunctionAlias, FunctionError> {
        self.function(name)?
            .update_alias(alias, version, description, revision)
    }

    /// Deletes an alias with its policy. Succeeds if the alias does not exist.
    ///
    /// # Errors
    ///
    /// If the function does not exist.
    pub fn delete_alias(&self, name: &str, alias: &str) -> Result<(), FunctionError> {
        self.function(name)?.delete_alias(alias);
        Ok(())
    }

    /// Adds a statement to the policy of a qualifier; `None` means the unqualified function (row D19).
    ///
    /// # Errors
    ///
    /// If the function, version or alias does not exist, or the policy has a statement with this ID.
    pub fn add_permission(
        &self,
        name: &str,
        qualifier: Option<&str>,
        permission: PermissionStatement,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        self.function(name)?
            .add_permission(qualifier, permission, revision)
    }

    /// Removes a statement from the policy of a qualifier.
    ///
    /// # Errors
    ///
    /// If the function or the statement does not exist.
    pub fn remove_permission(
        &self,
        name: &str,
        qualifier: Option<&str>,
        statement_id: &str,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        self.function(name)?
            .remove_permission(qualifier, statement_id, revision)
    }

    /// Returns the policy of a qualifier.
    ///
    /// # Errors
    ///
    /// If the function does not exist or has no policy.
    pub fn policy(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<ResourcePolicy, FunctionError> {
        self.function(name)?.policy(qualifier)
    }
}
