//! Applies one template: creations and updates in order of dependency, then deletions.

mod emulated;

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;
use stackgen_cfn::Span;
use stackgen_gateway_common::{ApiId, StageName};
use stackgen_model::{LogicalId, Model, Resource};

use super::account::{ExistingResource, LocalAccount, UpdateResult};
use super::code::TemplateCode;
use super::custom_domains::root_stages;
use super::desired::{DesiredResource, refers_to_any};
use super::identity_pool::{IdentityPool, identity_pools};
use super::physical::{PhysicalIds, UnresolvedReason};
use super::resource_error::ResourceError;
use super::rewrite::Rewriter;
use super::unresolved::unresolved_problem;
use super::user_pool::{UserPool, user_pools};
use super::{
    ApplyMode, ApplyResult, ChangeAction, NotRun, ResourceChange, StackState, StackTemplate,
    TemplateProblem, async_settings, attributes, content, custom_resources, keys, resource_notes,
    resource_types, state_machine, wiring,
};

/// State while a template is applied to an account.
pub(super) struct StackRun<'a> {
    account: &'a LocalAccount,
    state: &'a mut StackState,
    template: &'a StackTemplate,
    model: &'a Model,
    ids: PhysicalIds<'a>,
    code: TemplateCode,
    result: ApplyResult,
    problems: Vec<TemplateProblem>,
    /// Resources that failed. Resources that refer to them are skipped.
    failed: Vec<LogicalId>,
    /// Resources that this run has replaced. They are deleted at the end.
    replaced: Vec<(LogicalId, ExistingResource)>,
    /// Reason why the endpoint for services that do not run here cannot be reached.
    unreachable: Option<String>,
}

impl<'a> StackRun<'a> {
    pub(super) fn new(
        account: &'a LocalAccount,
        state: &'a mut StackState,
        template: &'a StackTemplate,
        model: &'a Model,
    ) -> Self {
        let ids = known_ids(account, state, template, model);
        StackRun {
            account,
            state,
            template,
            model,
            ids,
            code: TemplateCode::find(template, model),
            result: ApplyResult::default(),
            problems: Vec::new(),
            failed: Vec::new(),
            replaced: Vec::new(),
            unreachable: None,
        }
    }

    /// Applies the template.
    pub(super) async fn apply(&mut self) -> Result<ApplyResult, Vec<TemplateProblem>> {
        let functions = &self.account.functions;
        let existing = &self.state.resources;
        let not_copied = self
            .code
            .copy(functions, |id| existing.contains_key(id))
            .await;
        self.result.not_run.extend(not_copied);
        let emulated = self.put_emulated(self.emulated_resources()).await;
        let mut pending = in_creation_order(self.model);
        // Resources that refer to a version must wait for its number. Each pass creates those whose versions were published
        // in the pass before.
        loop {
            let before = pending.len();
            let mut deferred = Vec::new();
            for resource in pending {
                if !self.apply_resource(resource).await {
                    deferred.push(resource);
                }
            }
            if deferred.is_empty() || deferred.len() == before {
                for resource in deferred {
                    let message = format!(
                        "{} refers to a version that is never published",
                        resource.logical_id
                    );
                    self.record_problem(resource.span, &ResourceError::new(message));
                }
                break;
            }
            pending = deferred;
        }
        // Some refer to versions.
        let emulated = self.put_emulated(emulated).await;
        self.note_not_put(&emulated);
        match self.problems.is_empty() {
            true => {
                self.delete_removed().await;
                self.remove_emulated().await;
            }
            false => self.restore_replaced(),
        }
        self.note_not_run();
        self.problems.sort_by_key(|problem| problem.byte_range);
        match self.problems.is_empty() {
            true => Ok(std::mem::take(&mut self.result)),
            false => Err(std::mem::take(&mut self.problems)),
        }
    }

    /// Returns the identity pools of the template.
    pub(super) fn identity_pools(&self) -> Vec<IdentityPool> {
        identity_pools(self.model, &self.ids)
    }

    /// Returns the stages to which the root of a custom domain is mapped.
    pub(super) fn root_stages(&self) -> HashMap<ApiId, StageName> {
        root_stages(self.model, &self.ids)
    }

    /// Returns the user pools of the template.
    pub(super) fn user_pools(&self) -> Vec<UserPool> {
        user_pools(self.model, &self.ids)
    }

    /// Creates or updates a resource. Returns false if it must wait for a version.
    async fn apply_resource(&mut self, resource: &'a Resource) -> bool {
        let id = &resource.logical_id;
        if refers_to_any(resource, &self.failed) {
            self.failed.push(id.clone());
            return true;
        }
        if resource_types::is_optional(&resource.kind)
            && let Some(conditional) = &resource.conditional
        {
            let reason = format!("it is left out: {}", conditional.unknown);
            self.note(resource, reason);
            return true;
        }
        let existing = self.state.resources.get(id).cloned();
        let without_deployments = self.template.apply == ApplyMode::WithoutDeployments;
        if without_deployments
            && existing.is_none()
            && resource.kind == "AWS::ApiGatewayV2::Deployment"
        {
            self.result.undeployed.push(id.to_string());
            return true;
        }
        let mut desired = match self.desired(resource) {
            Ok(desired) => desired,
            Err(done) => return done,
        };
        if without_deployments && resource.kind == "AWS::ApiGatewayV2::Stage" {
            keep_deployment(&mut desired, existing.as_ref());
        }
        self.result.not_run.append(&mut desired.notes);
        let result = match existing {
            Some(mut existing) if !needs_replacement(&existing, &desired) => {
                if !without_deployments {
                    include_deployment(&mut existing, &desired);
                }
                self.update(&desired, existing).await
            }
            other => self.create(&desired, other).await,
        };
        if let Err(error) = result {
            self.failed.push(id.clone());
            self.record_problem(resource.span, &error);
        }
        true
    }

    /// Resolves the properties of a resource. The error says whether there is nothing left to do: false if it must wait for a
    /// version.
    fn desired(&mut self, resource: &'a Resource) -> Result<DesiredResource<'a>, bool> {
        let id = &resource.logical_id;
        let rewriter = rewriter(self.account, self.model, &self.ids);
        match DesiredResource::read(resource, self.model, &self.ids, &rewriter) {
            Ok(desired) => Ok(desired),
            Err(missing)
                if missing
                    .iter()
                    .any(|one| matches!(one.reason, UnresolvedReason::NotPublished(_))) =>
            {
                Err(false)
            }
            Err(missing) if resource_types::is_optional(&resource.kind) => {
                let problems = missing.iter();
                let problems =
                    problems.map(|missing| unresolved_problem(resource, missing).message);
                let problems: Vec<String> = problems.collect();
                self.note(resource, format!("it is left out: {}", problems.join("; ")));
                Err(true)
            }
            Err(missing) => {
                let problems = missing
                    .iter()
                    .map(|missing| unresolved_problem(resource, missing));
                self.problems.extend(problems);
                self.failed.push(id.clone());
                Err(true)
            }
        }
    }

    async fn create(
        &mut self,
        desired: &DesiredResource<'_>,
        old: Option<ExistingResource>,
    ) -> Result<(), ResourceError> {
        let resource = desired.resource;
        let id = &resource.logical_id;
        if let Some(old) = old {
            self.state.resources.shift_remove(id);
            self.ids.forget(id);
            self.replaced.push((id.clone(), old));
        }
        let physical_id = self.unused_id(desired)?;
        let code = self.code.desired(&resource.logical_id);
        let physical_id = self.account.create(desired, &physical_id, code).await?;
        self.ids.set(id.clone(), physical_id.as_str());
        self.state.resources.insert(
            id.clone(),
            ExistingResource {
                kind: resource.kind.clone(),
                physical_id: physical_id.clone(),
                properties: desired.properties.clone(),
                retained: resource.retained,
            },
        );
        self.record_change(ChangeAction::Created, id, &resource.kind, physical_id);
        Ok(())
    }

    /// Returns the physical ID for a new resource. Skips generated IDs that are taken, for example by a retained deployment.
    fn unused_id(&mut self, desired: &DesiredResource<'_>) -> Result<String, ResourceError> {
        let (id, kind) = (&desired.resource.logical_id, desired.resource.kind.as_str());
        loop {
            let physical_id = match self.ids.id(id) {
                Ok(physical_id) => physical_id,
                Err(UnresolvedReason::NotPublished(_)) => return Ok(String::new()),
                Err(_) => return Err(ResourceError::new("cannot determine its name")),
            };
            let replaces = |(_, old): &(_, ExistingResource)| {
                old.kind == kind && old.physical_id == physical_id
            };
            let generated = self.ids.is_generated(desired.resource);
            if generated
                && (wiring::exists(self.account, kind, desired.text("ApiId"), &physical_id)
                    || self.replaced.iter().any(replaces))
            {
                self.ids.skip_taken(id);
                continue;
            }
            if self.replaced.iter().any(replaces) && resource_types::has_unique_name(kind) {
                return Err(ResourceError {
                    hint: Some(
                        "give it another name, or restart the gateway; CloudFormation refuses this change as well"
                            .to_owned(),
                    ),
                    ..ResourceError::new(format!(
                        "cannot replace {physical_id}: its name is fixed"
                    ))
                });
            }
            return Ok(physical_id);
        }
    }

    async fn update(
        &mut self,
        desired: &DesiredResource<'_>,
        existing: ExistingResource,
    ) -> Result<(), ResourceError> {
        let resource = desired.resource;
        let code = self.code.desired(&resource.logical_id);
        let result = self.account.update(desired, &existing, code).await?;
        if let Some(stored) = self.state.resources.get_mut(&resource.logical_id) {
            stored.properties = desired.properties.clone();
            stored.retained = resource.retained;
        }
        let action = match result {
            UpdateResult::Unchanged => return Ok(()),
            UpdateResult::Updated => ChangeAction::Updated,
            UpdateResult::Code => ChangeAction::Code,
        };
        self.record_change(
            action,
            &resource.logical_id,
            &resource.kind,
            existing.physical_id,
        );
        Ok(())
    }

    /// Called after a failure: restores the replaced resources, and schedules their replacements for deletion.
    fn restore_replaced(&mut self) {
        for (id, old) in std::mem::take(&mut self.replaced) {
            if let Some(new) = self.state.resources.insert(id, old) {
                self.state.leftovers.push(new);
            }
        }
    }

    /// Deletes resources that left the template or were replaced. Without deployments, only wiring is deleted: the deployment
    /// that a stage serves may call the rest.
    async fn delete_removed(&mut self) {
        let without_deployments = self.template.apply == ApplyMode::WithoutDeployments;
        let removed: Vec<_> = self
            .state
            .resources
            .iter()
            .filter(|(id, _)| !self.model.resources.contains_key(*id))
            .filter(|(_, existing)| {
                !without_deployments || resource_types::is_wiring(&existing.kind)
            })
            .map(|(id, _)| id.clone())
            .collect();
        let mut to_delete: Vec<(Option<LogicalId>, ExistingResource)> = Vec::new();
        for id in removed {
            if let Some(existing) = self.state.resources.shift_remove(&id) {
                to_delete.push((Some(id), existing));
            }
        }
        let replaced = std::mem::take(&mut self.replaced).into_iter();
        let replaced = replaced.map(|(_, old)| old);
        let (now, deferred): (Vec<_>, Vec<_>) =
            replaced.partition(|old| !without_deployments || resource_types::is_wiring(&old.kind));
        let mut leftovers = std::mem::replace(&mut self.state.leftovers, deferred);
        if without_deployments {
            self.state.leftovers.append(&mut leftovers);
        }
        to_delete.extend(now.into_iter().chain(leftovers).map(|old| (None, old)));
        to_delete.sort_by_key(|(_, existing)| {
            std::cmp::Reverse(resource_types::creation_order(&existing.kind))
        });
        for (id, existing) in to_delete {
            self.delete(id, existing).await;
        }
    }

    async fn delete(&mut self, id: Option<LogicalId>, existing: ExistingResource) {
        let shown_id = id
            .clone()
            .unwrap_or_else(|| LogicalId::new(existing.physical_id.as_str()));
        if self.is_shared_version(&existing) {
            return;
        }
        // A rollback may activate the old version, whose settings stay as with `UpdateReplacePolicy: Retain`.
        if id.is_none() && async_settings::is_of_version(&existing) {
            return;
        }
        if existing.retained && id.is_some() {
            self.record_change(
                ChangeAction::Retained,
                &shown_id,
                &existing.kind,
                existing.physical_id,
            );
            return;
        }
        match self.account.delete(&existing).await {
            Ok(()) => self.record_change(
                ChangeAction::Deleted,
                &shown_id,
                &existing.kind,
                existing.physical_id,
            ),
            // As in CloudFormation's cleanup, a failed deletion does not fail the update (row D10).
            Err(error) => self.result.not_run.push(NotRun {
                logical_id: shown_id.to_string(),
                kind: existing.kind,
                reason: format!("it could not be deleted: {}", error.message),
            }),
        }
    }

    /// Returns true for a version that another logical ID refers to as well: publishing unchanged code and configuration
    /// returns the same version (row D17).
    fn is_shared_version(&self, version: &ExistingResource) -> bool {
        let function =
            |one: &ExistingResource| attributes::function_name(one.text("FunctionName")).to_owned();
        version.kind == "AWS::Lambda::Version"
            && self.state.resources.values().any(|other| {
                other.kind == version.kind
                    && other.physical_id == version.physical_id
                    && function(other) == function(version)
            })
    }

    fn note(&mut self, resource: &Resource, reason: String) {
        self.result.not_run.push(NotRun {
            logical_id: resource.logical_id.to_string(),
            kind: resource.kind.clone(),
            reason,
        });
    }

    fn note_not_run(&mut self) {
        let notes = resource_notes::not_run(self.account, self.state, self.model);
        self.result.not_run.extend(notes);
        self.result.not_run.extend(self.code.not_run().cloned());
        self.result.notes.clone_from(&self.code.notes);
        self.result.notes.extend(keys::notes(self.account));
        self.result.notes.extend(content::notes(self.account));
        let functions = custom_resources::functions(self.model);
        let names = functions.into_iter().filter_map(|id| self.ids.id(id).ok());
        self.result.custom_resource_functions = names.collect();
        let model = self.model;
        let gaps = model.gaps.iter();
        for gap in gaps.filter(|gap| !state_machine::is_of_machine(model, gap.span)) {
            self.result.not_run.push(NotRun {
                logical_id: String::new(),
                kind: String::new(),
                reason: gap.message.clone(),
            });
        }
    }

    fn record_change(
        &mut self,
        action: ChangeAction,
        id: &LogicalId,
        kind: &str,
        physical_id: String,
    ) {
        self.result.changes.push(ResourceChange {
            action,
            logical_id: id.to_string(),
            kind: kind.to_owned(),
            physical_id,
        });
    }

    fn record_problem(&mut self, span: Span, error: &ResourceError) {
        let problem = TemplateProblem::at(span, error.message.clone(), error.hint.clone());
        self.problems.push(problem);
    }
}

/// Returns the resources that the gateway runs, in the order of their creation.
pub(super) fn in_creation_order(model: &Model) -> Vec<&Resource> {
    let resources = model.resources.values().map(AsRef::as_ref);
    let mut run: Vec<&Resource> = resources
        .filter(|one| resource_types::creation_order(&one.kind).is_some())
        .collect();
    run.sort_by_key(|resource| resource_types::creation_order(&resource.kind));
    after_dependencies(model, run)
}

/// Moves resources after those in their `DependsOn`, where the order of types differs: a deployment that names its stage needs
/// the stage first. A resource that is moved forward comes after those that it refers to, too: a function that waits for a
/// stage with settings of a route needs the route's integration.
fn after_dependencies<'a>(model: &'a Model, resources: Vec<&'a Resource>) -> Vec<&'a Resource> {
    let mut ordered = Vec::with_capacity(resources.len());
    let mut seen = HashSet::new();
    for resource in resources {
        if !seen.insert(&resource.logical_id) {
            continue;
        }
        // The resource, and those that it waits for: each is added when its dependencies were.
        let own: Vec<_> = resource.depends_on.iter().collect();
        let mut waiting = vec![(resource, own.into_iter())];
        while let Some((resource, dependencies)) = waiting.last_mut() {
            let resource = *resource;
            let next = dependencies.find_map(|id| {
                let dependency = model.resource(id)?;
                let is_run = resource_types::creation_order(&dependency.kind).is_some();
                (is_run && seen.insert(&dependency.logical_id)).then_some(dependency)
            });
            match next {
                Some(dependency) => {
                    let references = dependency.properties.referenced_ids();
                    let needed: Vec<_> = dependency.depends_on.iter().chain(references).collect();
                    waiting.push((dependency, needed.into_iter()));
                }
                None => {
                    waiting.pop();
                    ordered.push(resource);
                }
            }
        }
    }
    ordered
}

/// Returns the physical IDs of all existing resources.
pub(super) fn known_ids<'a>(
    account: &'a LocalAccount,
    state: &StackState,
    template: &'a StackTemplate,
    model: &'a Model,
) -> PhysicalIds<'a> {
    let mut ids = PhysicalIds::new(&account.scope, &template.stack, model);
    let is_of_kind = |id: &LogicalId, kind: &str| {
        let resource = model.resource(id);
        resource.is_some_and(|resource| resource.kind == kind)
    };
    for (id, existing) in &state.resources {
        if is_of_kind(id, &existing.kind) {
            ids.set(id.clone(), existing.physical_id.as_str());
        }
    }
    for (id, existing) in &state.emulated {
        if is_of_kind(id, &existing.kind) {
            ids.set_values(id.clone(), existing.stored.clone());
        }
    }
    ids
}

pub(super) fn rewriter(account: &LocalAccount, model: &Model, ids: &PhysicalIds<'_>) -> Rewriter {
    let authorizers = model.apis.iter().flat_map(|api| &api.authorizers);
    let issuers = authorizers.filter_map(|authorizer| {
        let configuration = authorizer.resource.properties.get("JwtConfiguration")?;
        ids.resolve_text(&configuration.text("Issuer")?).ok()
    });
    Rewriter {
        hosts: Rewriter::hosts(&account.apis.list_apis(), &account.scope),
        issuers: issuers.collect(),
        issuer: account.issuer.clone(),
    }
}

/// Makes the update of a stage include the template's deployment, whatever changed: a stage that was moved by hand moves back
/// (row D16).
fn include_deployment(existing: &mut ExistingResource, desired: &DesiredResource<'_>) {
    if existing.kind == "AWS::ApiGatewayV2::Stage" && existing.properties != desired.properties {
        existing.properties.remove("DeploymentId");
    }
}

/// Lets a stage keep the deployment that it serves. A new stage gets none.
fn keep_deployment(desired: &mut DesiredResource<'_>, existing: Option<&ExistingResource>) {
    desired.properties.remove("DeploymentId");
    if let Some(deployment) = existing.and_then(|existing| existing.properties.get("DeploymentId"))
    {
        desired
            .properties
            .insert("DeploymentId".to_owned(), deployment.clone());
    }
}

/// Returns true if CloudFormation would replace the resource because its type or a create-only property changed.
fn needs_replacement(existing: &ExistingResource, desired: &DesiredResource<'_>) -> bool {
    existing.kind != desired.resource.kind
        || resource_types::create_only(&existing.kind)
            .iter()
            .any(|property| {
                let before: Option<&Json> = existing.properties.get(*property);
                before != desired.properties.get(*property)
            })
}

impl ApplyResult {
    /// Returns the number of resources by action.
    pub fn counts(&self) -> HashMap<ChangeAction, usize> {
        let mut counts = HashMap::new();
        for change in &self.changes {
            *counts.entry(change.action).or_default() += 1;
        }
        counts
    }
}
