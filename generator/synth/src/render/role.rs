//! Roles of functions, with least-privilege policies.

use stackgen_cfn::{Node, get_att, sub};

use super::api_names::ApiNames;
use super::context::RenderContext;
use super::destination;
use super::function_ids::FunctionIds;
use super::keys;
use super::policy::{allow, assumed_by, invocable, network_statements, policy, table_statements};
use super::raw;
use super::template::ResourceBuilder;
use crate::spec::FunctionSpec;

/// Role of a function: access to its log group, its tables, connections, the functions that it invokes and what it is attached
/// to, and the further statements of the file.
pub(super) fn function_role(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    ids: &FunctionIds,
    additional: Option<&Node>,
) -> ResourceBuilder {
    let logs = allow(
        [
            "logs:CreateLogStream".to_owned(),
            "logs:PutLogEvents".to_owned(),
        ],
        vec![get_att(&ids.log_group, "Arn")],
    );
    let mut statements = vec![logs];
    for (table_name, actions) in &function.tables {
        if let Some(table) = context.spec.tables.get(table_name) {
            statements.extend(table_statements(
                table_name,
                table,
                actions,
                keys::table_key(context, table),
            ));
        }
    }
    if let Some(api) = context
        .websocket()
        .filter(|_| !function.manage_connections.is_empty())
    {
        let stage = api.stage_name();
        let resources = function.manage_connections.iter().map(|method| {
            sub(format!(
                "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/{stage}/{}/@connections/*",
                ApiNames::WEBSOCKET.id,
                method.name()
            ))
        });
        statements.push(allow(
            ["execute-api:ManageConnections".to_owned()],
            resources.collect(),
        ));
    }
    if !function.invoke.is_empty() {
        let names = function.invoke.iter();
        let resources = names.flat_map(|name| invocable(&context.name(name)));
        statements.push(allow(
            ["lambda:InvokeFunction".to_owned()],
            resources.collect(),
        ));
    }
    statements.extend(destination::statements(context, function));
    statements.extend(keys::function_key(context, function).map(keys::allow_decrypt));
    if function.vpc.is_some() {
        statements.extend(network_statements(&context.name(name)));
    }
    if function.tracing {
        let actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"].map(str::to_owned);
        // These actions do not support resource-level permissions.
        statements.push(allow(actions, vec!["*".into()]));
    }
    statements.extend(
        additional
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .map(raw::canonical),
    );
    assumed_by("lambda.amazonaws.com")
        .set("Policies", policy("access", statements))
        .set_some("Tags", context.tag_list())
}
