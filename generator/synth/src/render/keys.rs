//! The KMS key of the stack, and the rights to use keys.

use stackgen_cfn::{Node, get_att, list, map, sub};

use super::api_names::ApiNames;
use super::context::RenderContext;
use super::policy::allow;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::spec::{EncryptionKeySpec, Expression, FunctionSpec, TableSpec};

const KEY: &str = "EncryptionKey";

/// Returns the ARN of the key of the stack, if it has one.
pub(super) fn stack_key(context: &RenderContext<'_>) -> Option<Node> {
    match context.spec.encryption_key.as_ref()? {
        EncryptionKeySpec::Create => Some(get_att(KEY, "Arn")),
        EncryptionKeySpec::Existing(arn) => Some(arn.0.clone()),
    }
}

/// Returns the ARN of a resource's own key, or else that of the stack.
pub(super) fn key_of(context: &RenderContext<'_>, own: Option<&Expression>) -> Option<Node> {
    own.map(|arn| arn.0.clone()).or_else(|| stack_key(context))
}

/// Returns the ARN of the key that encrypts a table, unless it is a key of AWS. `encryption` excludes the key of the stack.
pub(super) fn table_key(context: &RenderContext<'_>, table: &TableSpec) -> Option<Node> {
    match (&table.kms_key_arn, table.encryption) {
        (None, Some(_)) => None,
        (own, _) => key_of(context, own.as_ref()),
    }
}

/// Returns the ARN of the key that encrypts the environment variables of a function.
pub(super) fn function_key(context: &RenderContext<'_>, function: &FunctionSpec) -> Option<Node> {
    key_of(context, function.kms_key_arn.as_ref())
}

/// Returns the ARN of the key that encrypts a queue of this file. Keys of other queues are unknown.
pub(super) fn queue_key(context: &RenderContext<'_>, queue: &Expression) -> Option<Node> {
    let name = queue.0.as_str()?;
    let is_ours = context.spec.queues.contains_key(name);
    is_ours.then(|| stack_key(context)).flatten()
}

/// Statement that allows to decrypt with a key.
pub(super) fn allow_decrypt(key: Node) -> Node {
    allow(["kms:Decrypt".to_owned()], vec![key])
}

/// Statement that allows to send messages to a queue that a key encrypts.
pub(super) fn allow_send(key: Node) -> Node {
    let actions = ["kms:Decrypt", "kms:GenerateDataKey"].map(str::to_owned);
    allow(actions, vec![key])
}

/// Adds the key, if the stack creates one. It is retained, because retained tables need it.
pub(super) fn render(context: &RenderContext<'_>, template: &mut TemplateBuilder) {
    if !matches!(context.spec.encryption_key, Some(EncryptionKeySpec::Create)) {
        return;
    }
    template.add(KEY, &["encryptionKey"], || {
        ResourceBuilder::new("AWS::KMS::Key")
            .retained(true)
            .set("Description", format!("Data of {}", context.stack_name()))
            .set("EnableKeyRotation", true)
            .set("KeyPolicy", key_policy(context))
            .set_some("Tags", context.tag_list())
    });
}

/// Returns the policy of the key: the account decides who uses it, and CloudWatch Logs uses it for the log groups of the
/// stack.
fn key_policy(context: &RenderContext<'_>) -> Node {
    let account = map([
        ("Sid", Node::from("Account")),
        ("Effect", "Allow".into()),
        (
            "Principal",
            map([(
                "AWS",
                sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"),
            )]),
        ),
        ("Action", "kms:*".into()),
        ("Resource", "*".into()),
    ]);
    let mut statements = vec![account];
    let groups: Vec<Node> = log_groups(context)
        .into_iter()
        .map(|name| {
            sub(format!(
                "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{name}"
            ))
        })
        .collect();
    if !groups.is_empty() {
        let actions = [
            "kms:Decrypt*",
            "kms:Describe*",
            "kms:Encrypt*",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ];
        let condition = map([("kms:EncryptionContext:aws:logs:arn", list(groups))]);
        statements.push(map([
            ("Sid", Node::from("Logs")),
            ("Effect", "Allow".into()),
            (
                "Principal",
                map([("Service", sub("logs.${AWS::Region}.${AWS::URLSuffix}"))]),
            ),
            ("Action", list(actions)),
            ("Resource", "*".into()),
            ("Condition", map([("ArnEquals", condition)])),
        ]));
    }
    map([
        ("Version", Node::from("2012-10-17")),
        ("Statement", list(statements)),
    ])
}

/// Returns the names of the stack's log groups.
fn log_groups(context: &RenderContext<'_>) -> Vec<String> {
    let functions = context.spec.functions.keys();
    let functions = functions.map(|name| format!("/aws/lambda/{}", context.name(name)));
    let websocket = context
        .websocket()
        .map(|api| (ApiNames::WEBSOCKET, &api.name, &api.stage));
    let http = context.spec.http.as_ref();
    let http = http.map(|api| (ApiNames::HTTP, &api.name, &api.stage));
    let apis = websocket.into_iter().chain(http);
    let apis = apis
        .filter(|(_, _, stage)| stage.access_logs.is_some())
        .map(|(api, name, _)| api.log_group_name(&context.name(name)));
    functions.chain(apis).collect()
}
