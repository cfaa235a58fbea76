//! Conversion of resources to a CloudFormation template.

mod apis;
mod code;
mod data_stores;
mod events;
mod functions;
mod merged;
mod properties;
mod roles;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use stackgen_cfn::{Entry, Intrinsic, Map, Node, Span, Value, list, map};

use crate::address::address_of_block;
use crate::error::ConfigurationProblem;
use crate::evaluate::{Evaluator, ResourceInstance, version_id};
use crate::functions::{json_text, short_digest};
use crate::template_types::is_in_template;
use crate::value::HclValue;
use properties::ResourceProperties;
pub(crate) use types::attribute_of;

/// State of a conversion.
pub(crate) struct TemplateConverter<'e, 'f> {
    evaluator: &'e Evaluator<'f>,
    /// All resources of all modules.
    resources: &'e [Rc<ResourceInstance>],
    /// Data sources of all modules.
    data: &'e [Rc<ResourceInstance>],
    /// Final logical IDs of resources whose ID is not their address.
    renamed: BTreeMap<String, String>,
}

impl<'e, 'f> TemplateConverter<'e, 'f> {
    pub(crate) fn new(
        evaluator: &'e Evaluator<'f>,
        resources: &'e [Rc<ResourceInstance>],
        data: &'e [Rc<ResourceInstance>],
    ) -> Self {
        TemplateConverter {
            evaluator,
            resources,
            data,
            renamed: BTreeMap::new(),
        }
    }

    /// Returns the template.
    pub(crate) fn template(&mut self, outputs: &BTreeMap<String, HclValue>) -> Node {
        let mut resources = Map::new();
        for instance in self.resources {
            self.add(instance, &mut resources);
        }
        let outputs = outputs.iter().filter_map(|(name, value)| {
            let value = self.node(value, Span::default())?;
            Some((name.as_str(), map([("Value", value)])))
        });
        let outputs: Map = outputs.collect();
        let mut template = Map::new();
        let conditions = self.conditions();
        if !conditions.is_empty() {
            template.insert("Conditions", conditions);
        }
        template.insert("Resources", resources);
        if !outputs.is_empty() {
            template.insert("Outputs", outputs);
        }
        let mut template = Node::from(template);
        rename(&mut template, &self.renamed);
        let parameters = parameters(&template);
        if let (Some(map), false) = (template.as_map_mut(), parameters.is_empty()) {
            map.insert("Parameters", parameters);
        }
        template
    }

    fn conditions(&self) -> Map {
        let unknown: BTreeSet<_> = self
            .resources
            .iter()
            .filter_map(|one| one.condition.as_deref())
            .collect();
        let conditions = unknown.into_iter().map(|name| {
            let equals = list([stackgen_cfn::r#ref(name), Node::from("true")]);
            let call = stackgen_cfn::IntrinsicCall::new(Intrinsic::Equals, equals);
            (name, Node::from(call))
        });
        conditions.collect()
    }

    fn add(&mut self, instance: &Rc<ResourceInstance>, resources: &mut Map) {
        if !is_in_template(&instance.kind) {
            return;
        }
        let mut properties = ResourceProperties::new(self.evaluator, instance);
        let kind = self.properties(instance, &mut properties);
        let mut id = instance.address.clone();
        let mut metadata = Map::new();
        metadata.insert("Address", id.as_str());
        if kind == "AWS::ApiGatewayV2::Deployment"
            && let Some(triggers) = self.triggers(instance)
        {
            id = format!("{id}.{}", short_digest(&triggers));
            self.renamed.insert(instance.address.clone(), id.clone());
            metadata.insert("HasTriggers", true);
        }
        let mut resource = Map::new();
        resource.insert("Type", Node::from(kind).at(instance.span));
        if let Some(condition) = &instance.condition {
            resource.insert("Condition", condition.as_str());
        }
        let finished = Node::from(properties.finish());
        let depends_on = self.depends_on(instance, &finished);
        if !depends_on.is_empty() {
            let span = instance
                .spans
                .get("depends_on")
                .copied()
                .unwrap_or(instance.span);
            resource.insert("DependsOn", list(depends_on).at(span));
        }
        let mut all_metadata = map([("Terraform", Node::from(metadata))]);
        if let (Some(ignore), Some(map)) = (suppressions(instance), all_metadata.as_map_mut()) {
            map.insert("Stackgen", ignore);
        }
        resource.insert("Metadata", all_metadata);
        resource.insert("Properties", finished.at(instance.span));
        let entry = Entry {
            key_span: instance.span,
            node: Node::from(resource).at(instance.span),
        };
        resources.insert_entry(id, entry);
        if instance.kind == "aws_lambda_function"
            && instance
                .attributes
                .get("publish")
                .and_then(HclValue::as_bool)
                == Some(true)
        {
            let version = self.version_of(instance);
            resources.insert(version_id(&instance.address), version);
        }
    }

    /// Sets the properties of a resource, and returns its type in CloudFormation.
    fn properties(
        &self,
        instance: &Rc<ResourceInstance>,
        properties: &mut ResourceProperties<'_, '_>,
    ) -> String {
        let kind = types::copy(instance, properties);
        match instance.kind.as_str() {
            "aws_apigatewayv2_api" => apis::api(properties),
            "aws_apigatewayv2_authorizer" => apis::authorizer(properties),
            "aws_apigatewayv2_domain_name" => apis::domain_name(properties),
            "aws_apigatewayv2_integration" => apis::integration(properties),
            "aws_apigatewayv2_route" => apis::route(properties),
            "aws_apigatewayv2_stage" => apis::stage(properties),
            "aws_cloudwatch_event_rule" => self.rule(instance, properties),
            "aws_cognito_user_pool" => data_stores::user_pool(properties),
            "aws_dynamodb_table" => data_stores::table(properties),
            "aws_iam_role" => self.role(instance, properties),
            "aws_iam_role_policy" => roles::role_policy(properties),
            "aws_kinesis_stream" => data_stores::stream(properties),
            "aws_lambda_event_source_mapping" => functions::event_source(properties),
            "aws_lambda_function" => self.function(instance, properties),
            "aws_lambda_layer_version" => self.layer(properties),
            "aws_lambda_permission" => functions::permission(properties),
            "aws_scheduler_schedule" => events::schedule(properties),
            "aws_secretsmanager_secret" => self.secret(instance, properties),
            _ => {}
        }
        kind
    }

    /// Returns the logical IDs of the resources that a resource waits for: those in `depends_on`, and those that its
    /// expressions refer to, because not every reference is one in the template, such as those of a deployment's triggers.
    fn depends_on(&self, instance: &ResourceInstance, properties: &Node) -> Vec<String> {
        let mut referenced = BTreeSet::new();
        visit_references(properties, &mut |id| {
            referenced.insert(address_of_block(id).to_owned());
        });
        let mut blocks: BTreeSet<&str> = instance.depends_on.iter().map(String::as_str).collect();
        let others = instance.dependencies.iter().map(String::as_str);
        blocks.extend(others.filter(|block| !referenced.contains(*block)));
        let waits_for = |other: &Rc<ResourceInstance>| {
            let block = address_of_block(&other.address);
            other.address != instance.address
                && is_in_template(&other.kind)
                && blocks
                    .iter()
                    .any(|wanted| block == *wanted || is_in_module(block, wanted))
        };
        let others = self.resources.iter().filter(|other| waits_for(other));
        others.map(|other| other.address.clone()).collect()
    }

    /// Returns the triggers of a deployment and those of its lifecycle in words, if it has some.
    fn triggers(&self, instance: &ResourceInstance) -> Option<String> {
        let triggers = instance.attributes.get("triggers");
        let own = triggers
            .filter(|it| **it != HclValue::Null)
            .map(trigger_text);
        let others = instance.replace_triggers.as_ref().map(json_text);
        let texts: Vec<String> = own.into_iter().chain(others).collect();
        (!texts.is_empty()).then(|| self.evaluator.tokens.describe(&texts.join(" ")))
    }

    /// Returns a value as a node of the template; `None` for null.
    fn node(&self, value: &HclValue, span: Span) -> Option<Node> {
        properties::node(&self.evaluator.tokens, value, span)
    }

    fn note(&self, span: Span, message: String, hint: &str) {
        self.evaluator
            .note(ConfigurationProblem::new(span, message).hint(hint));
    }
}

/// Returns the JSON of triggers. They are a map of texts: the number 1 is the text "1".
fn trigger_text(triggers: &HclValue) -> String {
    let Some(entries) = triggers.entries() else {
        return json_text(triggers);
    };
    let texts = entries.iter().map(|(name, value)| {
        let text = value.to_text().map(HclValue::Text);
        (name.as_str(), text.unwrap_or_else(|_| value.clone()))
    });
    json_text(&HclValue::map(texts))
}

/// Returns the linter's metadata of a resource with suppressions.
fn suppressions(instance: &ResourceInstance) -> Option<Node> {
    let items = instance.suppressions.iter().map(|one| {
        let rule = Node::from(one.rules.as_str());
        let reason = Node::from(one.reason.as_str());
        map([("Rule", rule), ("Reason", reason)]).at(one.span)
    });
    let items: Vec<Node> = items.collect();
    (!items.is_empty()).then(|| map([("Ignore", list(items))]))
}

/// Returns true if a block belongs to a module, given as `module.name` with or without a key.
fn is_in_module(block: &str, module: &str) -> bool {
    let is_module = module.rsplit('.').nth(1) == Some("module");
    let rest = block.strip_prefix(module).filter(|_| is_module);
    rest.is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// Gives resources their final logical IDs in all references.
fn rename(node: &mut Node, renamed: &BTreeMap<String, String>) {
    if renamed.is_empty() {
        return;
    }
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Value::Map(entries) => {
            for (key, value) in entries.iter_mut() {
                match (key, &mut value.value) {
                    ("DependsOn", Value::List(items)) => {
                        items.iter_mut().for_each(|item| rename_text(item, renamed))
                    }
                    _ => rename(value, renamed),
                }
            }
        }
        Value::Call(call) => match call.function {
            Intrinsic::Ref => rename_text(&mut call.argument, renamed),
            Intrinsic::GetAtt => {
                if let Value::List(items) = &mut call.argument.value
                    && let Some(id) = items.first_mut()
                {
                    rename_text(id, renamed);
                }
            }
            _ => rename(&mut call.argument, renamed),
        },
        _ => {}
    }
}

fn rename_text(node: &mut Node, renamed: &BTreeMap<String, String>) {
    if let Some(name) = node.as_str().and_then(|id| renamed.get(id)) {
        node.value = Value::String(name.clone());
    }
}

/// Returns parameters for all names that are referred to and are no resources.
fn parameters(template: &Node) -> Map {
    let resources = template.get("Resources").and_then(Node::as_map);
    let mut names = BTreeSet::new();
    visit_names(template, &mut |name| {
        let is_known =
            name.starts_with("AWS::") || resources.is_some_and(|all| all.get(name).is_some());
        if !is_known {
            names.insert(name.to_owned());
        }
    });
    let parameters = names
        .into_iter()
        .map(|name| (name, map([("Type", Node::from("String"))])));
    parameters.collect()
}

/// Calls a function for the name in every `Ref`.
fn visit_names(node: &Node, visit: &mut impl FnMut(&str)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| visit_names(item, visit)),
        Value::Map(entries) => entries
            .iter()
            .for_each(|(_, value)| visit_names(value, visit)),
        Value::Call(call) => match call.as_ref_name() {
            Some(name) => visit(name),
            None => visit_names(&call.argument, visit),
        },
        _ => {}
    }
}

/// Calls a function for the name in every `Ref` and `Fn::GetAtt`.
fn visit_references(node: &Node, visit: &mut impl FnMut(&str)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| visit_references(item, visit)),
        Value::Map(entries) => entries
            .iter()
            .for_each(|(_, value)| visit_references(value, visit)),
        Value::Call(call) => match (call.as_ref_name(), call.as_get_att()) {
            (Some(name), _) => visit(name),
            (None, Some((id, _))) => visit(id),
            (None, None) => visit_references(&call.argument, visit),
        },
        _ => {}
    }
}
