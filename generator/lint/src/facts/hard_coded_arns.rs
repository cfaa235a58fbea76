//! Finds ARNs of the template's resources with a literal account, region or partition.

use std::collections::HashSet;

use stackgen_cfn::{Node, Value};
use stackgen_model::{Link, Model, Piece, Pseudo, Resource, Text};

use crate::Location;
use crate::facts::Facts;
use crate::facts::generator::is_from_cdk;

/// An ARN of a resource of the template in which a part is literal that the stack could supply.
#[derive(Debug)]
pub(crate) struct HardCodedArn<'a> {
    /// Subject of a message: `the URI of Integration`.
    pub(crate) subject: String,
    pub(crate) location: Location,
    pub(crate) account: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) partition: Option<&'a str>,
    /// True if the template seems to be written for one region: all its ARNs name the same one.
    pub(crate) is_for_one_region: bool,
}

/// Number of ARNs with the same literal region from which on the template seems to be written for it.
const FIXED_FROM: usize = 3;

/// Returns all of them. Excludes ARNs of resources outside the template, which need their account and region, and ARNs
/// that CDK writes for a stack with a fixed environment.
pub(crate) fn hard_coded_arns<'a>(facts: &Facts<'a>) -> Vec<HardCodedArn<'a>> {
    let arns = stack_arns(facts);
    let mut found: Vec<_> = arns.iter().filter_map(OwnArn::hard_coded_parts).collect();
    if !found.is_empty() && is_from_cdk(facts.model) && !is_for_any_environment(facts.model) {
        for it in &mut found {
            (it.account, it.region) = (None, None);
        }
        found.retain(|it| it.partition.is_some());
    }
    let fixed = is_for_one_region(&arns, &found);
    for it in &mut found {
        it.is_for_one_region = fixed && it.region.is_some();
    }
    // Several statements of one policy can have the same location.
    let mut seen = HashSet::new();
    found.retain(|it| seen.insert((it.subject.clone(), it.location.span)));
    found
}

/// Returns true if several ARNs have the same literal region and no ARN has another one or the stack's.
fn is_for_one_region(arns: &[OwnArn<'_>], found: &[HardCodedArn<'_>]) -> bool {
    let is_region = |piece: &Piece| matches!(piece, Piece::Pseudo(Pseudo::Region));
    let mut regions = found.iter().filter_map(|it| it.region);
    let first = regions.next();
    first.is_some()
        && regions.clone().count() + 1 >= FIXED_FROM
        && regions.all(|region| Some(region) == first)
        && !arns
            .iter()
            .any(|arn| arn.text.pieces().iter().any(is_region))
}

/// Returns true if CDK synthesized the template for any account and region. Then it writes pseudo parameters itself: in
/// the bucket of code, and in the permissions of functions. Other ARNs may be the developer's own.
fn is_for_any_environment(model: &Model) -> bool {
    let buckets: Vec<Text> = model
        .functions
        .iter()
        .filter_map(|function| function.code.as_ref()?.text("S3Bucket"))
        .filter(|bucket| bucket.to_string().starts_with("cdk-"))
        .collect();
    match buckets.is_empty() {
        false => buckets.iter().any(has_pseudo_parameter),
        true => {
            let mut sources = model
                .permissions
                .iter()
                .filter_map(|it| it.source_arn.as_ref());
            sources.any(has_pseudo_parameter)
        }
    }
}

/// Returns true if a text contains the stack's account or region as pseudo parameter.
fn has_pseudo_parameter(text: &Text) -> bool {
    let is_pseudo =
        |piece: &Piece| matches!(piece, Piece::Pseudo(Pseudo::AccountId | Pseudo::Region));
    text.pieces().iter().any(is_pseudo)
}

/// The ARN of a resource of the template in a property.
struct OwnArn<'a> {
    subject: &'static str,
    resource: &'a Resource,
    /// Empty if the property of the ARN is unknown.
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

/// Returns the literal names of the template's functions.
pub(crate) fn function_names(model: &Model) -> HashSet<&str> {
    let names = model
        .functions
        .iter()
        .filter_map(|it| it.name.as_ref()?.as_literal());
    names.collect()
}

/// Returns the name in `…:function:{name}[:{qualifier}][/invocations]`.
pub(crate) fn function_name(uri: &Text) -> Option<&str> {
    let Some(Piece::Literal(end)) = uri.pieces().last() else {
        return None;
    };
    let (_, name) = end.split_once(":function:")?;
    name.split([':', '/']).next()
}

impl<'a> OwnArn<'a> {
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
            is_for_one_region: false,
        };
        for (kind, part) in parts(self.text) {
            // Values of parameters and mappings are not literal text here.
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

/// Returns the literal parts of ARNs up to the account.
fn parts(text: &Text) -> Vec<(ArnPart, &str)> {
    let mut found = Vec::new();
    // Number of colons since the beginning of an ARN, and whether all of the current part is literal.
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

/// Matches `eu-central-1`, `us-gov-west-1`.
fn is_region(word: &str) -> bool {
    let Some((location, number)) = word.rsplit_once('-') else {
        return false;
    };
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_lowercase());
    number.parse::<u8>().is_ok() && location.contains('-') && location.split('-').all(letters)
}

/// Returns the node in a value whose text contains a word.
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
