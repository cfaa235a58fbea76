//! From a template to the model.

mod apigatewayv2;
mod dynamodb;
mod function_link;
mod gaps;
mod iam;
mod index;
mod lambda;
mod openapi;
mod resources;
mod sam;

use std::sync::Arc;

use stackgen_cfn::{Map, Node};

use self::index::Index;
use crate::resource::{Resource, Resources};
use crate::{Inputs, Link, Model, Problem, Resolved, Resolver, Text};

/// What the readers share: every resource, to see what a reference refers to.
pub(crate) struct Reader<'a> {
    resources: &'a Resources,
    index: Index<'a>,
    inputs: &'a Inputs,
}

/// How deeply globals merge; a document nested deeper is no template.
const DEEPEST: usize = 64;

/// How much of a template is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All of it.
    Everything,
    /// What deployments snapshot. Of other resources the type and the physical name alone.
    Wiring,
}

impl Detail {
    /// True when every property of a type is read.
    fn reads(self, kind: &str) -> bool {
        let wiring = [
            "AWS::ApiGatewayV2::",
            "AWS::Lambda::Version",
            "AWS::Lambda::Alias",
        ];
        self == Detail::Everything || wiring.iter().any(|prefix| kind.starts_with(prefix))
    }
}

pub(crate) fn model(template: &Node, inputs: &Inputs, detail: Detail) -> Model {
    match sam::expand(template) {
        None => plain(template, Resolver::new(template, inputs), inputs, detail),
        Some(expansion) => {
            let resolver =
                Resolver::new(&expansion.template, inputs).with_aliases(expansion.aliases);
            let mut model = plain(&expansion.template, resolver, inputs, detail);
            model.problems.extend(expansion.problems);
            model.gaps.extend(expansion.gaps);
            model.problems.sort_by_key(|problem| problem.span);
            model.gaps.sort_by_key(|gap| gap.span);
            model
        }
    }
}

/// The model of a template without SAM resources.
fn plain(template: &Node, resolver: Resolver, inputs: &Inputs, detail: Detail) -> Model {
    let mut problems = Vec::new();
    let resources = resources::read(template, &resolver, detail, &mut problems);
    if detail == Detail::Wiring {
        return wiring(resources, inputs);
    }
    let mut gaps = gaps::gaps(template, &resources);
    gaps.sort_by_key(|gap| gap.span);
    let mut model = {
        let reader = Reader::new(&resources, inputs);
        Model {
            apis: reader.apis(),
            domain_names: reader.domain_names(),
            functions: reader.functions(),
            versions: reader.versions(),
            aliases: reader.aliases(),
            permissions: reader.permissions(),
            roles: reader.roles(),
            tables: reader.tables(),
            log_groups: reader.log_groups(),
            ..Model::default()
        }
    };
    model.resources = resources;
    let section = |name: &str| {
        template
            .get(name)
            .and_then(|node| resolver.resolve(node))
            .unwrap_or_default()
    };
    model.outputs = outputs(template, &resolver);
    model.parameters = section("Parameters");
    problems.extend(resolver.into_problems());
    problems.sort_by_key(|problem| problem.span);
    model.problems = problems;
    model.gaps = gaps;
    model
}

/// The outputs that no condition leaves out.
fn outputs(template: &Node, resolver: &Resolver) -> Resolved {
    let Some(section) = template.get("Outputs") else {
        return Resolved::default();
    };
    let Some(outputs) = section.as_map() else {
        return resolver.resolve(section).unwrap_or_default();
    };
    let kept = outputs
        .iter()
        .filter(|(_, output)| !resolver.left_out(output, 0));
    let resolved = kept.filter_map(|(key, node)| Some((key.to_owned(), resolver.resolve(node)?)));
    Resolved::Map(resolved.collect())
}

/// The model of resources of which the wiring alone was read.
fn wiring(resources: Resources, inputs: &Inputs) -> Model {
    let reader = Reader::new(&resources, inputs);
    let mut model = Model {
        apis: reader.apis(),
        functions: reader.functions(),
        versions: reader.versions(),
        aliases: reader.aliases(),
        ..Model::default()
    };
    model.resources = resources;
    model
}

impl<'a> Reader<'a> {
    fn new(resources: &'a Resources, inputs: &'a Inputs) -> Self {
        Reader {
            resources,
            index: Index::new(resources),
            inputs,
        }
    }

    /// The resources of a type.
    fn of_type(&self, kind: &str) -> impl Iterator<Item = &'a Arc<Resource>> {
        self.index.of_type(kind).iter().copied()
    }

    /// The resource that a text is a reference to, if it is of that type. `attribute` is what the text must name.
    fn referenced(
        &self,
        text: &Text,
        kind: &str,
        attribute: Option<&str>,
    ) -> Option<&'a Arc<Resource>> {
        let reference = text.as_reference()?;
        let resource = self.resources.get(&reference.logical_id)?;
        (resource.kind == kind && reference.attribute.as_deref() == attribute).then_some(resource)
    }

    /// What a property names that ought to be a resource of that type.
    fn link(&self, text: Option<Text>, kind: &str, attribute: Option<&str>) -> Link {
        match text
            .as_ref()
            .and_then(|text| self.referenced(text, kind, attribute))
        {
            Some(resource) => Link::To(resource.logical_id.clone()),
            None => Link::elsewhere(text),
        }
    }
}

/// The texts of a property that is one text or a list of them.
fn texts(value: Option<&Resolved>) -> Vec<Text> {
    value
        .map(|value| {
            value
                .one_or_many()
                .iter()
                .filter_map(Resolved::to_text)
                .collect()
        })
        .unwrap_or_default()
}

/// The sections of a template that hold what the model reads; empty, with a problem, when there is nothing to read.
fn resources_section<'t>(template: &'t Node, problems: &mut Vec<Problem>) -> Option<&'t Map> {
    let problem = match template.get("Resources") {
        Some(node) if node.as_map().is_some_and(|map| !map.is_empty()) => return node.as_map(),
        Some(node) => Problem::new("Resources is not a mapping of resources", node.span),
        None if template.as_map().is_none() => Problem::new(
            format!("a template is a mapping, and this is {}", template.kind()),
            template.span,
        ),
        None => Problem::new("the template has no Resources", template.span),
    };
    problems.push(
        problem.with_hint("give a CloudFormation or SAM template, or one that CDK has synthesised"),
    );
    None
}
