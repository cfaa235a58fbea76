//! SAM templates, translated to CloudFormation like AWS's translator does.
//!
//! `AWS::Serverless::Function`, `HttpApi`, `LayerVersion`, `WebSocketApi` and `SimpleTable` are translated node by node with the
//! translator's logical IDs, so that all other code reads one language. Everything that is not translated (domains,
//! events of other sources) is a gap, or an unknown macro result.

mod body;
mod budget;
mod connectors;
mod events;
mod function;
mod globals;
mod http;
mod policy;
mod refused;
mod websocket;

use std::collections::HashMap;

use stackgen_cfn::{Map, Node, Span, get_att, map, r#ref};

use self::budget::Budget;
use crate::{OrderedMap, Problem, ProblemKind};

const PREFIX: &str = "AWS::Serverless::";

/// Types that are no part of WebSocket APIs. Applications and connectors may be.
const UNRELATED: [&str; 4] = ["Api", "CapacityProvider", "GraphQLApi", "StateMachine"];

/// A SAM template, translated to CloudFormation.
pub(super) struct Expansion {
    pub(super) template: Node,
    /// Names such as `Function.Alias`, with the logical IDs that they refer to.
    pub(super) aliases: HashMap<String, String>,
    pub(super) problems: Vec<Problem>,
    pub(super) gaps: Vec<Problem>,
}

/// A SAM resource.
struct Source<'t> {
    id: &'t str,
    span: Span,
    /// The properties, merged into the template's `Globals`.
    properties: Node,
    /// `Condition`, `DependsOn`, …: everything except `Type` and `Properties`.
    attributes: Vec<(&'t str, &'t Node)>,
}

/// Translator of a template.
struct Expander<'t> {
    template: &'t Node,
    resources: Map,
    aliases: HashMap<String, String>,
    problems: Vec<Problem>,
    gaps: Vec<Problem>,
    http_apis: OrderedMap<String, body::HttpApi>,
    /// Number of HTTP APIs declared so far.
    declared: usize,
    budget: Budget,
}

/// Translates a template. Returns `None` for one without SAM resources.
pub(super) fn expand(template: &Node) -> Option<Expansion> {
    let section = template.get("Resources")?.as_map()?;
    let is_sam = |node: &Node| {
        node.get("Type")
            .and_then(Node::as_str)
            .is_some_and(|kind| kind.starts_with(PREFIX))
    };
    if !section.iter().any(|(_, node)| is_sam(node)) {
        return None;
    }
    let mut expander = Expander::new(template);
    expander.check_transform();
    for (id, entry) in section.entries() {
        let kind = entry
            .node
            .get("Type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        let known = matches!(
            kind.strip_prefix(PREFIX),
            Some("Function" | "HttpApi" | "LayerVersion" | "WebSocketApi" | "SimpleTable")
        );
        if known {
            let span = if entry.key_span.file.is_some() {
                entry.key_span
            } else {
                entry.node.span
            };
            expander.known(kind, id, &entry.node, span);
        } else {
            if let Some(name) = kind
                .strip_prefix(PREFIX)
                .filter(|name| *name != "Connector")
            {
                let message = format!("{id} ({kind}) is not in the model");
                match UNRELATED.contains(&name) {
                    true => expander.unrelated_gap(message, entry.node.span),
                    false => expander.gap(message, entry.node.span),
                }
            }
            expander.resources.insert_entry(id, entry.clone());
        }
    }
    expander.finish_http_apis();
    expander.finish_connectors();
    if expander.budget.is_spent() {
        let message =
            "the properties that SAM copies to every resource are too large for the model";
        expander.gap(message.to_owned(), template.span);
    }
    let mut root = template.clone();
    if let Some(map) = root.as_map_mut() {
        map.insert("Resources", expander.resources);
    }
    Some(Expansion {
        template: root,
        aliases: expander.aliases,
        problems: expander.problems,
        gaps: expander.gaps,
    })
}

impl<'t> Expander<'t> {
    fn new(template: &'t Node) -> Self {
        Expander {
            template,
            resources: Map::new(),
            aliases: HashMap::new(),
            problems: Vec::new(),
            gaps: Vec::new(),
            http_apis: OrderedMap::default(),
            declared: 0,
            budget: Budget::new(),
        }
    }

    fn check_transform(&mut self) {
        let transform = self.template.get("Transform");
        let names = transform
            .map(|node| node.as_list().unwrap_or(std::slice::from_ref(node)))
            .unwrap_or_default();
        if !names
            .iter()
            .any(|name| name.as_str() == Some("AWS::Serverless-2016-10-31"))
        {
            let span = transform.map_or(self.template.span, |node| node.span);
            let problem = Problem::new("AWS::Serverless resources need the SAM transform", span);
            self.problems
                .push(problem.with_hint("add `Transform: AWS::Serverless-2016-10-31`"));
        }
    }

    fn known(&mut self, kind: &str, id: &'t str, node: &'t Node, span: Span) {
        let name = kind.trim_start_matches(PREFIX);
        let attributes = node.as_map().into_iter().flat_map(Map::iter);
        let source = Source {
            id,
            span,
            properties: self.merged(name, node.get("Properties")),
            attributes: attributes
                .filter(|(key, _)| !matches!(*key, "Type" | "Properties"))
                .collect(),
        };
        match name {
            "Function" => self.function(&source),
            "HttpApi" => self.http_api(&source),
            "LayerVersion" => self.layer(&source),
            "WebSocketApi" => self.websocket_api(&source),
            _ => self.simple_table(&source),
        }
    }

    /// Adds the resource with the logical ID of the SAM resource, with all its attributes.
    fn own(&mut self, source: &Source, kind: &str, properties: Map) {
        let mut resource = typed(kind, properties);
        for (key, node) in &source.attributes {
            resource.insert(*key, (*node).clone());
        }
        self.resources
            .insert(source.id, Node::from(resource).at(source.span));
    }

    /// Adds a generated resource under the same condition.
    fn generated(&mut self, source: &Source, id: String, kind: &str, properties: Map, span: Span) {
        let mut resource = typed(kind, properties);
        if let Some((key, condition)) = source
            .attributes
            .iter()
            .find(|(key, node)| *key == "Condition" && node.as_str().is_some())
        {
            resource.insert(*key, (*condition).clone());
        }
        self.resources.insert(id, Node::from(resource).at(span));
    }

    /// Adds the stage of an API, which uses AutoDeploy (row D4).
    fn stage(&mut self, source: &Source, id: String, name: Node, tags: Map) {
        let mut stage = Map::new();
        stage.insert("ApiId", r#ref(source.id));
        stage.insert("StageName", name);
        stage.insert("AutoDeploy", true);
        stage.insert("Tags", tags);
        let same = [
            "StageVariables",
            "AccessLogSettings",
            "DefaultRouteSettings",
            "RouteSettings",
        ];
        copy(&source.properties, &mut stage, &same);
        self.aliases
            .insert(format!("{}.Stage", source.id), id.clone());
        self.generated(source, id, "AWS::ApiGatewayV2::Stage", stage, source.span);
    }

    /// Adds a gap that may be part of an API.
    fn gap(&mut self, message: String, span: Span) {
        self.gaps.push(Problem::new(message, span));
    }

    /// Adds a gap that is no part of an API.
    fn unrelated_gap(&mut self, message: String, span: Span) {
        let gap = Problem::new(message, span);
        self.gaps.push(gap.of_kind(ProblemKind::Unrelated));
    }

    /// Adds a layer. SAM's translator appends a digest to its logical ID.
    fn layer(&mut self, source: &Source) {
        let mut properties = Map::new();
        let name = source.properties.get("LayerName").cloned();
        properties.insert("LayerName", name.unwrap_or_else(|| source.id.into()));
        if let Some(uri) = source.properties.get("ContentUri") {
            properties.insert("Content", function::location(uri));
        }
        let same = [
            "CompatibleArchitectures",
            "CompatibleRuntimes",
            "Description",
            "LicenseInfo",
        ];
        copy(&source.properties, &mut properties, &same);
        self.own(source, "AWS::Lambda::LayerVersion", properties);
    }

    fn simple_table(&mut self, source: &Source) {
        let mut properties = Map::new();
        let key = source.properties.get("PrimaryKey");
        let name = key
            .and_then(|key| key.get("Name"))
            .cloned()
            .unwrap_or_else(|| "id".into());
        let kind = key
            .and_then(|key| key.get("Type"))
            .and_then(Node::as_str)
            .unwrap_or("String");
        let letter: String = kind.chars().take(1).collect();
        let definition = map([
            ("AttributeName", name.clone()),
            ("AttributeType", letter.into()),
        ]);
        properties.insert("AttributeDefinitions", vec![definition]);
        let element = map([("AttributeName", name), ("KeyType", "HASH".into())]);
        properties.insert("KeySchema", vec![element]);
        if source.properties.get("ProvisionedThroughput").is_none() {
            properties.insert("BillingMode", "PAY_PER_REQUEST");
        }
        let same = [
            "ProvisionedThroughput",
            "TableName",
            "SSESpecification",
            "PointInTimeRecoverySpecification",
        ];
        copy(&source.properties, &mut properties, &same);
        if let Some(tags) = source.properties.get("Tags").and_then(Node::as_map) {
            properties.insert("Tags", tag_list(tags));
        }
        self.own(source, "AWS::DynamoDB::Table", properties);
    }
}

fn typed(kind: &str, properties: Map) -> Map {
    let mut resource = Map::new();
    resource.insert("Type", kind);
    resource.insert("Properties", properties);
    resource
}

/// Copies the properties that SAM passes through.
fn copy(from: &Node, to: &mut Map, keys: &[&str]) {
    for key in keys {
        if let Some(node) = from.get(key) {
            to.insert(*key, node.clone());
        }
    }
}

fn tag_list(tags: &Map) -> Node {
    let tag =
        |(key, value): (&str, &Node)| map([("Key", Node::from(key)), ("Value", value.clone())]);
    Node::from(tags.iter().map(tag).collect::<Vec<_>>())
}

/// Returns the permission for API Gateway to invoke a function.
fn permission(function: Node, source_arn: Node) -> Map {
    permission_of("apigateway.amazonaws.com", function, source_arn)
}

/// Returns the permission for a service to invoke a function.
fn permission_of(principal: &str, function: Node, source_arn: Node) -> Map {
    let entries = [
        ("Action", Node::from("lambda:InvokeFunction")),
        ("FunctionName", function),
        ("Principal", principal.into()),
        ("SourceArn", source_arn),
    ];
    entries.into_iter().collect()
}

/// Returns a `Sub` with variables.
fn sub_with(text: &str, variables: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    let argument = Node::from(vec![Node::from(text), map(variables)]);
    stackgen_cfn::IntrinsicCall::new(stackgen_cfn::Intrinsic::Sub, argument).into()
}

/// Returns the invocation URI for the ARN of a function.
fn invocation(arn: Node) -> Node {
    const URI: &str = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Arn}/invocations";
    sub_with(URI, [("Arn", arn)])
}

/// Target of events: a function, or the alias that SAM uses for them.
enum Target {
    Function(String),
    Alias(String),
}

impl Target {
    fn arn(&self) -> Node {
        match self {
            Target::Function(id) => get_att(id, "Arn"),
            Target::Alias(id) => r#ref(id),
        }
    }

    fn name(&self) -> Node {
        match self {
            Target::Function(id) | Target::Alias(id) => r#ref(id),
        }
    }
}
