//! Declarations of a project, for the checks.

use stackgen_deploy::FunctionName;
use stackgen_diagnose::doctor::{
    DeclaredCaller, DeclaredFunction, DeclaredTable, ProjectFacts, is_management_variable,
};
use stackgen_model::{Api, Function, Model, Resolved, Table, Text};
use stackgen_synth::spec::{VerifyApi, VerifyCallerSpec};

use crate::account::StageTarget;

/// Returns what the project of a target declares. `selector` is the flags that select the target, `aws_flags` those that select
/// the account.
pub(super) fn project_facts(target: &StageTarget, selector: &str, aws_flags: &str) -> ProjectFacts {
    let mut facts = ProjectFacts {
        selector: selector.to_owned(),
        aws_flags: aws_flags.to_owned(),
        is_known: target.model.is_some(),
        ..ProjectFacts::default()
    };
    let websocket = target
        .callers
        .iter()
        .filter(|(_, caller)| caller.api == VerifyApi::WebSocket);
    facts.callers = websocket
        .map(|(name, caller)| declared_caller(name, caller))
        .collect();
    let built = target.code.iter();
    facts.built = built
        .map(|code| (code.function.clone(), code.sha256.clone()))
        .collect();
    if let Some(model) = target.model.as_deref() {
        add_template(&mut facts, model, target.name());
    }
    facts
}

fn add_template(facts: &mut ProjectFacts, model: &Model, api: Option<&str>) {
    facts.functions = model
        .functions
        .iter()
        .filter_map(declared_function)
        .collect();
    facts.tables = model.tables.iter().filter_map(declared_table).collect();
    let is_named = |one: &&Api| one.name.as_ref().and_then(Text::as_literal) == api;
    let authorizers = model
        .apis
        .iter()
        .filter(is_named)
        .flat_map(|one| &one.authorizers);
    facts.has_anonymous_callers = authorizers.into_iter().any(|authorizer| {
        let metadata = authorizer.resource.attributes.get("Metadata");
        let callers = metadata.and_then(|metadata| metadata.at_path(&["Stackgen", "Callers"]));
        callers.and_then(Resolved::as_literal) == Some("mixed")
    });
}

fn declared_function(function: &Function) -> Option<(FunctionName, DeclaredFunction)> {
    let name = function.name.as_ref()?.as_literal()?;
    let variables = function.environment.value().into_iter().flatten();
    let environment = variables.map(|(name, value)| {
        let text = value.to_text();
        let literal = text.as_ref().and_then(Text::as_literal);
        (name.clone(), literal.map(str::to_owned))
    });
    let declared = DeclaredFunction {
        environment: environment.collect(),
        posts: false,
    };
    let mut names = declared.environment.keys();
    let posts = names.any(|name| is_management_variable(name, "", ""));
    Some((
        FunctionName::new(name),
        DeclaredFunction { posts, ..declared },
    ))
}

fn declared_table(table: &Table) -> Option<(String, DeclaredTable)> {
    let name = table.name.as_ref()?.as_literal()?;
    let indexes = table.indexes.iter().filter(|index| index.global);
    let indexes = indexes.filter_map(|index| index.name.as_ref()?.as_literal().map(str::to_owned));
    let ttl = table.ttl_attribute.as_ref().and_then(Text::as_literal);
    Some((
        name.to_owned(),
        DeclaredTable {
            ttl: ttl.map(str::to_owned),
            indexes: indexes.collect(),
        },
    ))
}

fn declared_caller(name: &str, caller: &VerifyCallerSpec) -> DeclaredCaller {
    let mut headers: Vec<_> = caller.headers.keys().cloned().collect();
    if !caller.subprotocols.is_empty() {
        headers.push("Sec-WebSocket-Protocol".to_owned());
    }
    DeclaredCaller {
        name: name.to_owned(),
        query: caller.query.keys().cloned().collect(),
        headers,
        expects_refusal: caller.status == Some(401),
    }
}
