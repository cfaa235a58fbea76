//! Templates and the code of functions together: the code reads exactly what templates set.

use std::collections::{BTreeMap, BTreeSet};

use live_session::config::Config;
use live_session::dynamo::schema;
use stackgen_cfn::Sources;
use stackgen_model::{Function, Inputs, Model, Piece, Resolved, Text};
use stackgen_synth::{Artifacts, Dialect, ProjectFile, RenderOptions};
use stackgen_websocket::{Environment, EnvironmentError};

use crate::common::root;

/// Renders every environment of a starter, and reads the templates back.
fn environments(starter: &str) -> Vec<(String, Model)> {
    let path = root().join("templates").join(starter).join("stackgen.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sources = Sources::new();
    let stack = ProjectFile::load(sources.add("stackgen.yaml", text)).unwrap();
    let model = |environment: &str| {
        let options = RenderOptions {
            environment,
            dialect: Dialect::CloudFormation,
            project_path: ".",
            artifacts: &Artifacts::new(),
        };
        let rendered = stack.render(&options).unwrap();
        Model::from_template(&rendered.template, &Inputs::none())
    };
    let environments = stack.environments().into_iter();
    environments
        .map(|name| (name.to_owned(), model(name)))
        .collect()
}

/// Returns a text as it may be in the deployed stack: unknown parts are an `x`.
fn filled_in(text: &Text) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        _ => "x".to_owned(),
    };
    text.pieces().iter().map(piece).collect()
}

type Variables = BTreeMap<String, String>;

/// Returns the variables that a function reads, and the errors that it reports about them.
type Read = fn(&Variables) -> (BTreeSet<String>, Result<(), EnvironmentError>);

macro_rules! reads {
    ($config:ty) => {
        |variables| {
            let lookup = |name: &str| match name.starts_with(FROM_LAMBDA) {
                true => Some("x".to_owned()).filter(|_| !name.contains("URL")),
                false => variables.get(name).cloned(),
            };
            let mut environment = Environment::new(lookup);
            let config = <$config>::read(&mut environment);
            let names = environment
                .names()
                .filter(|name| !name.starts_with(FROM_LAMBDA));
            let names = names.map(str::to_owned).collect();
            (names, environment.finish(config).map(drop))
        }
    };
}

/// Variables that Lambda sets, and that a template may not set; and endpoints in place of AWS, which only tests need.
const FROM_LAMBDA: &str = "AWS_";

/// Returns every function of every starter, with the variables that its binary reads.
const FUNCTIONS: &[(&str, &str, Read)] = &[
    ("echo", "echo", reads!(echo::EchoConfig)),
    (
        "chat",
        "chat-authorizer",
        reads!(chat::config::AuthorizerConfig),
    ),
    ("chat", "chat-handler", reads!(chat::config::ChatConfig)),
    (
        "live-session",
        "session-authorizer",
        reads!(live_session::config::AuthorizerConfig),
    ),
    (
        "live-session",
        "session-connection-handler",
        reads!(live_session::config::ConnectionConfig),
    ),
    (
        "live-session",
        "session-disconnect-handler",
        reads!(live_session::config::DisconnectConfig),
    ),
    (
        "live-session",
        "session-audio-handler",
        reads!(live_session::config::AudioConfig),
    ),
    (
        "live-session",
        "session-http-handler",
        reads!(live_session::config::HttpConfig),
    ),
    (
        "live-session",
        "session-reconciler",
        reads!(live_session::config::ReconcilerConfig),
    ),
];

/// Returns a function's name without the environment, and its variables in the template.
fn variables(function: &Function, environment: &str) -> (String, Variables) {
    let name = filled_in(function.name.as_ref().unwrap());
    let name = name.strip_suffix(&format!("-{environment}")).unwrap();
    let variables = function.environment.value().unwrap().iter();
    let variables =
        variables.map(|(name, value)| (name.clone(), filled_in(&value.to_text().unwrap())));
    (name.to_owned(), variables.collect())
}

#[test]
fn templates_set_exactly_the_variables_that_functions_read() {
    for starter in ["echo", "chat", "live-session"] {
        for (environment, model) in environments(starter) {
            let place = |name: &str| format!("{name} of {starter} in {environment}");
            let expected = FUNCTIONS.iter().filter(|(of, ..)| *of == starter).count();
            assert_eq!(model.functions.len(), expected, "{starter}");
            for function in &model.functions {
                let (name, set) = variables(function, &environment);
                let mut known = FUNCTIONS.iter();
                let (.., reads) = known
                    .find(|(of, known, _)| *of == starter && *known == name)
                    .unwrap_or_else(|| panic!("no config is known for {}", place(&name)));
                let (read, outcome) = reads(&set);
                let set: BTreeSet<_> = set.into_keys().collect();
                assert_eq!(set, read, "{}", place(&name));
                assert_eq!(outcome, Ok(()), "{}", place(&name));
            }
        }
    }
}

/// A table: key and index with the types of their attributes, projection of the index, and TTL attribute.
#[derive(Debug, PartialEq)]
struct Shape {
    key: Vec<String>,
    index: Option<(String, Vec<String>, String)>,
    time_to_live: Option<String>,
}

fn attributes(key: &[stackgen_model::KeyAttribute]) -> Vec<String> {
    let attribute = |attribute: &stackgen_model::KeyAttribute| {
        let kind = attribute.attribute_type.as_ref().map(filled_in);
        format!(
            "{} {}",
            filled_in(&attribute.name),
            kind.unwrap_or_default()
        )
    };
    key.iter().map(attribute).collect()
}

fn rendered(model: &Model, environment: &str) -> BTreeMap<String, Shape> {
    let tables = model.tables.iter().map(|table| {
        let index = |index: &stackgen_model::Index| {
            assert!(index.global);
            let kind = index
                .projection
                .as_ref()
                .and_then(|it| it.get("ProjectionType"));
            let mut kind = kind
                .and_then(Resolved::as_literal)
                .unwrap_or_default()
                .to_owned();
            let included = index
                .projection
                .as_ref()
                .and_then(|it| it.get("NonKeyAttributes"))
                .and_then(Resolved::as_list)
                .unwrap_or_default();
            for attribute in included {
                kind += &format!(" {}", attribute.as_literal().unwrap());
            }
            let name = index.name.as_ref().map(filled_in).unwrap_or_default();
            (name, attributes(&index.key), kind)
        };
        assert!(table.indexes.len() < 2);
        let shape = Shape {
            key: attributes(&table.key),
            index: table.indexes.first().map(index),
            time_to_live: table.ttl_attribute.as_ref().map(filled_in),
        };
        let name = filled_in(table.name.as_ref().unwrap());
        let name = name.strip_suffix(&format!("-{environment}")).unwrap();
        (name.to_owned(), shape)
    });
    tables.collect()
}

#[test]
fn the_tables_of_live_session_match_its_stores() {
    let string = |name: &str| format!("{name} S");
    let written = |table: schema::TableSchema| {
        let index = |index: schema::IndexSchema| {
            let key = [index.partition_key, index.sort_key].map(string);
            let included = index.included.iter().map(|name| format!(" {name}"));
            let kind = format!("INCLUDE{}", included.collect::<String>());
            (index.name.to_owned(), key.to_vec(), kind)
        };
        let shape = Shape {
            key: vec![string(table.key)],
            index: table.index.map(index),
            time_to_live: Some(table.time_to_live.to_owned()),
        };
        (table.name.to_owned(), shape)
    };
    let written: BTreeMap<_, _> = schema::TABLES.into_iter().map(written).collect();
    for (environment, model) in environments("live-session") {
        assert_eq!(rendered(&model, &environment), written, "{environment}");
    }
}

#[test]
fn the_table_of_chat_matches_its_functions() {
    use chat::dynamo::{BY_CONNECTION, CONNECTION, ROOM, TIME_TO_LIVE};
    let string = |name: &str| format!("{name} S");
    let index = vec![string(CONNECTION)];
    let shape = Shape {
        key: vec![string(ROOM), string(CONNECTION)],
        index: Some((BY_CONNECTION.to_owned(), index, "KEYS_ONLY".to_owned())),
        time_to_live: Some(TIME_TO_LIVE.to_owned()),
    };
    let written = BTreeMap::from([("Rooms".to_owned(), shape)]);
    for (environment, model) in environments("chat") {
        assert_eq!(rendered(&model, &environment), written, "{environment}");
    }
}
