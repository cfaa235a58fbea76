//! Notes on resources that do not run here, or run in another way than on AWS.

use serde_json::{Map, Value as Json};
use stackgen_model::{Model, Resource};

use super::account::{ExistingResource, LocalAccount};
use super::async_invoke::EVENT_INVOKE_CONFIG;
use super::event_source::{EVENT_SOURCE_MAPPING, EventSourceMapping};
use super::event_source_refusals::refusals;
use super::schedule::SCHEDULE;
use super::trigger::TOPIC;
use super::{
    NotRun, StackState, async_settings, resource_types, schedule_properties, service_resource,
    trigger_properties,
};

/// Returns the notes on a template's resources: on event sources, then on triggers, then on types that do not run.
pub(super) fn not_run(account: &LocalAccount, state: &StackState, model: &Model) -> Vec<NotRun> {
    let resources = || model.resources.values().map(AsRef::as_ref);
    let existing = |resource: &Resource| state.resources.get(&resource.logical_id);
    let event_sources = resources().flat_map(|resource| {
        let mapping = existing(resource).filter(|_| resource.kind == EVENT_SOURCE_MAPPING);
        let reasons = mapping.map(|mapping| event_source(account, state, model, mapping));
        notes(resource, reasons.unwrap_or_default())
    });
    let triggers = resources().flat_map(|resource| {
        let reasons = existing(resource).map(|existing| trigger(account, resource, existing));
        notes(resource, reasons.unwrap_or_default())
    });
    let others = resources().flat_map(|resource| {
        let is_run = resource_types::creation_order(&resource.kind).is_some();
        // The endpoint has it, or a note says why it could not be created there.
        let is_elsewhere = account.services.is_some()
            && service_resource::emulated_properties(&resource.kind).is_some();
        let reason = resource_types::not_run_reason(&resource.kind);
        let reason = reason.filter(|_| !is_run && !is_elsewhere);
        notes(resource, reason.map(str::to_owned).into_iter().collect())
    });
    event_sources.chain(triggers).chain(others).collect()
}

fn notes(resource: &Resource, reasons: Vec<String>) -> Vec<NotRun> {
    let note = |reason| NotRun {
        logical_id: resource.logical_id.to_string(),
        kind: resource.kind.clone(),
        reason,
    };
    reasons.into_iter().map(note).collect()
}

/// Returns what an event source mapping does not do here, and why AWS would refuse it.
fn event_source(
    account: &LocalAccount,
    state: &StackState,
    model: &Model,
    existing: &ExistingResource,
) -> Vec<String> {
    let Ok(mapping) = EventSourceMapping::read(&existing.properties, &account.scope) else {
        return Vec::new();
    };
    let mut reasons = account.event_sources.notes(&mapping);
    reasons.extend(refusals(account, &state.resources, model, &mapping));
    reasons
}

/// Returns how a schedule, a rule, a subscription, or the settings of asynchronous invocations differ from AWS.
fn trigger(
    account: &LocalAccount,
    resource: &Resource,
    existing: &ExistingResource,
) -> Vec<String> {
    let (id, properties) = (&existing.physical_id, &existing.properties);
    match resource.kind.as_str() {
        TOPIC if account.services.is_some() && !invokes_functions(properties) => Vec::new(),
        SCHEDULE => {
            schedule_properties::notes(existing, &account.scope, account.services.is_some())
        }
        EVENT_INVOKE_CONFIG => async_settings::note(properties).into_iter().collect(),
        TOPIC if properties.contains_key("Subscription") => {
            // The endpoint has the others.
            let which = match account.services {
                Some(_) => "functions",
                None => "subscriptions",
            };
            vec![format!(
                "the {which} in its own properties get no messages here: write them as AWS::SNS::Subscription"
            )]
        }
        kind if trigger_properties::is_trigger(kind) => {
            let read = trigger_properties::read(kind, id, properties, &account.scope);
            let read = read.map(|read| match account.services {
                Some(_) => read.notes,
                None => [read.notes, read.elsewhere].concat(),
            });
            read.unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Returns true if a topic has functions in its own subscriptions.
fn invokes_functions(topic: &Map<String, Json>) -> bool {
    let subscriptions = topic.get("Subscription").and_then(Json::as_array);
    let mut subscriptions = subscriptions.into_iter().flatten();
    subscriptions.any(|one| one["Protocol"] == "lambda")
}
