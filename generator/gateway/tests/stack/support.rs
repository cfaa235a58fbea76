//! Templates, gateways, and what is in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway_apis::apis::{Api, Route};
use stackgen_gateway_common::ApiId;
use stackgen_gateway_stack::{Applied, Apply, Problem, Template, What};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A gateway with nothing in it.
pub(crate) async fn gateway() -> Gateway {
    Gateway::start(GatewayOptions::default())
        .await
        .expect("a gateway")
}

/// A template of the repository.
pub(crate) fn template(file: &str) -> Template {
    let path = root().join(file);
    Template {
        stack: "stack".to_owned(),
        text: std::fs::read_to_string(&path).expect("a template"),
        file: path.display().to_string(),
        ..Template::default()
    }
}

/// A template of a test.
pub(crate) fn text(text: &str) -> Template {
    Template {
        stack: "stack".to_owned(),
        file: "template.yaml".to_owned(),
        text: text.to_owned(),
        ..Template::default()
    }
}

/// The same, so that stages stay as they are.
pub(crate) fn without_deployments(template: Template) -> Template {
    Template {
        apply: Apply::WithoutDeployments,
        ..template
    }
}

pub(crate) async fn apply(gateway: &Gateway, template: Template) -> Applied {
    gateway
        .apply(template)
        .await
        .unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

/// Problems as lines: `line: message (hint)`.
pub(crate) fn told(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let line = problem
            .line
            .map_or(String::new(), |line| format!("{line}: "));
        let hint = problem.hint.as_ref();
        let hint = hint.map_or(String::new(), |hint| format!(" ({hint})"));
        format!("{line}{}{hint}", problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What was done, in order: `created Socket`.
pub(crate) fn done(applied: &Applied) -> Vec<String> {
    let lines = applied.changes.iter().map(|change| {
        let what = match change.what {
            What::Created => "created",
            What::Updated => "updated",
            What::Code => "code",
            What::Deleted => "deleted",
            What::Retained => "retained",
        };
        format!("{what} {}", change.logical_id)
    });
    lines.collect()
}

/// The api of that name.
pub(crate) fn api(gateway: &Gateway, name: &str) -> Arc<Api> {
    let apis = gateway.account().apis.list_apis();
    let found = apis.into_iter().find(|api| api.name == name);
    found.unwrap_or_else(|| panic!("no api {name}"))
}

/// The route that a stage serves for a key, if it does.
pub(crate) fn served(gateway: &Gateway, api: &ApiId, stage: &str, key: &str) -> Option<Arc<Route>> {
    let served = gateway.account().apis.served(api, stage)?;
    served.snapshot.as_ref()?.route(key).cloned()
}

/// The variables of a function.
pub(crate) fn variable(gateway: &Gateway, function: &str, name: &str) -> String {
    let version = gateway.account().functions.get(function, None);
    let version = version.expect("the function");
    let value = version.configuration.environment.get(name);
    value.unwrap_or_else(|| panic!("no {name}")).clone()
}
