//! Creates the template's resources of services that do not run here at the endpoint that the user named. They stay there
//! when they leave the template, because they may contain data.

use std::path::Path;

use serde_json::Map;
use stackgen_model::{LogicalId, Resource};

use super::StackRun;
use crate::desired::refers_to_any;
use crate::physical::UnresolvedReason;
use crate::service_resource::{self, ServiceResource, ServiceResources};
use crate::{ChangeAction, EmulatedResource, EmulatedState, state_machine};

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
            .filter(|one| service_resource::used_properties(&one.kind).is_some())
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

    /// Puts one resource. Returns false if it must wait.
    async fn put_one(&mut self, services: &dyn ServiceResources, resource: &Resource) -> bool {
        let desired = match self.desired_emulated(resource) {
            Ok(desired) => desired,
            Err(NotPut::Waits) => return false,
            Err(NotPut::Elsewhere) => return true,
            Err(NotPut::Failed(reason)) => {
                self.note(
                    resource,
                    format!("it is not created in the emulator: {reason}"),
                );
                return true;
            }
        };
        self.note_ignored(resource);
        let id = &resource.logical_id;
        let existing = self.state.emulated.get(id);
        if let Some(existing) = existing.filter(|existing| existing.desired == desired) {
            let (stored, name) = (existing.stored.clone(), desired.name);
            self.use_emulated(resource, name, stored);
            return true;
        }
        let is_new = existing.is_none();
        if let Some(reason) = self.unreachable.clone() {
            self.note(resource, reason);
            return true;
        }
        match services.put(&desired).await {
            Ok(stored) => {
                let action = match is_new {
                    true => ChangeAction::Created,
                    false => ChangeAction::Updated,
                };
                let name = desired.name.clone();
                self.record_change(action, id, &resource.kind, name.clone());
                let state = EmulatedState {
                    desired,
                    stored: stored.clone(),
                };
                self.state.emulated.insert(id.clone(), state);
                self.use_emulated(resource, name, stored);
            }
            Err(error) => {
                let reason = format!("it is not created in the emulator: {}", error.message);
                self.unreachable = error.is_unreachable.then(|| reason.clone());
                self.note(resource, reason);
            }
        }
        true
    }

    /// Makes references to a resource resolve to what the endpoint answered.
    fn use_emulated(
        &mut self,
        resource: &Resource,
        name: String,
        stored: service_resource::StoredResource,
    ) {
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
        for name in service_resource::used_properties(&resource.kind).unwrap_or_default() {
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
