//! Applies a template as CloudFormation does: creates, updates and deletes resources by their logical IDs, deletions last.
//!
//! All problems of the template are reported at once, before anything changes. If a service rejects a resource later, the
//! problem is reported with its location, and the stack is rolled back.

#![forbid(unsafe_code)]

mod account;
mod async_invoke;
mod async_settings;
mod attributes;
mod check;
mod code;
mod compute;
mod content;
mod custom_domains;
mod custom_resources;
mod desired;
mod event_source;
mod event_source_properties;
mod event_source_refusals;
mod fixed_scope;
mod identity_pool;
mod key_types;
mod keys;
mod overview;
mod parse;
mod physical;
mod resource_error;
mod resource_notes;
mod resource_types;
mod resources;
mod rewrite;
mod run;
mod schedule;
mod schedule_properties;
mod schedule_target;
mod service_resource;
mod shapes;
mod source_files;
mod state_machine;
mod storage;
mod tables;
mod trigger;
mod trigger_properties;
mod types;
mod unresolved;
mod user_pool;
mod wiring;

use indexmap::IndexMap;
use stackgen_model::{LogicalId, Model};
use tokio::sync::Mutex;

pub use account::LocalAccount;
pub use event_source::{
    EventSource, EventSourceError, EventSourceMapping, EventSources, StreamStart,
};
pub use fixed_scope::template_scope;
pub use overview::StackOverview;
pub use schedule::{Schedule, ScheduleTiming, Schedules};
pub use schedule_target::ScheduleTarget;
pub use service_resource::{
    EmulatedResource, EmulatedState, ServiceResource, ServiceResourceError, ServiceResources,
    StoredResource,
};
pub use source_files::code_files;
pub use stackgen_model::graph::{Edge, Graph, GraphNode, NodeKind};
pub use stackgen_model::{CivilMinute, ScheduleExpression};
pub use tables::{TableStore, TableStoreError};
pub use trigger::{
    FilterScope, FunctionTriggers, TargetInput, Trigger, TriggerReceiver, TriggerSource,
    TriggerTarget,
};
pub use trigger_properties::bus_name;
pub use types::{
    ApplyMode, ApplyResult, ChangeAction, NotRun, ResourceChange, StackCode, StackTemplate,
    TemplateProblem,
};

pub use identity_pool::IdentityPool;
pub use user_pool::UserPool;

use account::ExistingResource;
use run::StackRun;

/// Stack of a gateway: the template that was applied last and its resources.
pub struct GatewayStack {
    account: LocalAccount,
    state: Mutex<StackState>,
}

/// Resources in the account that belong to the stack.
#[derive(Default)]
struct StackState {
    resources: IndexMap<LogicalId, ExistingResource>,
    /// Replaced resources that a stage may still call. The next deployment deletes them.
    leftovers: Vec<ExistingResource>,
    template: Option<StackTemplate>,
    user_pools: Vec<UserPool>,
    identity_pools: Vec<IdentityPool>,
    /// Resources at the endpoint for services that do not run here.
    emulated: IndexMap<LogicalId, EmulatedState>,
}

impl GatewayStack {
    /// Creates an empty stack in this account.
    pub fn new(account: LocalAccount) -> Self {
        GatewayStack {
            account,
            state: Mutex::default(),
        }
    }

    /// Returns the stack's name, or `None` if no template was applied yet.
    pub async fn name(&self) -> Option<String> {
        let state = self.state.lock().await;
        state
            .template
            .as_ref()
            .map(|template| template.stack.clone())
    }

    /// Returns the identity pools of the template.
    pub async fn identity_pools(&self) -> Vec<IdentityPool> {
        self.state.lock().await.identity_pools.clone()
    }

    /// Returns the user pools of the template.
    pub async fn user_pools(&self) -> Vec<UserPool> {
        self.state.lock().await.user_pools.clone()
    }

    /// Applies a template to the account.
    ///
    /// # Errors
    ///
    /// If the template has problems, which are all reported, or a service rejects a resource. In both cases the account is
    /// as the previous template left it.
    pub async fn apply(
        &self,
        template: StackTemplate,
    ) -> Result<ApplyResult, Vec<TemplateProblem>> {
        let model = parse::model(&template, &self.account.scope)?;
        let mut state = self.state.lock().await;
        check::check_template(&self.account, &state, &template, &model)?;
        let mut run = StackRun::new(&self.account, &mut state, &template, &model);
        let applied = run.apply().await;
        let (user_pools, identity_pools) = (run.user_pools(), run.identity_pools());
        let root_stages = run.root_stages();
        match applied {
            Ok(applied) => {
                self.account.apis.set_root_stages(root_stages);
                state.user_pools = user_pools;
                state.identity_pools = identity_pools;
                state.template = Some(template);
                Ok(applied)
            }
            Err(problems) => {
                self.roll_back(&mut state, template.apply).await;
                Err(problems)
            }
        }
    }

    /// Applies the previous template again. Failures are ignored: there is no older state to return to.
    async fn roll_back(&self, state: &mut StackState, apply: ApplyMode) {
        let before = state
            .template
            .clone()
            .map(|template| StackTemplate { apply, ..template });
        let template = before.unwrap_or_default();
        let model = match template.text.is_empty() {
            true => Model::default(),
            false => parse::model(&template, &self.account.scope).unwrap_or_default(),
        };
        let _ = StackRun::new(&self.account, state, &template, &model)
            .apply()
            .await;
    }
}
