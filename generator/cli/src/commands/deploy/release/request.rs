//! The request for a stack: parameters, capabilities, tags.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use stackgen_cfn::Node;
use stackgen_deploy::stack::{
    ParameterValue, StackDescription, StackName, StackRequest, TemplateLocation,
};

use super::super::release_args::ReleaseArgs;
use crate::error::CliError;

/// The value of a parameter of the template, and a note if the stack keeps a value that the template does not have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentParameter {
    pub(super) name: String,
    pub(super) value: ParameterValue,
    pub(super) note: Option<String>,
}

/// Decides the value of every parameter of a template: the flag's, or the stack's where it differs from the template's
/// default, or the default.
///
/// # Errors
///
/// All parameters that the template does not have, and all that lack a value.
pub(super) fn parameters(
    template: &Node,
    given: &[(String, String)],
    stack: Option<&StackDescription>,
) -> Result<Vec<SentParameter>, Vec<CliError>> {
    let declared = template.get("Parameters").and_then(Node::as_map);
    let declared: Vec<(&str, &Node)> = declared.into_iter().flat_map(|map| map.iter()).collect();
    let mut problems = Vec::new();
    for (name, _) in given {
        if !declared.iter().any(|(declared, _)| declared == name) {
            let names: Vec<&str> = declared.iter().map(|(name, _)| *name).collect();
            let has = match names.is_empty() {
                true => "it has no parameters".to_owned(),
                false => format!("it has {}", names.join(", ")),
            };
            problems
                .push(CliError::input(format!("the template has no parameter {name}")).hint(has));
        }
    }
    let mut sent = Vec::new();
    for (name, parameter) in declared {
        match parameter_value(name, parameter, given, stack) {
            Some(value) => sent.push(value),
            None => problems.push(
                CliError::input(format!(
                    "parameter {name} has neither a value nor a default"
                ))
                .hint(format!("give a value with `--parameter {name}=VALUE`")),
            ),
        }
    }
    match problems.is_empty() {
        true => Ok(sent),
        false => Err(problems),
    }
}

fn parameter_value(
    name: &str,
    parameter: &Node,
    given: &[(String, String)],
    stack: Option<&StackDescription>,
) -> Option<SentParameter> {
    let sent = |value, note| {
        Some(SentParameter {
            name: name.to_owned(),
            value,
            note,
        })
    };
    if let Some((_, value)) = given.iter().rev().find(|(given, _)| given == name) {
        return sent(ParameterValue::Value(value.clone()), None);
    }
    let default = parameter.get("Default").and_then(scalar);
    let is_secret = parameter.get("NoEcho").and_then(scalar).as_deref() == Some("true");
    match (stack.and_then(|stack| stack.parameter(name)), default) {
        // CloudFormation never shows the value.
        (Some(_), _) if is_secret => sent(ParameterValue::Previous, None),
        (Some(value), Some(default)) if value != default => {
            let note = format!(
                "parameter {name} keeps the stack's value {value:?}; the template's default is {default:?}"
            );
            sent(ParameterValue::Previous, Some(note))
        }
        (Some(_), None) => sent(ParameterValue::Previous, None),
        (_, Some(default)) => sent(ParameterValue::Value(default), None),
        (None, None) => None,
    }
}

fn scalar(node: &Node) -> Option<String> {
    match (node.as_str(), node.as_bool(), node.as_int()) {
        (Some(text), ..) => Some(text.to_owned()),
        (_, Some(flag), _) => Some(flag.to_string()),
        (.., Some(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the capabilities that a template needs.
pub(super) fn required_capabilities(template: &Node) -> BTreeSet<&'static str> {
    let mut required = BTreeSet::new();
    if template.get("Transform").is_some() {
        required.insert("CAPABILITY_AUTO_EXPAND");
    }
    let resources = template.get("Resources").and_then(Node::as_map);
    for (_, resource) in resources.into_iter().flat_map(|map| map.iter()) {
        let kind = resource
            .get("Type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        if !kind.starts_with("AWS::IAM::") {
            continue;
        }
        let properties = resource.get("Properties").and_then(Node::as_map);
        let names = [
            "GroupName",
            "InstanceProfileName",
            "ManagedPolicyName",
            "RoleName",
            "UserName",
        ];
        let is_named =
            properties.is_some_and(|map| names.iter().any(|name| map.get(name).is_some()));
        required.insert(match is_named {
            true => "CAPABILITY_NAMED_IAM",
            false => "CAPABILITY_IAM",
        });
    }
    required
}

/// Returns the capabilities that are required and not given. CAPABILITY_NAMED_IAM includes CAPABILITY_IAM.
pub(super) fn missing_capabilities(
    required: &BTreeSet<&'static str>,
    given: &[String],
) -> Vec<&'static str> {
    let is_given = |name: &str| given.iter().any(|given| given == name);
    let missing = required.iter().copied().filter(|name| {
        let includes = *name == "CAPABILITY_IAM" && is_given("CAPABILITY_NAMED_IAM");
        !is_given(name) && !includes
    });
    missing.collect()
}

/// Builds the request. The name of its change set is a digest of what is requested, so that a rerun finds the change set
/// of an earlier run.
pub(super) fn request(
    stack: StackName,
    template_url: String,
    parameters: &[SentParameter],
    capabilities: Vec<String>,
    args: &ReleaseArgs,
    git: &str,
) -> StackRequest {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|sent| (sent.name.clone(), sent.value.clone()))
        .collect();
    let content = (
        &template_url,
        &parameters,
        &capabilities,
        &args.tags,
        &args.role_arn,
        args.express,
    );
    let content = format!("{content:?}");
    let digest = hex::encode(Sha256::digest(content));
    StackRequest {
        stack,
        creates: false,
        template: TemplateLocation::Url(template_url),
        parameters,
        capabilities,
        tags: args.tags.clone(),
        role_arn: args.role_arn.clone(),
        express: args.express,
        change_set: format!("stackgen-{}", &digest[..16]),
        description: format!("stackgen deploy, {git}"),
    }
}
