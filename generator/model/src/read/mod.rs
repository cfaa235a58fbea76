//! Reading a template into the model.

mod apigatewayv2;
mod dynamodb;
mod function_link;
mod gaps;
mod iam;
mod index;
mod lambda;
mod lookup_key;
mod openapi;
mod resources;
mod sam;

use std::sync::Arc;

use stackgen_cfn::{Map, Node};

use self::index::ResourceIndex;
use crate::resource::{Resource, Resources};
use crate::{Inputs, Link, Model, Problem, Resolved, Resolver, Text};

/// Shared state of the readers: all resources, to resolve references.
pub(crate) struct Reader<'a> {
    resources: &'a Resources,
    index: ResourceIndex<'a>,
    inputs: &'a Inputs,
}

/// Limit of nesting when globals are merged. A template is never nested deeper.
const DEEPEST: usize = 64;

/// Parts of a template to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Everything.
    Everything,
    /// The wiring in full; type and physical name of other resources.
    Wiring,
}

impl Detail {
    /// True if all properties of a type are read.
    fn reads(self, kind: &str) -> bool {
        let wiring = [
            "AWS::ApiGatewayV2::",
            "AWS::Lambda::Version",
            "AWS::Lambda::Alias",
        ];
        self == Detail::Everything || wiring.iter().any(|prefix| kind.starts_with(prefix))
    }
}

impl Model {
    /// Reads a template. It never fails: anything else than a template becomes a model with problems.
    pub fn from_template(template: &Node, inputs: &Inputs) -> Model {
        model(template, inputs, Detail::Everything)
    }

    /// Reads only the wiring in full, and type and name of everything else. It is enough for
    /// [`crate::Api::snapshot_digest`], which is the same as for the whole model.
    pub fn of_wiring(template: &Node, inputs: &Inputs) -> Model {
        model(template, inputs, Detail::Wiring)
    }
}

fn model(template: &Node, inputs: &Inputs, detail: Detail) -> Model {
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

/// Reads a template without SAM resources.
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
    let load = template.at_path(&["Metadata", "Stackgen", "Load"]);
    model.declared_load = load
        .and_then(|load| resolver.resolve(load))
        .unwrap_or_default();
    problems.extend(resolver.into_problems());
    problems.sort_by_key(|problem| problem.span);
    model.problems = problems;
    model.gaps = gaps;
    model
}

/// Returns the outputs, except those that a condition excludes.
fn outputs(template: &Node, resolver: &Resolver) -> Resolved {
    let Some(section) = template.get("Outputs") else {
        return Resolved::default();
    };
    let Some(outputs) = section.as_map() else {
        return resolver.resolve(section).unwrap_or_default();
    };
    let included = outputs
        .iter()
        .filter(|(_, output)| !resolver.is_excluded(output, 0));
    let resolved =
        included.filter_map(|(key, node)| Some((key.to_owned(), resolver.resolve(node)?)));
    Resolved::Map(resolved.collect())
}

/// Builds the model of resources whose wiring alone was read.
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
            index: ResourceIndex::new(resources),
            inputs,
        }
    }

    /// Returns the resources of a type.
    fn of_type(&self, kind: &str) -> impl Iterator<Item = &'a Arc<Resource>> {
        self.index.of_type(kind).iter().copied()
    }

    /// Returns the resource that a text refers to, if it has that type. `attribute` is the attribute that the text must
    /// name.
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

    /// Returns the link of a property that should name a resource of a type.
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

/// Returns the texts of a property that is one text or a list of texts.
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

/// Returns the `Resources` section. Without one, reports a problem.
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
    problems.push(problem.with_hint("pass a CloudFormation, SAM or synthesized CDK template"));
    None
}
