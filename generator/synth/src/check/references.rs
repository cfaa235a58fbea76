//! References: `!Ref`, `!GetAtt` and `!Sub` in a stackgen.yaml must name something that exists.

use std::collections::BTreeSet;

use stackgen_cfn::{Intrinsic, IntrinsicCall, Map, Node, Span, Value};

use super::raw::SECTIONS;
use crate::LocatedError;
use crate::outline::{Collision, TemplateOutline};
use crate::references::{depends_on, sub_names};
use crate::spans::DocumentSpans;
use crate::wording::nearest;

/// Checks that every reference of the document resolves, that conditions and mappings exist, and that logical IDs do
/// not collide.
pub(super) fn check(
    document: &Node,
    outline: &TemplateOutline,
    whole: bool,
    errors: &mut Vec<LocatedError>,
) {
    logical_ids(document, outline, errors);
    let resources = outline.resources.iter();
    // The logical ID of a version contains a digest of code that may not be built yet.
    let named = resources.filter(|(id, (node, _))| {
        node.get("Type").and_then(Node::as_str) != Some("AWS::Lambda::Version")
            && !outline.deployments.contains(id)
    });
    let mut walker = ReferenceChecker {
        parameters: keys(document, "parameters"),
        conditions: keys(document, "conditions"),
        mappings: keys(document, "mappings"),
        resources: named.map(|(id, _)| id.as_str()).collect(),
        deployments: &outline.deployments,
        whole,
        section: "",
        raw: false,
        errors,
    };
    let sections = document.as_map().into_iter().flat_map(Map::iter);
    // The environments are already merged into the rest.
    for (key, node) in sections.filter(|(key, _)| *key != "environments") {
        walker.section = key;
        walker.raw = SECTIONS.contains(&key);
        walker.node(node);
        if matches!(key, "resources" | "outputs") {
            walker.attributes(node);
        }
    }
}

fn keys<'a>(document: &'a Node, section: &str) -> BTreeSet<&'a str> {
    let map = document.get(section).and_then(Node::as_map);
    map.into_iter().flat_map(Map::keys).collect()
}

/// Reports logical IDs that collide.
fn logical_ids(document: &Node, outline: &TemplateOutline, errors: &mut Vec<LocatedError>) {
    let spans = DocumentSpans(document);
    let collisions = outline
        .collisions
        .iter()
        .map(|collision| collision_error(&spans, collision));
    // Two keys of the same route are already reported.
    let unreported: Vec<_> = collisions
        .filter(|error| errors.iter().all(|reported| reported.span != error.span))
        .collect();
    errors.extend(unreported);
    let ours = |id: &str| {
        let origin = outline.resources.get(id).map(|(_, origin)| origin);
        origin.is_some_and(|origin| origin.first().is_none_or(|first| first != "resources"))
    };
    for section in ["parameters", "resources"] {
        for id in keys(document, section).into_iter().filter(|id| ours(id)) {
            let message = format!("stackgen already makes a resource `{id}`");
            let error = LocatedError::new(spans.key(&[section, id]), message);
            errors.push(error.hint("choose another logical ID"));
        }
    }
    for id in keys(document, "outputs") {
        if outline.outputs.contains(id) {
            let message = format!("stackgen already makes an output `{id}`");
            let error = LocatedError::new(spans.key(&["outputs", id]), message);
            errors.push(error.hint("choose another logical ID"));
        }
    }
    for id in keys(document, "parameters").intersection(&keys(document, "resources")) {
        let message = format!("`{id}` is already the name of a parameter");
        let error = LocatedError::new(spans.key(&["resources", id]), message);
        errors.push(error.related(spans.key(&["parameters", id]), "the parameter"));
    }
}

/// Error of two parts of the file with the same logical ID.
fn collision_error(spans: &DocumentSpans<'_>, collision: &Collision) -> LocatedError {
    let key = |path: &[String]| spans.key(&path.iter().map(String::as_str).collect::<Vec<_>>());
    let name = collision.second.last().map_or("", String::as_str);
    let message = format!(
        "`{name}` gets the logical ID `{}`, which is taken",
        collision.id
    );
    let error = LocatedError::new(key(&collision.second), message);
    error
        .related(key(&collision.first), "taken by this one")
        .hint("rename one of them: logical IDs have only letters and digits, so names that differ only in punctuation \
            collide")
}

struct ReferenceChecker<'a> {
    parameters: BTreeSet<&'a str>,
    conditions: BTreeSet<&'a str>,
    mappings: BTreeSet<&'a str>,
    resources: BTreeSet<&'a str>,
    deployments: &'a [String],
    /// False if resources may be missing because parts of the file could not be read.
    whole: bool,
    /// Current section of the file.
    section: &'a str,
    /// True inside CloudFormation's syntax, whose keys the schema has not checked.
    raw: bool,
    errors: &'a mut Vec<LocatedError>,
}

impl ReferenceChecker<'_> {
    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::Map(map) => self.map(map),
            Value::Call(call) => self.call(call, node.span),
            _ => {}
        }
    }

    fn map(&mut self, map: &Map) {
        for (key, entry) in map.entries() {
            let outer = self.raw;
            if self.raw && key.starts_with("Fn::") {
                self.errors.push(misplaced_function(key, entry.key_span));
            }
            self.raw |= key == "policyStatements";
            self.node(&entry.node);
            self.raw = outer;
        }
    }

    /// Checks `DependsOn` and `Condition` of raw resources and outputs.
    fn attributes(&mut self, section: &Node) {
        for (_, node) in section.as_map().into_iter().flat_map(Map::iter) {
            if let Some(name) = node.get("Condition") {
                self.condition(name);
            }
            for id in depends_on(node) {
                self.resource(id.as_str().unwrap_or_default(), id.span, "resource");
            }
        }
    }

    fn call(&mut self, call: &IntrinsicCall, span: Span) {
        let argument = &call.argument;
        match call.function {
            Intrinsic::Ref => {
                if let Some(name) = argument.as_str() {
                    self.reference(name, argument.span);
                }
            }
            Intrinsic::GetAtt => {
                if let Some((id, _)) = call.as_get_att() {
                    self.resource(id, argument.span, "resource");
                }
            }
            Intrinsic::Sub => self.sub(argument),
            Intrinsic::Condition => self.condition(argument),
            Intrinsic::If => {
                if let Some([name, ..]) = argument.as_list() {
                    self.condition(name);
                }
                self.argument(argument);
            }
            Intrinsic::FindInMap => {
                if let Some(name) = argument.as_list().and_then(|items| items.first()?.as_str()) {
                    let near = nearest(name, self.mappings.iter().copied());
                    if !self.mappings.contains(name) {
                        self.unknown(name, argument.span, "mapping", near);
                    }
                }
                self.argument(argument);
            }
            Intrinsic::Length | Intrinsic::ToJsonString | Intrinsic::Transform => {
                let message = format!("`{}` needs a transform", call.function);
                self.errors
                    .push(LocatedError::new(span, message).hint(NO_TRANSFORM));
                self.argument(argument);
            }
            _ => self.argument(argument),
        }
    }

    /// Checks the argument of a function, which the schema has not checked.
    fn argument(&mut self, argument: &Node) {
        let outer = std::mem::replace(&mut self.raw, true);
        self.node(argument);
        self.raw = outer;
    }

    fn sub(&mut self, argument: &Node) {
        for name in sub_names(argument) {
            match name.split_once('.') {
                Some((id, _)) => self.resource(id, argument.span, "resource"),
                None => self.reference(name, argument.span),
            }
        }
        if let Some([_, variables]) = argument.as_list() {
            self.argument(variables);
        }
    }

    fn reference(&mut self, name: &str, span: Span) {
        if name.starts_with("AWS::") {
            return self.pseudo(name, span);
        }
        if self.parameters.contains(name) {
            return;
        }
        if self.section == "conditions" {
            let near = nearest(name, self.parameters.iter().copied());
            self.unknown(name, span, "parameter", near);
        } else {
            self.resource(name, span, "parameter or resource");
        }
    }

    fn pseudo(&mut self, name: &str, span: Span) {
        const PSEUDO: [&str; 8] = [
            "AWS::AccountId",
            "AWS::NoValue",
            "AWS::NotificationARNs",
            "AWS::Partition",
            "AWS::Region",
            "AWS::StackId",
            "AWS::StackName",
            "AWS::URLSuffix",
        ];
        if !PSEUDO.contains(&name) {
            self.unknown(name, span, "pseudo parameter", nearest(name, PSEUDO));
        }
    }

    fn resource(&mut self, id: &str, span: Span, kind: &str) {
        if self.deployments.iter().any(|deployment| deployment == id) {
            let stage = id.replace("Deployment", "Stage");
            let message = format!("`{id}` has another logical ID in the template");
            self.errors.push(LocatedError::new(span, message).hint(format!(
                "use the output `{id}Id` for the deployment's ID, and depend on `{stage}` to come after the \
                 deployment: its logical ID ends in a digest of the wiring"
            )));
            return;
        }
        if self.resources.contains(id) || !self.whole {
            return;
        }
        let parameters = self.parameters.iter().filter(|_| kind != "resource");
        let near = nearest(id, self.resources.iter().chain(parameters).copied());
        self.unknown(id, span, kind, near);
    }

    fn condition(&mut self, node: &Node) {
        let Some(name) = node.as_str().filter(|name| !self.conditions.contains(name)) else {
            return;
        };
        let near = nearest(name, self.conditions.iter().copied());
        self.unknown(name, node.span, "condition", near);
    }

    fn unknown(&mut self, name: &str, span: Span, kind: &str, near: Option<&str>) {
        let error = LocatedError::new(span, format!("there is no {kind} `{name}`"));
        self.errors.push(match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if matches!(kind, "condition" | "mapping" | "parameter") => error.hint(format!("declare it under \
                `{kind}s`")),
            None => error.hint("run `stackgen synth` to see the logical IDs of resources; declare parameters under \
                `parameters`"),
        });
    }
}

/// Hint for functions that need a transform.
const NO_TRANSFORM: &str = "write its result instead: the template has no `Transform`, so neither language extensions \
    nor macros apply";

/// Error of a `Fn::` key that is not an intrinsic function there.
fn misplaced_function(key: &str, span: Span) -> LocatedError {
    let transforms = [
        "Fn::ForEach",
        "Fn::Length",
        "Fn::ToJsonString",
        "Fn::Transform",
    ];
    if transforms.iter().any(|name| key.starts_with(name)) {
        let message = format!("`{key}` needs a transform");
        return LocatedError::new(span, message).hint(NO_TRANSFORM);
    }
    if Intrinsic::from_long_name(key).is_some() {
        return LocatedError::new(span, format!("`{key}` has other keys beside it"))
            .hint("make the intrinsic function the only key of its mapping");
    }
    let error = LocatedError::new(span, format!("there is no intrinsic function `{key}`"));
    match nearest(
        key,
        Intrinsic::ALL.iter().map(|function| function.long_name()),
    ) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(NO_TRANSFORM),
    }
}
