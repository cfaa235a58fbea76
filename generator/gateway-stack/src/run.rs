//! One template applied: creations and updates in the order in which resources need each other, then deletions.

use std::collections::HashMap;

use serde_json::Value as Json;
use stackgen_cfn::Span;
use stackgen_gateway_lambda::functions::Code;
use stackgen_model::{LogicalId, Model, Resource, UnknownReason};

use super::account::{Account, Done, Existing};
use super::fault::Fault;
use super::physical::{Physical, Untold};
use super::rewrite::Rewriter;
use super::wanted::{Missing, Wanted, refers};
use super::{
    Applied, Apply, Change, Held, NotRun, Problem, Template, What, attributes, code, kinds, wiring,
};

/// The application of a template to an account.
pub(super) struct Run<'a> {
    account: &'a Account,
    held: &'a mut Held,
    template: &'a Template,
    model: &'a Model,
    physical: Physical<'a>,
    applied: Applied,
    problems: Vec<Problem>,
    /// What could not be made: what refers to it is not tried.
    failed: Vec<LogicalId>,
    /// Replaced in this run by others under the same logical id, to be deleted at its end.
    replaced: Vec<(LogicalId, Existing)>,
}

/// Finds what keeps a template from being applied, before anything is.
pub(super) fn check(
    account: &Account,
    held: &Held,
    template: &Template,
    model: &Model,
) -> Result<(), Vec<Problem>> {
    let mut physical = settled(account, held, template, model);
    for version in &model.versions {
        let id = &version.resource.logical_id;
        if !held.resources.contains_key(id) {
            physical.settle(id.clone(), "0");
        }
    }
    let rewriter = rewriter(account, model, &physical);
    let mut problems = Vec::new();
    for resource in in_order(model) {
        if let Some(conditional) = &resource.conditional {
            let message = format!(
                "whether {} exists is not known: {}",
                resource.logical_id, conditional.unknown
            );
            let name = &conditional.name;
            let hint = format!(
                "give the parameters that condition {name} asks for: `--parameter NAME=VALUE`"
            );
            let hint = Some(hint);
            problems.push(Problem::at(resource.span, message, hint));
        }
        if let Err(missing) = Wanted::read(resource, model, &physical, &rewriter) {
            problems.extend(missing.iter().map(|missing| untold(resource, missing)));
        }
    }
    problems.sort_by_key(|problem| problem.place);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        account: &'a Account,
        held: &'a mut Held,
        template: &'a Template,
        model: &'a Model,
    ) -> Self {
        let physical = settled(account, held, template, model);
        Run {
            account,
            held,
            template,
            model,
            physical,
            applied: Applied::default(),
            problems: Vec::new(),
            failed: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// All of it.
    pub(super) async fn everything(&mut self) -> Result<Applied, Vec<Problem>> {
        self.read_code().await;
        let mut waiting = in_order(self.model);
        // What refers to a version waits until it has its number; each pass makes what waited for the one before.
        loop {
            let before = waiting.len();
            let mut later = Vec::new();
            for resource in waiting {
                if !self.bring_about(resource).await {
                    later.push(resource);
                }
            }
            if later.is_empty() || later.len() == before {
                for resource in later {
                    let message = format!(
                        "{} refers to a version that is never published",
                        resource.logical_id
                    );
                    self.problem(resource.span, &Fault::new(message));
                }
                break;
            }
            waiting = later;
        }
        match self.problems.is_empty() {
            true => self.delete_what_is_gone().await,
            false => self.restore_what_was_replaced(),
        }
        self.note_what_is_not_run();
        self.problems.sort_by_key(|problem| problem.place);
        match self.problems.is_empty() {
            true => Ok(std::mem::take(&mut self.applied)),
            false => Err(std::mem::take(&mut self.problems)),
        }
    }

    /// Has all code read at the same time, so that functions find it read. What cannot be read is told by its function.
    async fn read_code(&mut self) {
        let mut read = Vec::new();
        for function in &self.model.functions {
            let code = code::of(&function.resource, self.template);
            if matches!(code, Code::Bootstrap(_) | Code::Zip(_)) {
                read.push(self.account.functions.freeze(code));
            }
        }
        let _ = futures_util::future::join_all(read).await;
    }

    /// Creates or updates a resource; false when it has to wait for another.
    async fn bring_about(&mut self, resource: &'a Resource) -> bool {
        let id = &resource.logical_id;
        if refers(resource, &self.failed) {
            self.failed.push(id.clone());
            return true;
        }
        let held = self.held.resources.get(id).cloned();
        let without = self.template.apply == Apply::WithoutDeployments;
        if without && held.is_none() && resource.kind == "AWS::ApiGatewayV2::Deployment" {
            self.applied.undeployed.push(id.to_string());
            return true;
        }
        let rewriter = rewriter(self.account, self.model, &self.physical);
        let mut wanted = match Wanted::read(resource, self.model, &self.physical, &rewriter) {
            Ok(wanted) => wanted,
            Err(missing)
                if missing
                    .iter()
                    .any(|one| matches!(one.why, Untold::NotYet(_))) =>
            {
                return false;
            }
            Err(missing) => {
                let problems = missing.iter().map(|missing| untold(resource, missing));
                self.problems.extend(problems);
                self.failed.push(id.clone());
                return true;
            }
        };
        if without && resource.kind == "AWS::ApiGatewayV2::Stage" {
            keep_deployment(&mut wanted, held.as_ref());
        }
        self.applied.not_run.append(&mut wanted.notes);
        let done = match held {
            Some(mut existing) if !must_replace(&existing, &wanted) => {
                if !without {
                    tell_pointer(&mut existing, &wanted);
                }
                self.update(&wanted, existing).await
            }
            other => self.create(&wanted, other).await,
        };
        if let Err(fault) = done {
            self.failed.push(id.clone());
            self.problem(resource.span, &fault);
        }
        true
    }

    async fn create(&mut self, wanted: &Wanted<'_>, old: Option<Existing>) -> Result<(), Fault> {
        let resource = wanted.resource;
        let id = &resource.logical_id;
        if let Some(old) = old {
            self.held.resources.shift_remove(id);
            self.physical.unsettle(id);
            self.replaced.push((id.clone(), old));
        }
        let physical = self.free_id(wanted)?;
        let code = code::of(resource, self.template);
        let physical = self.account.create(wanted, &physical, Some(code)).await?;
        self.physical.settle(id.clone(), physical.as_str());
        self.held.resources.insert(
            id.clone(),
            Existing {
                kind: resource.kind.clone(),
                physical: physical.clone(),
                properties: wanted.properties.clone(),
                retained: resource.retained,
            },
        );
        self.change(What::Created, id, &resource.kind, physical);
        Ok(())
    }

    /// The id that a new resource gets: the next one while the account has something else of that id, such as a
    /// deployment that was retained.
    fn free_id(&mut self, wanted: &Wanted<'_>) -> Result<String, Fault> {
        let (id, kind) = (&wanted.resource.logical_id, wanted.resource.kind.as_str());
        loop {
            let physical = match self.physical.id(id) {
                Ok(physical) => physical,
                Err(Untold::NotYet(_)) => return Ok(String::new()),
                Err(_) => return Err(Fault::new("its name cannot be told")),
            };
            let replaces = |(_, old): &(_, Existing)| old.kind == kind && old.physical == physical;
            let generated = self.physical.is_generated(wanted.resource);
            if generated
                && (wiring::taken(self.account, kind, wanted.text("ApiId"), &physical)
                    || self.replaced.iter().any(replaces))
            {
                self.physical.next(id);
                continue;
            }
            if self.replaced.iter().any(replaces) && kinds::is_named_once(kind) {
                return Err(Fault {
                    hint: Some(
                        "CloudFormation refuses this too: give it another name, or start again"
                            .to_owned(),
                    ),
                    ..Fault::new(format!(
                        "{physical} would have to be replaced, and its name is taken by itself"
                    ))
                });
            }
            return Ok(physical);
        }
    }

    async fn update(&mut self, wanted: &Wanted<'_>, existing: Existing) -> Result<(), Fault> {
        let resource = wanted.resource;
        let code =
            (resource.kind == "AWS::Lambda::Function").then(|| code::of(resource, self.template));
        let done = self.account.update(wanted, &existing, code).await?;
        if let Some(held) = self.held.resources.get_mut(&resource.logical_id) {
            held.properties = wanted.properties.clone();
            held.retained = resource.retained;
        }
        let what = match done {
            Done::Nothing => return Ok(()),
            Done::Updated => What::Updated,
            Done::Code => What::Code,
        };
        self.change(
            what,
            &resource.logical_id,
            &resource.kind,
            existing.physical,
        );
        Ok(())
    }

    /// After a failure: what was replaced is again what its logical id means, and what was to replace it goes.
    fn restore_what_was_replaced(&mut self) {
        for (id, old) in std::mem::take(&mut self.replaced) {
            if let Some(new) = self.held.resources.insert(id, old) {
                self.held.leftovers.push(new);
            }
        }
    }

    /// Deletes what left the template and what was replaced. Without deployments, only wiring goes: the rest may be
    /// called by what a stage still serves.
    async fn delete_what_is_gone(&mut self) {
        let without = self.template.apply == Apply::WithoutDeployments;
        let gone: Vec<_> = self
            .held
            .resources
            .iter()
            .filter(|(id, _)| !self.model.resources.contains_key(*id))
            .filter(|(_, existing)| !without || kinds::is_wiring(&existing.kind))
            .map(|(id, _)| id.clone())
            .collect();
        let mut doomed: Vec<(Option<LogicalId>, Existing)> = Vec::new();
        for id in gone {
            if let Some(existing) = self.held.resources.shift_remove(&id) {
                doomed.push((Some(id), existing));
            }
        }
        let replaced = std::mem::take(&mut self.replaced).into_iter();
        let replaced = replaced.map(|(_, old)| old);
        let (now, later): (Vec<_>, Vec<_>) =
            replaced.partition(|old| !without || kinds::is_wiring(&old.kind));
        let mut leftovers = std::mem::replace(&mut self.held.leftovers, later);
        if without {
            self.held.leftovers.append(&mut leftovers);
        }
        doomed.extend(now.into_iter().chain(leftovers).map(|old| (None, old)));
        doomed.sort_by_key(|(_, existing)| std::cmp::Reverse(kinds::rank(&existing.kind)));
        for (id, existing) in doomed {
            self.delete(id, existing).await;
        }
    }

    async fn delete(&mut self, id: Option<LogicalId>, existing: Existing) {
        let named = id
            .clone()
            .unwrap_or_else(|| LogicalId::new(existing.physical.as_str()));
        if self.is_held_as_another(&existing) {
            return;
        }
        if existing.retained && id.is_some() {
            self.change(What::Retained, &named, &existing.kind, existing.physical);
            return;
        }
        match self.account.delete(&existing).await {
            Ok(()) => self.change(What::Deleted, &named, &existing.kind, existing.physical),
            // As CloudFormation does in its cleanup: what cannot be deleted stays, and the update holds (row D10).
            Err(fault) => self.applied.not_run.push(NotRun {
                logical_id: named.to_string(),
                kind: existing.kind,
                reason: format!("it is still there: {}", fault.message),
            }),
        }
    }

    /// True of a version that another logical id has, too: code and configuration that did not change are the same
    /// version again (row D17).
    fn is_held_as_another(&self, version: &Existing) -> bool {
        let function =
            |one: &Existing| attributes::function_name(one.text("FunctionName")).to_owned();
        version.kind == "AWS::Lambda::Version"
            && self.held.resources.values().any(|other| {
                other.kind == version.kind
                    && other.physical == version.physical
                    && function(other) == function(version)
            })
    }

    fn note_what_is_not_run(&mut self) {
        for resource in self.model.resources.values() {
            if kinds::rank(&resource.kind).is_none()
                && let Some(reason) = kinds::reason(&resource.kind)
            {
                self.applied.not_run.push(NotRun {
                    logical_id: resource.logical_id.to_string(),
                    kind: resource.kind.clone(),
                    reason: reason.to_owned(),
                });
            }
        }
        for gap in &self.model.gaps {
            self.applied.not_run.push(NotRun {
                logical_id: String::new(),
                kind: String::new(),
                reason: gap.message.clone(),
            });
        }
    }

    fn change(&mut self, what: What, id: &LogicalId, kind: &str, physical_id: String) {
        self.applied.changes.push(Change {
            what,
            logical_id: id.to_string(),
            kind: kind.to_owned(),
            physical_id,
        });
    }

    fn problem(&mut self, span: Span, fault: &Fault) {
        let problem = Problem::at(span, fault.message.clone(), fault.hint.clone());
        self.problems.push(problem);
    }
}

/// The resources that run here, in the order in which they are made.
fn in_order(model: &Model) -> Vec<&Resource> {
    let resources = model.resources.values().map(AsRef::as_ref);
    let mut run: Vec<&Resource> = resources
        .filter(|one| kinds::rank(&one.kind).is_some())
        .collect();
    run.sort_by_key(|resource| kinds::rank(&resource.kind));
    run
}

/// The ids of everything that exists already.
fn settled<'a>(
    account: &'a Account,
    held: &Held,
    template: &'a Template,
    model: &'a Model,
) -> Physical<'a> {
    let mut physical = Physical::new(&account.scope, &template.stack, model);
    for (id, existing) in &held.resources {
        let same = model
            .resource(id)
            .is_some_and(|resource| resource.kind == existing.kind);
        if same {
            physical.settle(id.clone(), existing.physical.as_str());
        }
    }
    physical
}

fn rewriter(account: &Account, model: &Model, physical: &Physical<'_>) -> Rewriter {
    let authorizers = model.apis.iter().flat_map(|api| &api.authorizers);
    let issuers = authorizers.filter_map(|authorizer| {
        let configuration = authorizer.resource.properties.get("JwtConfiguration")?;
        physical.text(&configuration.text("Issuer")?).ok()
    });
    Rewriter {
        hosts: Rewriter::hosts(
            &account.apis.list_apis(),
            &account.scope.region,
            attributes::suffix(&account.scope),
        ),
        issuers: issuers.collect(),
        issuer: account.issuer.clone(),
    }
}

/// Whatever changes of a stage, its update carries the template's deployment, too: a pointer that was moved by hand comes
/// back (row D16).
fn tell_pointer(existing: &mut Existing, wanted: &Wanted<'_>) {
    if existing.kind == "AWS::ApiGatewayV2::Stage" && existing.properties != wanted.properties {
        existing.properties.remove("DeploymentId");
    }
}

/// A stage keeps the deployment that it serves, and a new one has none.
fn keep_deployment(wanted: &mut Wanted<'_>, held: Option<&Existing>) {
    wanted.properties.remove("DeploymentId");
    if let Some(kept) = held.and_then(|held| held.properties.get("DeploymentId")) {
        wanted
            .properties
            .insert("DeploymentId".to_owned(), kept.clone());
    }
}

/// True when CloudFormation would replace the resource: another type under its logical id, or another value of a
/// property that can only be created.
fn must_replace(existing: &Existing, wanted: &Wanted<'_>) -> bool {
    existing.kind != wanted.resource.kind
        || kinds::create_only(&existing.kind).iter().any(|property| {
            let before: Option<&Json> = existing.properties.get(*property);
            before != wanted.properties.get(*property)
        })
}

fn untold(resource: &Resource, missing: &Missing) -> Problem {
    let path: Vec<&str> = missing.path.iter().map(String::as_str).collect();
    let (id, property) = (&resource.logical_id, path.join("."));
    let (why, hint) = match &missing.why {
        Untold::Unknown(unknown) => (unknown.to_string(), hint_for(&unknown.reason)),
        Untold::NotYet(other) => (format!("{other} is not published"), None),
        Untold::Circle(other) => (format!("names go in a circle through {other}"), None),
        Untold::NoText => ("text was expected here".to_owned(), None),
    };
    let message = format!("{property} of {id} cannot be told: {why}");
    Problem::at(resource.place(&path), message, hint)
}

fn hint_for(reason: &UnknownReason) -> Option<String> {
    match reason {
        UnknownReason::ParameterNotGiven(name) | UnknownReason::SsmParameter(name) => {
            Some(format!("give it: `--parameter {name}=VALUE`"))
        }
        UnknownReason::Condition(name) => Some(format!(
            "give the parameters that condition {name} asks for: `--parameter NAME=VALUE`"
        )),
        _ => None,
    }
}

/// Counts changes by what was done, for people.
impl Applied {
    /// How many resources each thing was done to.
    pub fn counts(&self) -> HashMap<What, usize> {
        let mut counts = HashMap::new();
        for change in &self.changes {
            *counts.entry(change.what).or_default() += 1;
        }
        counts
    }
}
