//! An API in the template of its stack.

use serde_json::Value as Json;
use stackgen_cfn::{Node, Sources};
use stackgen_model::diff::{ChangeKind, ModelChange};
use stackgen_model::{Inputs, Link, Model, Pseudo, Text};

use crate::stack::OwningStack;
use crate::wiring_diff::{VERSION, numbered_versions};
use crate::{ApiInfo, DeployError, StageName};

/// An API and a stage as a template describes them.
pub(super) struct TemplateApi {
    /// The snapshot of the API.
    pub(super) snapshot: String,
    /// The deployment that the stage names.
    pub(super) pointer: TemplatePointer,
}

/// The deployment that a template's stage names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TemplatePointer {
    /// A resource of the template, by its logical ID.
    Resource(String),
    /// An ID.
    Literal(String),
    /// None: AutoDeploy is on.
    AutoDeploy,
    /// The reason why it is unknown.
    Unknown(String),
}

impl TemplateApi {
    /// Reads the API from the template of its stack.
    pub(super) fn read(
        owner: &OwningStack,
        api: &ApiInfo,
        stage: &StageName,
        text: String,
    ) -> Result<TemplateApi, DeployError> {
        let failed = |reason: &str| DeployError::StackTemplate {
            stack: owner.stack.name.to_string(),
            reason: reason.to_owned(),
        };
        let mut sources = Sources::new();
        let parsed = stackgen_cfn::parse(sources.add("template", text));
        let mut template = parsed.map_err(|errors| {
            let first = errors.first().map(ToString::to_string);
            failed(&first.unwrap_or_else(|| "it is empty".to_owned()))
        })?;
        name_functions(&mut template, owner);
        let inputs = inputs(&mut template, owner);
        let model = Model::of_wiring(&template, &inputs);
        let mut apis = model.apis.iter();
        let found = apis.find(|one| {
            let logical_id = one.id.to().map(ToString::to_string);
            logical_id.and_then(|id| owner.physical_id(&id).map(str::to_owned))
                == Some(api.id.to_string())
        });
        let found = found.ok_or_else(|| failed("it does not describe the API"))?;
        let mut stages = found.stages.iter();
        let stage_resource = stages.find(|one| {
            let id = one.resource.logical_id.to_string();
            owner.physical_id(&id) == Some(stage.as_str())
        });
        Ok(TemplateApi {
            snapshot: numbered_versions(&found.snapshot(&model), |id| {
                // The physical ID of a version is its ARN.
                owner.physical_id(id)?.rsplit(':').next()
            }),
            pointer: stage_resource.map_or_else(
                || TemplatePointer::Unknown(format!("the template has no stage {stage}")),
                pointer,
            ),
        })
    }
}

fn pointer(stage: &stackgen_model::Stage) -> TemplatePointer {
    if stage.auto_deploy.value() == Some(&true) {
        return TemplatePointer::AutoDeploy;
    }
    let unknown = |reason: &str| TemplatePointer::Unknown(reason.to_owned());
    match &stage.deployment {
        Link::To(id) => TemplatePointer::Resource(id.to_string()),
        Link::External(text) => match Text::as_literal(text) {
            Some(id) => TemplatePointer::Literal(id.to_owned()),
            None => unknown("the template does not determine the stage's deployment"),
        },
        Link::Unknown(_) => unknown("the template does not determine the stage's deployment"),
        Link::Missing => unknown("the template names no deployment for the stage"),
    }
}

/// Writes the physical names of functions into the template. The account knows no other names, and a template may leave
/// the choice to CloudFormation.
fn name_functions(template: &mut Node, owner: &OwningStack) {
    let resources = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Resources"));
    let Some(resources) = resources.and_then(Node::as_map_mut) else {
        return;
    };
    for (logical_id, resource) in resources.iter_mut() {
        if resource.get("Type").and_then(Node::as_str) != Some("AWS::Lambda::Function") {
            continue;
        }
        let Some(name) = owner.physical_id(logical_id) else {
            continue;
        };
        let properties = resource
            .as_map_mut()
            .and_then(|map| map.get_mut("Properties"));
        if let Some(properties) = properties.and_then(Node::as_map_mut) {
            properties.insert("FunctionName", name);
        }
    }
}

/// Returns the parameters that the stack has. Values that CloudFormation does not show, or looks up in Parameter Store, lose
/// their default, so that they are unknown.
fn inputs(template: &mut Node, owner: &OwningStack) -> Inputs {
    let stack = owner.stack.name.as_str();
    let mut inputs = Inputs::none().with_pseudo(Pseudo::StackName, stack);
    let parameters = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Parameters"));
    let Some(parameters) = parameters.and_then(Node::as_map_mut) else {
        return inputs;
    };
    for (name, value) in &owner.stack.parameters {
        let Some(parameter) = parameters.get_mut(name).and_then(Node::as_map_mut) else {
            continue;
        };
        let kind = parameter.get("Type").and_then(Node::as_str);
        let is_looked_up = kind.is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::Value"));
        match is_looked_up || value == "****" {
            true => drop(parameter.remove("Default")),
            false => inputs = inputs.with_parameter(name, value),
        }
    }
    inputs
}

/// True if the template alone does not determine the value that changed, so that the change may be none.
pub(super) fn is_unresolved(change: &ModelChange) -> bool {
    match &change.kind {
        ChangeKind::Changed {
            before: Some(before),
            ..
        } => has_reference(before),
        _ => false,
    }
}

/// True if a value in canonical form contains a reference to a resource, or an expression that is unknown.
fn has_reference(value: &Json) -> bool {
    match value {
        Json::String(text) if text.starts_with(VERSION) => true,
        Json::String(text) => text
            .split("${")
            .skip(1)
            .any(|rest| !rest.starts_with('!') && !rest.starts_with("AWS::")),
        Json::Array(items) => items.iter().any(has_reference),
        Json::Object(map) => {
            map.contains_key("Unknown") || map.contains_key("If") || map.values().any(has_reference)
        }
        _ => false,
    }
}
