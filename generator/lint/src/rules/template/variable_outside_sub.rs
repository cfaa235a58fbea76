use stackgen_model::{Model, Resource};

use crate::context::RuleContext;
use crate::facts::substitution::{Unsubstituted, unsubstituted};
use crate::facts::{environment, generator};
use crate::fix::{Edit, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A text contains `${…}` with the name of a resource or parameter, but no `Fn::Sub` replaces it.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation replaces `${Api}` and `${AWS::Region}` only in the text of `Fn::Sub`, and deploys any other text
    /// as it is. The ARN of an integration or a permission then names nothing, and the handshake fails with 500 (row
    /// C7). A policy allows nothing. A function reads an address that contains `${Api}` and cannot connect. Most of
    /// these deploy without an error.
    ///
    /// Checked are APIs, functions, permissions, roles and policies, in templates that are written by hand. Names that
    /// the template does not know, such as `${stageVariables.alias}` and `${aws:username}`, belong to API Gateway and
    /// IAM. `dangling-target` reports the target of a route.
    ///
    /// ## How to fix it
    ///
    /// Write `!Sub` before the text.
    id: "SG006",
    name: "variable-outside-sub",
    severity: Error,
    confidence: High,
    rows: ["C7"],
    fixable: true,
    example: "template/variable_outside_sub.diff",
}

/// Types whose text goes to the service as it is.
const CHECKED: &[&str] = &["AWS::ApiGatewayV2::", "AWS::IAM::", "AWS::Lambda::"];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let model = context.model;
    if generator::is_from_cdk(model) || generator::is_from_serverless(model) {
        return Vec::new();
    }
    let resources = model.resources.values();
    let checked = resources.filter(|it| CHECKED.iter().any(|kind| it.kind.starts_with(kind)));
    let findings = checked.flat_map(|resource| check_resource(model, resource));
    environment::one_per_location(findings)
}

fn check_resource(model: &Model, resource: &Resource) -> Vec<Finding> {
    let Some(properties) = resource.document.get("Properties") else {
        return Vec::new();
    };
    let target = ["Target".to_owned()];
    unsubstituted(model, properties)
        .into_iter()
        .filter(|found| found.path != target && found.node.span.file.is_some())
        .map(|found| text_finding(resource, &found))
        .collect()
}

fn text_finding(resource: &Resource, found: &Unsubstituted<'_>) -> Finding {
    let path: Vec<_> = found.path.iter().map(String::as_str).collect();
    let mut location = Location::of(resource, &path);
    location.span = found.node.span;
    let message = format!(
        "`${{{}}}` is not replaced here: the text is not in a `Fn::Sub`",
        found.name
    );
    let hint = match &found.substitutable {
        Some(text) if !text.contains("${!") => "write `!Sub` before the text",
        _ => "write `!Sub` before the text, and `${!…}` for what CloudFormation must not replace",
    };
    let finding = Finding::new(&RULE, location, message).hint(hint);
    let Some(text) = &found.substitutable else {
        return finding;
    };
    let edit = Edit::Replace {
        value: found.node.span,
        with: stackgen_cfn::sub(text.as_str()),
    };
    finding.fix(Fix::one("write `!Sub` before the text", Some(edit)))
}
