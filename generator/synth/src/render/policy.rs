//! Roles, policies and their statements.

use std::collections::BTreeSet;

use stackgen_cfn::{Node, get_att, list, map, sub};

use super::template::ResourceBuilder;
use crate::names::pascal_case;
use crate::spec::{TableAction, TableSpec};

/// Policy statement that allows actions on resources.
pub(super) fn allow(actions: impl IntoIterator<Item = String>, resources: Vec<Node>) -> Node {
    map([
        ("Effect", "Allow".into()),
        ("Action", list(actions)),
        ("Resource", list(resources)),
    ])
}

/// Role that an AWS service assumes.
pub(super) fn assumed_by(service: &str) -> ResourceBuilder {
    assumed_if(service, None)
}

/// Role that an AWS service assumes under a condition.
pub(super) fn assumed_if(service: &str, condition: Option<Node>) -> ResourceBuilder {
    let mut assume = map([
        ("Effect", Node::from("Allow")),
        ("Principal", map([("Service", Node::from(service))])),
        ("Action", "sts:AssumeRole".into()),
    ]);
    if let (Some(statement), Some(condition)) = (assume.as_map_mut(), condition) {
        statement.insert("Condition", condition);
    }
    ResourceBuilder::new("AWS::IAM::Role").set("AssumeRolePolicyDocument", document(vec![assume]))
}

/// Policies of a role with a single policy.
pub(super) fn policy(name: &str, statements: Vec<Node>) -> Node {
    list([map([
        ("PolicyName", Node::from(name)),
        ("PolicyDocument", document(statements)),
    ])])
}

fn document(statements: Vec<Node>) -> Node {
    map([
        ("Version", "2012-10-17".into()),
        ("Statement", list(statements)),
    ])
}

/// Returns the ARNs of a function and its versions. They contain the name: with `GetAtt`, the role of a function that
/// invokes itself would depend on the function, which depends on the role.
pub(super) fn invocable(name: &str) -> [Node; 2] {
    let arn = format!(
        "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}"
    );
    [sub(arn.as_str()), sub(format!("{arn}:*"))]
}

/// Returns statements for the actions on a table and its indexes, and for the use of the key that encrypts it.
pub(super) fn table_statements(
    name: &str,
    table: &TableSpec,
    actions: &BTreeSet<TableAction>,
    key: Option<Node>,
) -> Vec<Node> {
    let id = format!("{}Table", pascal_case(name));
    let names = |actions: &mut dyn Iterator<Item = &TableAction>| -> Vec<String> {
        actions
            .map(|action| format!("dynamodb:{}", action.name()))
            .collect()
    };
    let mut statements = vec![allow(names(&mut actions.iter()), vec![get_att(&id, "Arn")])];
    let reading = names(&mut actions.iter().filter(|action| action.reads_indexes()));
    if !reading.is_empty() && !table.indexes.is_empty() {
        let indexes = table
            .indexes
            .keys()
            .map(|index| sub(format!("${{{id}.Arn}}/index/{index}")));
        statements.push(allow(reading, indexes.collect()));
    }
    if let Some(key) = key {
        let actions = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
        ]
        .map(str::to_owned);
        statements.push(allow(actions, vec![key]));
    }
    statements
}

/// Returns the statements with which Lambda attaches a function to a VPC. Lambda uses the function's role for that, and the
/// last statement excludes the code of the function.
pub(super) fn network_statements(function: &str) -> Vec<Node> {
    let changes = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
    ]
    .map(str::to_owned);
    // These actions do not support resource-level permissions.
    let reads = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"].map(str::to_owned);
    let all: BTreeSet<String> = changes.iter().chain(&reads).cloned().collect();
    let here = sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*");
    let [arn, _] = invocable(function);
    let own_code = map([("ArnEquals", map([("lambda:SourceFunctionArn", arn)]))]);
    vec![
        allow(changes, vec![here]),
        allow(reads, vec!["*".into()]),
        map([
            ("Effect", "Deny".into()),
            ("Action", list(all)),
            ("Resource", "*".into()),
            ("Condition", own_code),
        ]),
    ]
}
