//! API keys and usage plans (row A15).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use stackgen_gateway_common::{ApiId, StageName};
use thiserror::Error;

/// API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApiKey {
    /// Name.
    pub name: String,
    /// Value that clients send.
    pub value: String,
    /// True if clients can use the key.
    pub enabled: bool,
    /// True if the value was generated, and is not one of the user's.
    pub generated: bool,
}

/// Stage of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStage {
    /// API ID.
    pub api_id: ApiId,
    /// Stage name.
    pub stage: StageName,
}

/// Reason why a key does not open connections to a stage.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiKeyError {
    /// No key has this value.
    #[error("the API key is not known")]
    Unknown,
    /// The key is disabled.
    #[error("the API key {0} is disabled: it has no `Enabled: true`")]
    Disabled(String),
    /// The key is in no usage plan of the stage.
    #[error("the API key {0} belongs to no usage plan with this stage")]
    NoPlan(String),
}

/// API keys and usage plans of an account.
#[derive(Debug, Default)]
pub struct ApiKeys(RwLock<KeyState>);

#[derive(Debug, Default)]
struct KeyState {
    keys: BTreeMap<String, StoredApiKey>,
    /// Stages by plan.
    plans: BTreeMap<String, Vec<PlanStage>>,
    /// Plans with their keys.
    members: BTreeSet<PlanMember>,
}

/// Key of a usage plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PlanMember {
    plan: String,
    key: String,
}

impl ApiKeys {
    /// Creates or replaces a key.
    pub fn put_key(&self, id: &str, key: StoredApiKey) {
        self.write().keys.insert(id.to_owned(), key);
    }

    /// Deletes a key.
    pub fn delete_key(&self, id: &str) {
        self.write().keys.remove(id);
    }

    /// Creates or replaces a usage plan.
    pub fn put_plan(&self, id: &str, stages: Vec<PlanStage>) {
        self.write().plans.insert(id.to_owned(), stages);
    }

    /// Deletes a usage plan.
    pub fn delete_plan(&self, id: &str) {
        self.write().plans.remove(id);
    }

    /// Adds a key to a usage plan.
    pub fn add_to_plan(&self, plan: &str, key: &str) {
        self.write().members.insert(PlanMember {
            plan: plan.to_owned(),
            key: key.to_owned(),
        });
    }

    /// Removes a key from a usage plan.
    pub fn remove_from_plan(&self, plan: &str, key: &str) {
        self.write()
            .members
            .retain(|member| member.plan != plan || member.key != key);
    }

    /// Returns true if the account has no key.
    pub fn is_empty(&self) -> bool {
        self.read().keys.is_empty()
    }

    /// Returns the keys that open connections to a stage.
    pub fn of_stage(&self, api: &ApiId, stage: &str) -> Vec<StoredApiKey> {
        let state = self.read();
        let all = state.keys.iter();
        let usable = all.filter(|(id, key)| key.enabled && state.has_plan(id, api, stage));
        usable.map(|(_, key)| key.clone()).collect()
    }

    /// Checks that a key opens connections to a stage. An account without keys accepts any key that is not empty: keys may
    /// exist outside of the template.
    ///
    /// # Errors
    ///
    /// If the key is unknown or disabled, or in no usage plan of the stage.
    pub fn check(&self, value: &str, api: &ApiId, stage: &str) -> Result<(), ApiKeyError> {
        let state = self.read();
        if state.keys.is_empty() {
            return Ok(());
        }
        let mut same = state.keys.iter().filter(|(_, key)| key.value == value);
        let first = same.next().ok_or(ApiKeyError::Unknown)?;
        let mut all = std::iter::once(first).chain(same);
        let error = match first.1.enabled {
            true => ApiKeyError::NoPlan(first.1.name.clone()),
            false => ApiKeyError::Disabled(first.1.name.clone()),
        };
        match all.any(|(id, key)| key.enabled && state.has_plan(id, api, stage)) {
            true => Ok(()),
            false => Err(error),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, KeyState> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, KeyState> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyState {
    fn has_plan(&self, key: &str, api: &ApiId, stage: &str) -> bool {
        let members = self.members.iter().filter(|member| member.key == key);
        members
            .filter_map(|member| self.plans.get(&member.plan))
            .flatten()
            .any(|one| one.api_id == *api && one.stage.as_str() == stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str, enabled: bool) -> StoredApiKey {
        StoredApiKey {
            name: value.to_uppercase(),
            value: value.to_owned(),
            enabled,
            generated: false,
        }
    }

    #[test]
    fn row_a15_a_key_needs_to_be_enabled_and_in_a_plan_of_the_stage() {
        let (keys, api) = (ApiKeys::default(), ApiId::new("api"));
        assert_eq!(keys.check("any", &api, "prod"), Ok(()));
        keys.put_key("1", key("good", true));
        keys.put_key("2", key("off", false));
        keys.put_key("3", key("other", true));
        let stage = |stage: &str| PlanStage {
            api_id: api.clone(),
            stage: StageName::new(stage),
        };
        keys.put_plan("p", vec![stage("prod")]);
        keys.put_plan("q", vec![stage("dev")]);
        for (plan, id) in [("p", "1"), ("p", "2"), ("q", "3")] {
            keys.add_to_plan(plan, id);
        }
        let check = |value| keys.check(value, &api, "prod").map_err(|it| it.to_string());
        assert_eq!(check("good"), Ok(()));
        assert_eq!(keys.of_stage(&api, "prod"), [key("good", true)]);
        insta::assert_snapshot!(check("any").unwrap_err(), @"the API key is not known");
        insta::assert_snapshot!(check("off").unwrap_err(), @"the API key OFF is disabled: it has no `Enabled: true`");
        insta::assert_snapshot!(check("other").unwrap_err(), @"the API key OTHER belongs to no usage plan with this stage");
        keys.remove_from_plan("p", "1");
        assert_eq!(
            keys.check("good", &api, "prod"),
            Err(ApiKeyError::NoPlan("GOOD".to_owned()))
        );
    }
}
