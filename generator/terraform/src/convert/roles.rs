//! Roles and their policies.

use std::rc::Rc;

use stackgen_cfn::{Node, list, map};

use super::TemplateConverter;
use super::properties::ResourceProperties;
use crate::evaluate::ResourceInstance;
use crate::value::HclValue;

impl TemplateConverter<'_, '_> {
    pub(super) fn role(
        &self,
        role: &Rc<ResourceInstance>,
        properties: &mut ResourceProperties<'_, '_>,
    ) {
        let mut policies = Vec::new();
        for index in 0..properties.blocks("inline_policy") {
            let path = format!("inline_policy.{index}");
            if let Some(document) = properties.json(&format!("{path}.policy")) {
                let name = properties
                    .node(&format!("{path}.name"))
                    .unwrap_or_else(|| Node::from("inline"));
                policies.push(
                    map([("PolicyName", name), ("PolicyDocument", document)])
                        .at(properties.span(&path)),
                );
            }
        }
        if !policies.is_empty() {
            properties.set("Policies", "inline_policy.0", list(policies));
        }
        let mut managed: Vec<Node> = Vec::new();
        if let Some(arns) = properties.node("managed_policy_arns") {
            managed.extend(arns.as_list().unwrap_or_default().iter().cloned());
        }
        for attachment in self.resources.iter().filter(|one| is_attachment(&one.kind)) {
            let roles = [
                attachment.attributes.get("role"),
                attachment.attributes.get("roles"),
            ];
            let is_attached = roles.into_iter().flatten().any(|it| self.names(it, role));
            let arn = attachment.attributes.get("policy_arn");
            if let Some(arn) = arn.filter(|_| is_attached) {
                let span = attachment
                    .spans
                    .get("policy_arn")
                    .copied()
                    .unwrap_or(attachment.span);
                managed.extend(self.node(arn, span));
            }
        }
        if !managed.is_empty() {
            properties.set("ManagedPolicyArns", "managed_policy_arns", list(managed));
        }
    }

    /// Returns true if a value, or an element of it, is the name of a resource.
    pub(super) fn names(&self, value: &HclValue, resource: &ResourceInstance) -> bool {
        if let Some(items) = value.elements() {
            return items.iter().any(|item| self.names(item, resource));
        }
        let Some(text) = value.as_text() else {
            return false;
        };
        let tokens = &self.evaluator.tokens;
        let arn = tokens.reference(&resource.address, Some("Arn"), None);
        let own = tokens.reference(&resource.address, None, None);
        let name = resource.attributes.get("name").and_then(HclValue::as_text);
        text == own || text == arn || (name == Some(text) && !text.is_empty())
    }
}

fn is_attachment(kind: &str) -> bool {
    matches!(
        kind,
        "aws_iam_role_policy_attachment" | "aws_iam_policy_attachment"
    )
}

pub(super) fn role_policy(properties: &mut ResourceProperties<'_, '_>) {
    if let Some(role) = properties.node("role") {
        properties.set("Roles", "role", list([role]));
    }
}
