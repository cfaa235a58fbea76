//! Connectors: `AWS::Serverless::Connector`, and the attribute `Connectors` of their source.
//!
//! Those from functions become policies of the function's role, and those from APIs to functions become permissions. All
//! others are gaps.

use stackgen_cfn::{Map, Node, Span, get_att, map, r#ref};

use super::policy::{actions, lines};
use super::{Expander, permission, sub_with, typed};

/// The statements of connectors from functions; the file describes its format.
const GRANTS: &str = include_str!("connector_grants.txt");

/// A connector.
struct Connector<'n> {
    /// Logical ID. An entry of `Connectors` has that of its source, followed by its own name.
    id: String,
    /// `Id` of the source.
    source: &'n str,
    /// `Qualifier` of the source.
    qualifier: Option<&'n Node>,
    /// `Id` of each destination.
    destinations: Vec<&'n str>,
    permissions: Vec<&'n str>,
    condition: Option<&'n Node>,
    span: Span,
}

impl Expander<'_> {
    /// Translates connectors, after all other resources.
    pub(super) fn finish_connectors(&mut self) {
        let template = self.template;
        let section = template.get("Resources").and_then(Node::as_map);
        for (id, entry) in section.into_iter().flat_map(Map::entries) {
            let node = &entry.node;
            if node.get("Type").and_then(Node::as_str) == Some("AWS::Serverless::Connector") {
                let made = declared(id, node).and_then(|connector| self.translated(&connector));
                match made {
                    Some(made) => self.insert_connectors(vec![(id.to_owned(), made)]),
                    None => self.gap(
                        format!("{id} (AWS::Serverless::Connector) is not in the model"),
                        node.span,
                    ),
                }
            }
            let Some(connectors) = node.get("Connectors").and_then(Node::as_map) else {
                continue;
            };
            let made = connectors.iter().map(|(name, connector)| {
                let connector = embedded(id, name, node, connector)?;
                let made = self.translated(&connector)?;
                let is_policy = made.get("Type")?.as_str() == Some("AWS::IAM::ManagedPolicy");
                let end = if is_policy {
                    "Policy"
                } else {
                    "WriteLambdaPermission"
                };
                Some((format!("{}{end}", connector.id), made))
            });
            let made: Option<Vec<_>> = made.collect();
            if let Some(made) = made {
                self.insert_connectors(made);
                // Without the attribute, it is no gap.
                if let Some(source) = self.resources.get_mut(id).and_then(Node::as_map_mut) {
                    source.remove("Connectors");
                }
            }
        }
    }

    fn insert_connectors(&mut self, made: Vec<(String, Node)>) {
        for (id, node) in made {
            self.resources.insert(id, node);
        }
    }

    /// Returns the resource that a connector becomes, or `None` if it is not supported.
    fn translated(&self, connector: &Connector<'_>) -> Option<Node> {
        let mut resource = match self.kind(connector.source)? {
            "AWS::Lambda::Function" => self.policy(connector)?,
            "AWS::ApiGatewayV2::Api" => self.api_permission(connector)?,
            _ => return None,
        };
        if let Some(condition) = connector.condition {
            resource.insert("Condition", condition.clone());
        }
        Some(Node::from(resource).at(connector.span))
    }

    fn kind(&self, id: &str) -> Option<&str> {
        self.resources.get(id)?.get("Type")?.as_str()
    }

    /// Returns the policy of a connector from a function.
    fn policy(&self, connector: &Connector<'_>) -> Option<Map> {
        let role = self.resources.get(connector.source)?;
        let role = role.at_path(&["Properties", "Role"])?.as_call()?;
        let (role, _) = role.as_get_att()?;
        let mut statements = Vec::new();
        for id in &connector.destinations {
            let kind = self.kind(id)?;
            for permission in &connector.permissions {
                let granted = grants(kind, permission, id);
                if granted.is_empty() {
                    return None;
                }
                statements.extend(granted);
            }
        }
        let document = map([
            ("Version", Node::from("2012-10-17")),
            ("Statement", statements.into()),
        ]);
        let mut properties = Map::new();
        properties.insert("PolicyDocument", document);
        properties.insert("Roles", vec![r#ref(role)]);
        Some(typed("AWS::IAM::ManagedPolicy", properties))
    }

    /// Returns the permission of a connector from an API to a function.
    fn api_permission(&self, connector: &Connector<'_>) -> Option<Map> {
        let ([function], ["Write"]) = (
            connector.destinations.as_slice(),
            connector.permissions.as_slice(),
        ) else {
            return None;
        };
        (self.kind(function)? == "AWS::Lambda::Function").then_some(())?;
        let qualifier = connector.qualifier.cloned();
        let source = sub_with(
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${ResourceId}/${Qualifier}",
            [
                ("ResourceId", r#ref(connector.source)),
                ("Qualifier", qualifier.unwrap_or_else(|| "*".into())),
            ],
        );
        let properties = permission(get_att(*function, "Arn"), source);
        Some(typed("AWS::Lambda::Permission", properties))
    }
}

/// Returns the statements for a destination.
fn grants(kind: &str, permission: &str, id: &str) -> Vec<Node> {
    let grants = lines(GRANTS).filter_map(|(of, rest)| {
        let mut words = rest.split(' ');
        (of == kind && words.next()? == permission).then_some(words)
    });
    let statements = grants.filter_map(|mut words| {
        let actions = actions(words.next()?)?;
        let arn = match kind {
            "AWS::SNS::Topic" | "AWS::StepFunctions::StateMachine" => r#ref(id),
            _ => get_att(id, "Arn"),
        };
        let resources = words.map(|resource| {
            let name = ("DestinationName", get_att(id, "Name"));
            let arn = ("DestinationArn", arn.clone());
            match resource.contains("${DestinationName}") {
                true => sub_with(resource, [name]),
                false => sub_with(resource, [arn]),
            }
        });
        let resources: Vec<Node> = resources.collect();
        Some(map([
            ("Effect", Node::from("Allow")),
            ("Action", actions.into()),
            ("Resource", resources.into()),
        ]))
    });
    statements.collect()
}

/// Reads an `AWS::Serverless::Connector`, which becomes a resource with its logical ID, because other resources may name it.
/// SAM's translator makes a resource per destination, with longer IDs.
fn declared<'n>(id: &str, node: &'n Node) -> Option<Connector<'n>> {
    let properties = node.get("Properties")?;
    let source = properties.get("Source")?;
    Some(Connector {
        id: id.to_owned(),
        source: source.get("Id")?.as_str()?,
        qualifier: source.get("Qualifier"),
        destinations: destinations(properties)?,
        permissions: permissions(properties)?,
        condition: node.get("Condition"),
        span: node.span,
    })
}

/// Reads an entry of `Connectors`.
fn embedded<'n>(
    id: &'n str,
    name: &str,
    source: &'n Node,
    connector: &'n Node,
) -> Option<Connector<'n>> {
    let properties = connector.get("Properties")?;
    Some(Connector {
        id: format!("{id}{name}"),
        source: id,
        qualifier: properties.at_path(&["SourceReference", "Qualifier"]),
        destinations: destinations(properties)?,
        permissions: permissions(properties)?,
        condition: source.get("Condition"),
        span: connector.span,
    })
}

fn destinations(properties: &Node) -> Option<Vec<&str>> {
    let given = properties.get("Destination")?;
    let all = given.as_list().unwrap_or(std::slice::from_ref(given));
    all.iter().map(|one| one.get("Id")?.as_str()).collect()
}

fn permissions(properties: &Node) -> Option<Vec<&str>> {
    let given = properties.get("Permissions")?.as_list()?;
    let mut permissions: Vec<&str> = given.iter().map(Node::as_str).collect::<Option<_>>()?;
    permissions.sort_unstable();
    // Without duplicates there are at most two, however long the list of the template is.
    permissions.dedup();
    Some(permissions)
}
