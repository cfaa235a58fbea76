//! Changes the tree of a template: parts are deleted, duplicated, swapped, wrapped in intrinsic functions or copied
//! from fixtures.

use fastrand::Rng;
use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Value, emit, get_att, list, map, r#ref, sub};

use super::donors::{donors, read};

/// Words that rules look for.
const WORDS: &[&str] = &[
    "",
    "*",
    "$connect",
    "$default",
    "$disconnect",
    "$request.body.action",
    "1:30",
    "2.0",
    "AWS::NoValue",
    "AWS::Region",
    "AWS::AccountId",
    "AWS::Partition",
    "CUSTOM",
    "NONE",
    "AWS_IAM",
    "JWT",
    "REQUEST",
    "WEBSOCKET",
    "HTTP",
    "MOCK",
    "AWS_PROXY",
    "apigateway.amazonaws.com",
    "lambda:InvokeFunction",
    "execute-api:ManageConnections",
    "integrations/",
    "route.request.header.Auth",
    "$request.header.Auth",
    "{{resolve:secretsmanager:a}}",
    "${",
    "${Api}",
    "${!Api}",
    "${stageVariables.x}",
    "wss://",
    "https://x.execute-api.eu-west-1.amazonaws.com/prod",
    "arn:aws:lambda:",
    "true",
    "no",
    "~",
    "\u{e9}\u{1f600}",
    "\u{85}\u{2028}",
    "stackgen: ignore",
    "SG101",
    "prod",
    "29001",
    "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:f/invocations",
    "arn:aws:execute-api:eu-west-1:123456789012:abc/*/$connect",
];

const NUMBERS: &[i64] = &[
    0,
    1,
    -1,
    49,
    50,
    10_000,
    29_000,
    29_001,
    300,
    i64::MAX,
    i64::MIN,
];

/// Returns the text with some changes, or `None` if it is not a document or grows too long.
pub(super) fn changed(text: &str, longest: usize, random: &mut Rng) -> Option<String> {
    let mut root = read(text).or_else(|| Some(donor(random).clone()))?;
    for _ in 0..=random.u8(..4) {
        change(&mut root, random);
    }
    let text = match random.u8(..4) {
        0 => emit::json(&root),
        1 => emit::json_line(&root),
        _ => emit::yaml(&root),
    };
    (text.len() <= longest).then_some(text)
}

fn change(root: &mut Node, random: &mut Rng) {
    let ids = ids(root);
    let id = any(&ids, random).cloned().unwrap_or_default();
    let other = part(root, random).clone();
    match random.u8(..10) {
        0 | 1 => graft_resource(root, random),
        2 => remove(part(root, random), random),
        3 => double(part(root, random), random),
        4 => *part(root, random) = other,
        5 => *part(root, random) = part(&mut donor(random).clone(), random).clone(),
        6 => wrap(part(root, random), &id, random),
        7 => enter(part(root, random), random),
        _ => *part(root, random) = scalar(&id, random),
    }
}

fn donor(random: &mut Rng) -> &'static Node {
    any(donors(), random).expect("there are fixtures")
}

fn any<'t, T>(of: &'t [T], random: &mut Rng) -> Option<&'t T> {
    match of.len() {
        0 => None,
        length => of.get(random.usize(..length)),
    }
}

/// Returns the logical IDs of a template, and the names of its parameters and conditions.
fn ids(root: &Node) -> Vec<String> {
    let sections = ["Resources", "Parameters", "Conditions"];
    let maps = sections.iter().filter_map(|name| root.get(name)?.as_map());
    maps.flat_map(|map| map.keys()).map(str::to_owned).collect()
}

/// Returns a random node of a tree.
fn part<'n>(root: &'n mut Node, random: &mut Rng) -> &'n mut Node {
    let mut left = random.usize(..size(root));
    let mut node = root;
    while left > 0 {
        left -= 1;
        node = match &mut node.value {
            Value::List(items) => {
                let at = skip(items.iter().map(size), &mut left);
                &mut items[at]
            }
            Value::Map(map) => {
                let at = skip(map.iter().map(|(_, node)| size(node)), &mut left);
                let (_, inside) = map.iter_mut().nth(at).expect("it is one of the entries");
                inside
            }
            Value::Call(call) => &mut call.argument,
            _ => unreachable!("a scalar has one node"),
        };
    }
    node
}

/// Returns the index of the size in which a position falls, and reduces `left` to the remainder.
fn skip(sizes: impl Iterator<Item = usize>, left: &mut usize) -> usize {
    for (index, size) in sizes.enumerate() {
        if *left < size {
            return index;
        }
        *left -= size;
    }
    unreachable!("a place is within the tree")
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(map) => map.iter().map(|(_, node)| size(node)).sum(),
        Value::Call(call) => size(&call.argument),
        _ => 0,
    }
}

/// Copies a resource of a fixture, with its own ID or under an existing one.
fn graft_resource(root: &mut Node, random: &mut Rng) {
    let section = |node: &Node| node.get("Resources").and_then(Node::as_map).cloned();
    let Some(resources) = section(donor(random)).filter(|map| !map.is_empty()) else {
        return;
    };
    let at = random.usize(..resources.len());
    let (id, resource) = resources.iter().nth(at).expect("it is one of them");
    let ids = ids(root);
    let id = match random.bool() {
        true => any(&ids, random).map_or(id, String::as_str),
        false => id,
    };
    if let Some(own) = root.as_map_mut().and_then(|map| map.get_mut("Resources"))
        && let Some(own) = own.as_map_mut()
    {
        own.insert(id, resource.clone());
    }
}

fn remove(node: &mut Node, random: &mut Rng) {
    match &mut node.value {
        Value::List(items) if !items.is_empty() => {
            items.remove(random.usize(..items.len()));
        }
        Value::Map(map) if !map.is_empty() => {
            let at = random.usize(..map.len());
            let key = map.keys().nth(at).map(str::to_owned);
            map.remove(&key.unwrap_or_default());
        }
        _ => *node = Node::default(),
    }
}

fn double(node: &mut Node, random: &mut Rng) {
    match &mut node.value {
        Value::List(items) if !items.is_empty() => {
            let item = items[random.usize(..items.len())].clone();
            items.push(item);
        }
        Value::Map(map) if !map.is_empty() => {
            let at = random.usize(..map.len());
            let (key, value) = map.iter().nth(at).expect("it is one of the entries");
            let (key, value) = (format!("{key}{}", random.u8(..)), value.clone());
            map.insert(key, value);
        }
        _ => {
            let text = node.as_str().unwrap_or("a").repeat(2);
            *node = Node::from(text);
        }
    }
}

/// Wraps a value in an intrinsic function.
fn wrap(node: &mut Node, id: &str, random: &mut Rng) {
    let inside = std::mem::take(node);
    let other = Intrinsic::ALL[random.usize(..Intrinsic::ALL.len())];
    *node = match random.u8(..8) {
        0 | 1 => call(
            Intrinsic::If,
            list([Node::from(id), inside.clone(), inside]),
        ),
        2 => call(
            Intrinsic::If,
            list([Node::from(id), inside, r#ref("AWS::NoValue")]),
        ),
        3 => call(
            Intrinsic::Sub,
            list([Node::from("a${x}b${x}"), map([("x", inside)])]),
        ),
        4 => call(Intrinsic::Join, list([Node::from("/"), list([inside])])),
        5 => call(Intrinsic::Select, list([Node::from(0_i64), list([inside])])),
        6 => list([inside]),
        _ => call(other, inside),
    };
}

fn call(function: Intrinsic, argument: Node) -> Node {
    IntrinsicCall::new(function, argument).into()
}

/// Adds a key and value of a fixture to a mapping.
fn enter(node: &mut Node, random: &mut Rng) {
    let mut other = donor(random).clone();
    let from = part(&mut other, random);
    if let (Some(map), Some(others)) = (node.as_map_mut(), from.as_map())
        && !others.is_empty()
    {
        let at = random.usize(..others.len());
        let (key, value) = others.iter().nth(at).expect("it is one of the entries");
        map.insert(key, value.clone());
    }
}

fn scalar(id: &str, random: &mut Rng) -> Node {
    let word = WORDS[random.usize(..WORDS.len())];
    match random.u8(..9) {
        0 => Node::from(NUMBERS[random.usize(..NUMBERS.len())]),
        1 => Node::from(random.bool()),
        2 | 3 => r#ref(id),
        4 => get_att(id, ["Arn", "ApiId", "Version", "x.y"][random.usize(..4)]),
        5 => sub(format!("{word}${{{id}}}{word}")),
        6 => Node::from(id),
        _ => Node::from(word),
    }
}
