//! Lambda: functions, their versions, and who may call them.
//!
//! A function's code is copied when it is given, so that a version never changes under a build that writes the same files
//! again. Its processes speak the Runtime API, each over a listener of its own on loopback.

mod code;
mod configuration;
mod environment;
mod error;
mod function;
mod invoke;
mod policy;
mod pool;
mod processes;
mod store;
mod version;
mod watcher;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::{ArnScope, Events, RoleStore, Settings};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use code::Code;
pub use configuration::{Configuration, LogFormat};
pub use error::{FunctionError, FunctionErrorKind};
use function::Function;
pub use policy::Permission;
use store::Store;
pub use store::{Frozen, Root};
pub use version::{Alias, Change, LATEST, Policy, Version};
pub use watcher::watch;

/// All functions of this account and region.
pub struct Functions {
    host: Arc<Host>,
    store: Arc<Store>,
    all: RwLock<BTreeMap<String, Arc<Function>>>,
    /// Roles of functions that were deleted, by access key: their processes may run on for a while.
    former: RwLock<BTreeMap<String, String>>,
}

/// What all functions share.
pub(super) struct Host {
    settings: Arc<Settings>,
    roles: Arc<RoleStore>,
    logs: Arc<dyn PutLogs>,
    events: Events,
    /// Variables that every process gets beside its function's own.
    environment: RwLock<Arc<BTreeMap<String, String>>>,
    /// What the marks of all processes begin with.
    mark: String,
    /// How many environments were started.
    started: AtomicU64,
    /// Cancelled when everything ends.
    stop: CancellationToken,
    /// The lives of environments, and what else runs in the background.
    tasks: TaskTracker,
}

impl Host {
    /// The mark of an environment's processes.
    fn next_mark(&self) -> String {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        format!("{}{number}/", self.mark)
    }

    fn variables(&self) -> Arc<BTreeMap<String, String>> {
        let variables = self.environment.read();
        variables.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Kills processes with this mark and what they started, without keeping others waiting.
async fn kill_marked(mark: String) {
    let killing = tokio::task::spawn_blocking(move || processes::kill_marked(&mark));
    // It does not panic, and when the runtime ends there is nobody to wait.
    let _ = killing.await;
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.host.stop.cancel();
    }
}

impl Functions {
    /// No functions yet.
    ///
    /// # Errors
    ///
    /// If no temporary folder for code can be made, or the watcher cannot be started.
    pub fn new(
        settings: Arc<Settings>,
        roles: Arc<RoleStore>,
        logs: Arc<dyn PutLogs>,
        events: Events,
    ) -> io::Result<Self> {
        let store = Store::new(
            settings.functions.scratch.as_deref(),
            settings.functions.watcher.as_ref(),
        )?;
        let host = Host {
            settings,
            roles,
            logs,
            events,
            environment: RwLock::default(),
            mark: store.mark(),
            started: AtomicU64::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Ok(Functions {
            host: Arc::new(host),
            store: Arc::new(store),
            all: RwLock::default(),
            former: RwLock::default(),
        })
    }

    /// Variables that every process gets from its next start on, such as `AWS_ENDPOINT_URL`. A function's own win.
    pub fn set_environment(&self, variables: BTreeMap<String, String>) {
        let environment = self.host.environment.write();
        *environment.unwrap_or_else(PoisonError::into_inner) = Arc::new(variables);
    }

    /// Kills all processes with what they started, and waits until they are gone. Dropping does the same without waiting.
    pub async fn stop(&self) {
        self.host.stop.cancel();
        self.host.tasks.close();
        self.host.tasks.wait().await;
        kill_marked(self.host.mark.clone()).await;
    }

    /// Where these functions say that they are.
    pub fn scope(&self) -> &ArnScope {
        &self.host.settings.scope
    }

    /// Makes a function, or brings `$LATEST` of the one that is there up to this; what is as it should be stays untouched,
    /// processes included.
    ///
    /// # Errors
    ///
    /// If Lambda would not take the configuration, or the code cannot be read.
    pub async fn put(
        &self,
        name: &str,
        configuration: Configuration,
        code: Code,
    ) -> Result<(Arc<Version>, Change), FunctionError> {
        configuration.check()?;
        let code = self.freeze(code).await?;
        if let Some(function) = self.find(name) {
            return function.update(Some(configuration), Some(code), None);
        }
        let version = self.insert(name, configuration, code)?;
        Ok((version, Change::Created))
    }

    /// Makes a function.
    ///
    /// # Errors
    ///
    /// If there is one of that name, Lambda would not take the configuration, or the code cannot be read.
    pub async fn create(
        &self,
        name: &str,
        configuration: Configuration,
        code: Code,
    ) -> Result<Arc<Version>, FunctionError> {
        configuration.check()?;
        let code = self.freeze(code).await?;
        self.insert(name, configuration, code)
    }

    /// Gives `$LATEST` other code.
    ///
    /// # Errors
    ///
    /// If there is no such function, the code cannot be read, or a revision id is given and `$LATEST` has another.
    pub async fn update_code(
        &self,
        name: &str,
        code: Code,
        revision: Option<&str>,
    ) -> Result<(Arc<Version>, Change), FunctionError> {
        let function = self.function(name)?;
        let code = self.freeze(code).await?;
        function.update(None, Some(code), revision)
    }

    /// Gives `$LATEST` another configuration.
    ///
    /// # Errors
    ///
    /// As [`Functions::update_code`], or if Lambda would not take the configuration.
    pub fn update_configuration(
        &self,
        name: &str,
        configuration: Configuration,
        revision: Option<&str>,
    ) -> Result<(Arc<Version>, Change), FunctionError> {
        configuration.check()?;
        self.function(name)?
            .update(Some(configuration), None, revision)
    }

    /// What [`Functions::update_code`] would freeze, without a change: `DryRun`.
    ///
    /// # Errors
    ///
    /// If the code cannot be read.
    pub async fn freeze(&self, code: Code) -> Result<Frozen, FunctionError> {
        let store = self.store.clone();
        let frozen = tokio::task::spawn_blocking(move || store.freeze(&code)).await;
        frozen.unwrap_or_else(|error| Err(FunctionError::file("freezing code", &error.into())))
    }

    /// Deletes a function with all of its versions, or one version. Processes end when they are done.
    ///
    /// # Errors
    ///
    /// If there is no such function, or an alias points at the version.
    pub fn delete(&self, name: &str, qualifier: Option<&str>) -> Result<(), FunctionError> {
        let function = self.function(name)?;
        if let Some(qualifier) = qualifier {
            return function.delete_version(qualifier);
        }
        // Noted first: at no moment are its processes anybody else's.
        if let Some(role) = function.role() {
            let mut former = self.former.write().unwrap_or_else(PoisonError::into_inner);
            former.insert(function.credentials.access_key.clone(), role);
        }
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(name);
        drop(all);
        function.retire();
        Ok(())
    }

    /// `$LATEST` of all functions, by name.
    pub fn list(&self) -> Vec<Arc<Version>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.values().filter_map(|one| one.version(None)).collect()
    }

    /// A version: `None` is `$LATEST`, else a number or an alias.
    ///
    /// # Errors
    ///
    /// If there is no such function or version.
    pub fn get(&self, name: &str, qualifier: Option<&str>) -> Result<Arc<Version>, FunctionError> {
        let function = self.function(name)?;
        let version = function.version(qualifier);
        version.ok_or_else(|| self.missing(name, qualifier))
    }

    /// `$LATEST` and all published versions, oldest first.
    ///
    /// # Errors
    ///
    /// If there is no such function.
    pub fn versions(&self, name: &str) -> Result<Vec<Arc<Version>>, FunctionError> {
        Ok(self.function(name)?.versions())
    }

    /// Freezes `$LATEST` under the next number. Unchanged code and configuration are the latest version that there is
    /// (row D17). A digest or a revision id, when given, must be those of `$LATEST`.
    ///
    /// # Errors
    ///
    /// If there is no such function, or they are others.
    pub fn publish_version(
        &self,
        name: &str,
        description: Option<String>,
        sha256: Option<&str>,
        revision: Option<&str>,
    ) -> Result<Arc<Version>, FunctionError> {
        self.function(name)?.publish(description, sha256, revision)
    }

    /// How many environments all invocations of a version may take at a time: `ReservedConcurrentExecutions`. Zero
    /// throttles everything.
    ///
    /// # Errors
    ///
    /// If there is no such function.
    pub fn reserve(&self, name: &str, environments: Option<usize>) -> Result<(), FunctionError> {
        self.function(name)?.reserve(environments);
        Ok(())
    }

    /// What [`Functions::reserve`] said.
    ///
    /// # Errors
    ///
    /// If there is no such function.
    pub fn reserved(&self, name: &str) -> Result<Option<usize>, FunctionError> {
        Ok(self.function(name)?.reserved())
    }

    /// The ARN of the role of the function whose processes have this access key; `None` for keys that are not ours. Who
    /// has none of those is an administrator of the account.
    pub fn role_of(&self, access_key: &str) -> Option<String> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let mut functions = all.values();
        if let Some(function) = functions.find(|one| one.credentials.access_key == access_key) {
            return function.role();
        }
        let former = self.former.read().unwrap_or_else(PoisonError::into_inner);
        former.get(access_key).cloned()
    }

    fn find(&self, name: &str) -> Option<Arc<Function>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }

    fn function(&self, name: &str) -> Result<Arc<Function>, FunctionError> {
        self.find(name).ok_or_else(|| self.missing(name, None))
    }

    fn insert(
        &self,
        name: &str,
        configuration: Configuration,
        code: Frozen,
    ) -> Result<Arc<Version>, FunctionError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
            return Err(FunctionError::invalid(format!(
                "{name:?} is no name of a function: letters, digits, - and _, at most 64"
            )));
        }
        let function = Arc::new(Function::new(
            &self.host,
            self.scope().function(name),
            configuration,
            code,
        ));
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if all.contains_key(name) {
            return Err(FunctionError::conflict(format!(
                "Function already exist: {name}"
            )));
        }
        all.insert(name.to_owned(), function.clone());
        drop(all);
        function
            .version(None)
            .ok_or_else(|| self.missing(name, None))
    }

    fn missing(&self, name: &str, qualifier: Option<&str>) -> FunctionError {
        let mut arn = self.scope().function(name);
        arn.qualifier = qualifier.map(str::to_owned);
        FunctionError::not_found(format!("Function not found: {arn}"))
    }
}

/// Aliases and policies.
impl Functions {
    /// An alias.
    ///
    /// # Errors
    ///
    /// If there is no such function or alias.
    pub fn alias(&self, name: &str, alias: &str) -> Result<Alias, FunctionError> {
        self.function(name)?.alias(alias)
    }

    /// All aliases of a function, by name.
    ///
    /// # Errors
    ///
    /// If there is no such function.
    pub fn aliases(&self, name: &str) -> Result<Vec<Alias>, FunctionError> {
        Ok(self.function(name)?.aliases())
    }

    /// Makes an alias that points at a version.
    ///
    /// # Errors
    ///
    /// If there is no such function or version, or there is such an alias.
    pub fn create_alias(
        &self,
        name: &str,
        alias: &str,
        version: &str,
        description: String,
    ) -> Result<Alias, FunctionError> {
        self.function(name)?
            .create_alias(alias, version, description)
    }

    /// Points an alias at another version: the next invocation of it runs there.
    ///
    /// # Errors
    ///
    /// If there is no such function, alias or version, or the revision id is another.
    pub fn update_alias(
        &self,
        name: &str,
        alias: &str,
        version: Option<&str>,
        description: Option<String>,
        revision: Option<&str>,
    ) -> Result<Alias, FunctionError> {
        self.function(name)?
            .update_alias(alias, version, description, revision)
    }

    /// Deletes an alias, with its policy. One that is not there is deleted already.
    ///
    /// # Errors
    ///
    /// If there is no such function.
    pub fn delete_alias(&self, name: &str, alias: &str) -> Result<(), FunctionError> {
        self.function(name)?.delete_alias(alias);
        Ok(())
    }

    /// Adds a statement to the policy of a qualifier; `None` is the unqualified function's (row D19).
    ///
    /// # Errors
    ///
    /// If there is no such function, version or alias, or there is a statement of that id.
    pub fn add_permission(
        &self,
        name: &str,
        qualifier: Option<&str>,
        permission: Permission,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        self.function(name)?
            .add_permission(qualifier, permission, revision)
    }

    /// Takes a statement out of a policy.
    ///
    /// # Errors
    ///
    /// If there is no such function or statement.
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

    /// The policy of a qualifier.
    ///
    /// # Errors
    ///
    /// If there is no such function, or it has no policy.
    pub fn policy(&self, name: &str, qualifier: Option<&str>) -> Result<Policy, FunctionError> {
        self.function(name)?.policy(qualifier)
    }
}
