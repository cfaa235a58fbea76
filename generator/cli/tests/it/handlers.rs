//! Templates and the code of the functions, held together: what one sets, the other reads.

use std::collections::BTreeMap;

use live_session::dynamo::schema;
use stackgen_cfn::Sources;
use stackgen_model::{Inputs, Model, Piece, Resolved, Text};
use stackgen_synth::{Artifacts, Dialect, Request, Stack};

use crate::common::root;

/// Every environment of a starter, rendered and read back.
fn environments(starter: &str) -> Vec<(String, Model)> {
    let path = root().join("templates").join(starter).join("stackgen.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sources = Sources::new();
    let stack = Stack::load(sources.add("stackgen.yaml", text)).unwrap();
    let model = |environment: &str| {
        let request = Request {
            environment,
            dialect: Dialect::CloudFormation,
            project_path: ".",
            artifacts: &Artifacts::new(),
        };
        let rendered = stack.render(&request).unwrap();
        Model::from_template(&rendered.template, &Inputs::none())
    };
    let environments = stack.environments().into_iter();
    environments
        .map(|name| (name.to_owned(), model(name)))
        .collect()
}

/// Text as it may be once the stack is there: what the template does not know is an `x`.
fn filled_in(text: &Text) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        _ => "x".to_owned(),
    };
    text.pieces().iter().map(piece).collect()
}

/// A table: its key and its index with their attributes' types, what the index copies, and the attribute that lets items
/// expire.
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
            let kind = kind.and_then(Resolved::as_literal).unwrap_or_default();
            let name = index.name.as_ref().map(filled_in).unwrap_or_default();
            (name, attributes(&index.key), kind.to_owned())
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
fn the_tables_of_live_sessions_are_those_that_the_stores_stand_on() {
    let string = |name: &str| format!("{name} S");
    let written = |table: schema::Table| {
        let index = |index: schema::Index| {
            let key = [index.partition_key, index.sort_key].map(string);
            (index.name.to_owned(), key.to_vec(), "ALL".to_owned())
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
