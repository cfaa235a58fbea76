//! Accounts, regions and partitions that are written into ARNs of the template's own things.

use std::collections::HashSet;

use stackgen_cfn::{Node, Value};
use stackgen_model::{Link, Model, Piece, Pseudo, Resource, Text};

use crate::Location;
use crate::facts::Facts;

/// An ARN of something of the template in which a part is written that the stack could tell.
#[derive(Debug)]
pub(crate) struct HardCodedArn<'a> {
    /// What the ARN stands for, for a message: `the URI of Integration`.
    pub(crate) subject: String,
    pub(crate) location: Location,
    pub(crate) account: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) partition: Option<&'a str>,
}

/// Every one of them. ARNs of what is elsewhere need their account and region, and are not among them; nor are those
/// that CDK writes for a stack that is meant for one environment.
pub(crate) fn hard_coded_arns<'a>(facts: &Facts<'a>) -> Vec<HardCodedArn<'a>> {
    let arns = stack_arns(facts);
    let mut found: Vec<_> = arns.iter().filter_map(OwnArn::hard_coded_parts).collect();
    if !found.is_empty()
        && is_from_cdk(facts.model)
        && !arns.iter().any(OwnArn::has_pseudo_parameter)
    {
        for it in &mut found {
            (it.account, it.region) = (None, None);
        }
        found.retain(|it| it.partition.is_some());
    }
    // Statements of one policy stand at one place when the same text is in each.
    let mut seen = HashSet::new();
    found.retain(|it| seen.insert((it.subject.clone(), it.location.span)));
    found
}

/// Whether CDK synthesised the template.
fn is_from_cdk(model: &Model) -> bool {
    let marked = |resource: &Resource| {
        let metadata = resource.attributes.get("Metadata");
        resource.kind == "AWS::CDK::Metadata"
            || metadata.is_some_and(|metadata| metadata.get("aws:cdk:path").is_some())
    };
    model.parameters.get("BootstrapVersion").is_some()
        || model.resources.values().any(|resource| marked(resource))
}

/// The ARN of something of the template, as a property has it.
struct OwnArn<'a> {
    subject: &'static str,
    resource: &'a Resource,
    /// Empty where the place of the ARN is not kept.
    property: &'static str,
    text: &'a Text,
}

fn stack_arns<'a>(facts: &Facts<'a>) -> Vec<OwnArn<'a>> {
    let model = facts.model;
    let mut found = Vec::new();
    let mut add = |subject, resource, property, text: Option<&'a Text>| {
        found.extend(text.map(|text| OwnArn {
            subject,
            resource,
            property,
            text,
        }));
    };
    let names = function_names(model);
    let own = |link: &Link, uri: &Text| match link {
        Link::To(_) => true,
        Link::External(_) => function_name(uri).is_some_and(|name| names.contains(name)),
        _ => false,
    };
    for api in facts.websockets() {
        for it in &api.integrations {
            let uri = it
                .uri
                .as_ref()
                .filter(|uri| own(&it.function.function, uri));
            add("the URI of", &it.resource, "IntegrationUri", uri);
        }
        for it in &api.authorizers {
            let uri = it
                .uri
                .as_ref()
                .filter(|uri| own(&it.function.function, uri));
            add("the URI of", &it.resource, "AuthorizerUri", uri);
        }
    }
    let of_api = |text: &&Text| {
        let mut references = text.references();
        let kind = |id| model.resource(id).map(|it| it.kind.as_str());
        let own = references.any(|it| kind(&it.logical_id) == Some("AWS::ApiGatewayV2::Api"));
        own && text.split_once(":execute-api:").is_some()
    };
    for it in &model.permissions {
        let source = it.source_arn.as_ref().filter(of_api);
        add("the SourceArn of", &it.resource, "SourceArn", source);
    }
    for grant in model.roles.iter().flat_map(|role| &role.grants) {
        for resource in grant.resources.iter().filter(of_api) {
            add("a policy of", &grant.resource, "", Some(resource));
        }
    }
    found
}

/// The names of the template's functions, as far as it gives them.
pub(crate) fn function_names(model: &Model) -> HashSet<&str> {
    let names = model
        .functions
        .iter()
        .filter_map(|it| it.name.as_ref()?.as_literal());
    names.collect()
}

/// The name in `…:function:{name}[:{qualifier}][/invocations]`.
pub(crate) fn function_name(uri: &Text) -> Option<&str> {
    let Some(Piece::Literal(end)) = uri.pieces().last() else {
        return None;
    };
    let (_, name) = end.split_once(":function:")?;
    name.split([':', '/']).next()
}

impl<'a> OwnArn<'a> {
    /// Whether the stack tells its own account or region in it.
    fn has_pseudo_parameter(&self) -> bool {
        let told =
            |piece: &Piece| matches!(piece, Piece::Pseudo(Pseudo::AccountId | Pseudo::Region));
        self.text.pieces().iter().any(told)
    }

    fn hard_coded_parts(&self) -> Option<HardCodedArn<'a>> {
        let path: &[&str] = match self.property {
            "" => &[],
            property => &[property],
        };
        let node = self.resource.node(path)?;
        let mut hard = HardCodedArn {
            subject: format!("{} {}", self.subject, self.resource.logical_id),
            location: Location::of(self.resource, path),
            account: None,
            region: None,
            partition: None,
        };
        for (kind, part) in parts(self.text) {
            // What a parameter's default or a mapping brings is not written here.
            let needle = match kind {
                ArnPart::Partition => format!("arn:{part}"),
                _ => part.to_owned(),
            };
            let Some(written) = written(node, &needle) else {
                continue;
            };
            let location = match kind {
                ArnPart::Account => &mut hard.account,
                ArnPart::Region => &mut hard.region,
                ArnPart::Partition => &mut hard.partition,
            };
            *location = location.or(Some(part));
            if path.is_empty() && written.span.file.is_some() {
                hard.location.span = written.span;
            }
        }
        hard.account.or(hard.region).or(hard.partition)?;
        Some(hard)
    }
}

#[derive(Clone, Copy)]
enum ArnPart {
    Partition,
    Region,
    Account,
}

/// The parts of ARNs that stand in known text, up to the account.
fn parts(text: &Text) -> Vec<(ArnPart, &str)> {
    let mut found = Vec::new();
    // How many colons ago an ARN began; whether the part is known as a whole.
    let (mut position, mut whole) = (None, true);
    for piece in text.pieces() {
        let Piece::Literal(literal) = piece else {
            whole = false;
            continue;
        };
        let mut words = literal.split(':').peekable();
        while let Some(word) = words.next() {
            let ended = words.peek().is_some();
            if ended && whole {
                found.extend(part(position, word).map(|part| (part, word)));
            }
            if !ended {
                whole = word.is_empty();
                continue;
            }
            let begins = word == "arn" || word.ends_with("/arn");
            position = if begins {
                Some(1)
            } else {
                position.map(|at| at + 1)
            };
            whole = true;
        }
    }
    found
}

fn part(position: Option<u32>, word: &str) -> Option<ArnPart> {
    match position? {
        1 => word.starts_with("aws").then_some(ArnPart::Partition),
        3 => is_region(word).then_some(ArnPart::Region),
        4 => (word.len() == 12 && word.bytes().all(|it| it.is_ascii_digit()))
            .then_some(ArnPart::Account),
        _ => None,
    }
}

/// `eu-central-1`, `us-gov-west-1`.
fn is_region(word: &str) -> bool {
    let Some((location, number)) = word.rsplit_once('-') else {
        return false;
    };
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_lowercase());
    number.parse::<u8>().is_ok() && location.contains('-') && location.split('-').all(letters)
}

/// The text of a value that has a word in it.
fn written<'n>(node: &'n Node, word: &str) -> Option<&'n Node> {
    match &node.value {
        Value::String(text) => text.contains(word).then_some(node),
        Value::Int(number) => (number.to_string() == word).then_some(node),
        Value::List(items) => items.iter().find_map(|item| written(item, word)),
        Value::Map(map) => map.iter().find_map(|(_, item)| written(item, word)),
        Value::Call(call) => written(&call.argument, word),
        _ => None,
    }
}
