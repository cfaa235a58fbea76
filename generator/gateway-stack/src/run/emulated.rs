//! Creates the template's resources of services that do not run here at the endpoint that the user named. They stay there
//! when they leave the template, because they may contain data, but for rules and subscriptions.

use std::path::Path;

use serde_json::{Map, Value as Json};
use stackgen_model::{LogicalId, Resource};

use super::StackRun;
use crate::desired::refers_to_any;
use crate::physical::UnresolvedReason;
use crate::service_resource::{
    self, EmulatedState, ServiceResource, ServiceResourceError, ServiceResources, StoredResource,
};
use crate::trigger::EVENT_RULE;
use crate::{ChangeAction, EmulatedResource, NotRun, resource_types, state_machine};

/// Properties without which a resource is not created.
const NEEDED: [&str; 8] = [
    "Definition",
    "DefinitionString",
    "DefinitionSubstitutions",
    "Endpoint",
    "Protocol",
    "SecretString",
    "TopicArn",
    "Value",
];

/// Reason why a resource is not put now.
enum NotPut {
    /// A version that it refers to is not published yet.
    Waits,
    /// It is not for the endpoint.
    Elsewhere,
    /// It cannot be created.
    Failed(String),
}

impl<'a> StackRun<'a> {
    /// Returns the resources of the template that the endpoint gets.
    pub(super) fn emulated_resources(&self) -> Vec<&'a Resource> {
        let resources = self.model.resources.values().map(AsRef::as_ref);
        resources
            .filter(|one| service_resource::emulated_properties(&one.kind).is_some())
            .filter(|_| self.account.services.is_some())
            .collect()
    }

    /// Puts resources after those that they refer to. Returns those that wait for a version.
    pub(super) async fn put_emulated(
        &mut self,
        mut waiting: Vec<&'a Resource>,
    ) -> Vec<&'a Resource> {
        let Some(services) = self.account.services.clone() else {
            return Vec::new();
        };
        loop {
            let before = waiting.len();
            let mut left: Vec<LogicalId> =
                waiting.iter().map(|one| one.logical_id.clone()).collect();
            let mut deferred = Vec::new();
            for resource in waiting {
                let id = &resource.logical_id;
                let others: Vec<LogicalId> =
                    left.iter().filter(|other| *other != id).cloned().collect();
                if refers_to_any(resource, &others) || !self.put_one(&*services, resource).await {
                    deferred.push(resource);
                } else {
                    left.retain(|other| other != id);
                }
            }
            if deferred.is_empty() || deferred.len() == before {
                return deferred;
            }
            waiting = deferred;
        }
    }

    /// Notes the resources that could not be put, because what they refer to does not exist.
    pub(super) fn note_not_put(&mut self, waiting: &[&Resource]) {
        for resource in waiting {
            let reason = "it is not created in the emulator: what it refers to does not exist";
            self.note(resource, reason.to_owned());
        }
    }

    /// Puts one resource, also if it did not change: the emulator may have been restarted without it. Returns false if it must
    /// wait.
    async fn put_one(&mut self, services: &dyn ServiceResources, resource: &Resource) -> bool {
        let existing = self.existing_emulated(services, resource).await;
        let desired = match self.desired_emulated(resource) {
            Ok(desired) => desired,
            Err(NotPut::Waits) => return false,
            Err(NotPut::Elsewhere) => {
                if let Some(existing) = existing {
                    self.remove_one(services, &resource.logical_id, existing)
                        .await;
                }
                return true;
            }
            Err(NotPut::Failed(reason)) => {
                self.note(
                    resource,
                    format!("it is not created in the emulator: {reason}"),
                );
                return true;
            }
        };
        self.note_ignored(resource);
        let put = match &self.unreachable {
            Some(reason) => Err(reason.clone()),
            None => services
                .put(&desired, existing.as_ref())
                .await
                .map_err(|error| self.failed_call(error)),
        };
        match (put, existing) {
            (Ok(stored), existing) => self.record_emulated(resource, desired, stored, existing),
            (Err(reason), None) => {
                let reason = format!("it is not created in the emulator: {reason}");
                self.note(resource, reason);
            }
            (Err(reason), Some(existing)) => {
                let reason = format!("it is not updated in the emulator: {reason}");
                self.note(resource, reason);
                self.use_emulated(resource, existing.desired.name, existing.stored);
            }
        }
        true
    }

    /// Returns the state of a resource at the endpoint. If its logical ID had another type, that one is removed.
    async fn existing_emulated(
        &mut self,
        services: &dyn ServiceResources,
        resource: &Resource,
    ) -> Option<EmulatedState> {
        let id = &resource.logical_id;
        let existing = self.state.emulated.get(id)?.clone();
        if existing.kind == resource.kind {
            return Some(existing);
        }
        if existing.is_removed() {
            self.remove_one(services, id, existing).await;
        }
        None
    }

    /// Returns the reason of a failure. If nothing can be reached, no more calls are made.
    fn failed_call(&mut self, error: ServiceResourceError) -> String {
        if error.is_unreachable {
            self.unreachable = Some(error.message.clone());
        }
        error.message
    }

    fn record_emulated(
        &mut self,
        resource: &Resource,
        desired: ServiceResource,
        stored: StoredResource,
        existing: Option<EmulatedState>,
    ) {
        let id = &resource.logical_id;
        let name = desired.name.clone();
        let action = match &existing {
            None => Some(ChangeAction::Created),
            Some(existing) if existing.desired != desired => Some(ChangeAction::Updated),
            Some(_) => None,
        };
        // The gateway has a part of some, and records its changes.
        let is_recorded = resource_types::creation_order(&resource.kind).is_some();
        if let Some(action) = action.filter(|_| !is_recorded) {
            self.record_change(action, id, &resource.kind, name.clone());
        }
        let state = EmulatedState {
            kind: resource.kind.clone(),
            desired,
            stored: stored.clone(),
        };
        self.state.emulated.insert(id.clone(), state);
        self.use_emulated(resource, name, stored);
    }

    /// Removes the rules and subscriptions that left the template.
    pub(super) async fn remove_emulated(&mut self) {
        let Some(services) = self.account.services.clone() else {
            return;
        };
        let all = self.state.emulated.iter();
        let removed = all.filter(|(id, existing)| {
            existing.is_removed() && !self.model.resources.contains_key(*id)
        });
        let removed: Vec<_> = removed
            .map(|(id, existing)| (id.clone(), existing.clone()))
            .collect();
        for (id, existing) in removed {
            self.remove_one(&*services, &id, existing).await;
        }
    }

    /// Removes a rule or a subscription.
    async fn remove_one(
        &mut self,
        services: &dyn ServiceResources,
        id: &LogicalId,
        existing: EmulatedState,
    ) {
        self.ids.forget_values(id);
        let removed = match &self.unreachable {
            Some(reason) => Err(reason.clone()),
            None => services
                .remove(&existing)
                .await
                .map_err(|error| self.failed_call(error)),
        };
        match removed {
            Ok(()) => drop(self.state.emulated.shift_remove(id)),
            Err(reason) => self.result.not_run.push(NotRun {
                logical_id: id.to_string(),
                kind: existing.kind,
                reason: format!("it could not be deleted in the emulator: {reason}"),
            }),
        }
    }

    /// Makes references to a resource resolve to what the endpoint answered.
    fn use_emulated(&mut self, resource: &Resource, name: String, stored: StoredResource) {
        for note in &stored.notes {
            self.note(resource, note.clone());
        }
        self.ids.set_values(resource.logical_id.clone(), stored);
        self.result.emulated.push(EmulatedResource {
            logical_id: resource.logical_id.to_string(),
            kind: resource.kind.clone(),
            name,
        });
    }

    fn note_ignored(&mut self, resource: &Resource) {
        for property in service_resource::ignored_properties(&resource.kind) {
            if resource.properties.get(property).is_some() {
                let reason = format!("its {property} has no effect in the emulator");
                self.note(resource, reason);
            }
        }
    }

    /// Resolves the properties of a resource.
    fn desired_emulated(&mut self, resource: &Resource) -> Result<ServiceResource, NotPut> {
        if let Some(conditional) = &resource.conditional {
            return Err(NotPut::Failed(conditional.unknown.to_string()));
        }
        let mut properties = Map::new();
        for name in service_resource::emulated_properties(&resource.kind).unwrap_or_default() {
            let Some(value) = resource.properties.get(name) else {
                continue;
            };
            match self.ids.resolve_json(value) {
                Ok(value) => drop(properties.insert((*name).to_owned(), value)),
                Err(UnresolvedReason::NotPublished(_)) => return Err(NotPut::Waits),
                Err(UnresolvedReason::Unknown(unknown)) if NEEDED.contains(name) => {
                    return Err(NotPut::Failed(format!(
                        "its {name} is not known: {unknown}"
                    )));
                }
                Err(UnresolvedReason::Unknown(unknown)) => {
                    self.note(resource, format!("its {name} is not known: {unknown}"));
                }
                Err(_) => {
                    return Err(NotPut::Failed(format!(
                        "its {name} refers to itself, or is no text"
                    )));
                }
            }
        }
        let name = self.ids.id(&resource.logical_id);
        let name = name.map_err(|_| NotPut::Failed("its name is not known".to_owned()))?;
        // The gateway's own ID of a rule is generated, because rules of several buses may have the same name.
        let name = match properties.get("Name") {
            Some(Json::String(given)) if resource.kind == EVENT_RULE => given.clone(),
            _ => name,
        };
        let mut desired = ServiceResource {
            stack: self.template.stack.clone(),
            kind: resource.kind.clone(),
            name,
            properties,
        };
        if !service_resource::without_local(&mut desired, self.ids.scope) {
            return Err(NotPut::Elsewhere);
        }
        match state_machine::is_state_machine(&resource.kind) {
            true => {
                let file = Path::new(&self.template.file);
                state_machine::complete(desired, resource, file, self.ids.scope)
                    .map_err(NotPut::Failed)
            }
            false => Ok(desired),
        }
    }
}
