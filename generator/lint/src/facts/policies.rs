//! Lists the `Allow` statements of the template's policies.

use stackgen_model::{Model, Resolved, Resource, Text};

use crate::Location;

/// A statement of a policy in the template.
pub(crate) struct RoleStatement<'a> {
    pub(crate) resource: &'a Resource,
    path: Vec<String>,
    value: &'a Resolved,
}

/// Returns the `Allow` statements of roles and policies.
pub(crate) fn allow_statements(model: &Model) -> Vec<RoleStatement<'_>> {
    let mut statements = Vec::new();
    for resource in model.resources.values() {
        let policies: &[Resolved] = match resource.kind.as_str() {
            "AWS::IAM::Role" => {
                let policies = resource.properties.get("Policies");
                policies.and_then(Resolved::as_list).unwrap_or_default()
            }
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::RolePolicy" => {
                add(resource, &[], &resource.properties, &mut statements);
                continue;
            }
            _ => continue,
        };
        for (index, policy) in policies.iter().enumerate() {
            let path = ["Policies", &index.to_string()];
            add(resource, &path, policy, &mut statements);
        }
    }
    statements
}

fn add<'a>(
    resource: &'a Resource,
    path: &[&str],
    policy: &'a Resolved,
    statements: &mut Vec<RoleStatement<'a>>,
) {
    let Some(list) = policy.at_path(&["PolicyDocument", "Statement"]) else {
        return;
    };
    for (index, value) in list.one_or_many().iter().enumerate() {
        let effect = value.get("Effect").and_then(Resolved::as_literal);
        if effect != Some("Allow") {
            continue;
        }
        let ends = ["PolicyDocument", "Statement"];
        let path = path.iter().chain(&ends).map(|&key| key.to_owned());
        let mut path: Vec<_> = path.collect();
        if list.as_list().is_some() {
            path.push(index.to_string());
        }
        statements.push(RoleStatement {
            resource,
            path,
            value,
        });
    }
}

impl<'a> RoleStatement<'a> {
    /// Returns the actions of `Action`. Does not read `NotAction`.
    pub(crate) fn actions(&self) -> impl Iterator<Item = Text> + use<'a> {
        let actions = self.value.get("Action").map(Resolved::one_or_many);
        actions
            .unwrap_or_default()
            .iter()
            .filter_map(Resolved::to_text)
    }

    /// Returns the entries of `Resource` with their locations.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (Text, Location)> {
        let value = self.value.get("Resource");
        let listed = value.is_some_and(|value| value.as_list().is_some());
        let texts = value.map(Resolved::one_or_many).unwrap_or_default();
        texts.iter().enumerate().filter_map(move |(index, text)| {
            let location = match listed {
                true => self.location(&["Resource", &index.to_string()]),
                false => self.location(&["Resource"]),
            };
            Some((text.to_text()?, location))
        })
    }

    /// Returns the location of a part of the statement.
    pub(crate) fn location(&self, path: &[&str]) -> Location {
        let whole: Vec<_> = self.path.iter().map(String::as_str).collect();
        Location::of(self.resource, &[&whole, path].concat())
    }

    pub(crate) fn is_conditional(&self) -> bool {
        self.value.get("Condition").is_some()
    }
}
