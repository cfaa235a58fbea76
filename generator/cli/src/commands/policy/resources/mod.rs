//! What CloudFormation does to resources, by their types: the actions of the handlers in CloudFormation's registry, as far as
//! they concern the properties that stackgen renders.

mod actions;
mod target;

use self::actions::{
    ACCOUNT, ALARMS, APIS, ASYNC_INVOCATIONS, DASHBOARDS, DOMAINS, EVENT_SOURCES, FUNCTIONS,
    KEY_OF_LOGS, KEYS, LAYERS, LOG_GROUPS, NETWORK, PERMISSIONS, QUEUES, RECORDS, ROLES, SCHEDULES,
    STAGES, TABLES, VERSIONS,
};
pub(super) use self::target::ResourceRights;

/// Rights that a type of resource takes.
pub(super) struct TypeRights {
    pub(super) on: &'static [ResourceRights],
    /// Roles of the stack that the resource gets.
    pub(super) passes: Option<PassedRoles>,
}

/// Service that gets roles of the stack.
pub(super) struct PassedRoles {
    pub(super) to: &'static str,
    /// Property that names the role.
    pub(super) property: &'static str,
}

/// Returns the rights that a property of a type takes, in addition to those of the type.
pub(super) fn rights_of_properties(
    kind: &str,
) -> &'static [(&'static str, &'static [ResourceRights])] {
    match kind {
        "AWS::Lambda::Function" => &[("VpcConfig", NETWORK), ("Layers", LAYERS)],
        "AWS::Logs::LogGroup" => &[("KmsKeyId", KEY_OF_LOGS)],
        _ => &[],
    }
}

/// Returns the rights that a type of resource takes; `None` for types that stackgen does not render.
pub(super) fn rights(kind: &str) -> Option<TypeRights> {
    let on = |on| TypeRights { on, passes: None };
    let passing = |on, property, to| TypeRights {
        on,
        passes: Some(PassedRoles { to, property }),
    };
    let gateway = "apigateway.amazonaws.com";
    Some(match kind {
        "AWS::ApiGateway::Account" => passing(ACCOUNT, "CloudWatchRoleArn", gateway),
        // API Gateway gets the invoke role.
        "AWS::ApiGatewayV2::Authorizer" => passing(APIS, "AuthorizerCredentialsArn", gateway),
        "AWS::ApiGatewayV2::Integration" => passing(APIS, "CredentialsArn", gateway),
        "AWS::ApiGatewayV2::Api"
        | "AWS::ApiGatewayV2::Deployment"
        | "AWS::ApiGatewayV2::IntegrationResponse"
        | "AWS::ApiGatewayV2::Model"
        | "AWS::ApiGatewayV2::Route"
        | "AWS::ApiGatewayV2::RouteResponse" => on(APIS),
        "AWS::ApiGatewayV2::Stage" => on(STAGES),
        "AWS::ApiGatewayV2::ApiMapping" | "AWS::ApiGatewayV2::DomainName" => on(DOMAINS),
        "AWS::CloudWatch::Alarm" => on(ALARMS),
        "AWS::CloudWatch::Dashboard" => on(DASHBOARDS),
        "AWS::DynamoDB::Table" => on(TABLES),
        "AWS::IAM::Role" => on(ROLES),
        "AWS::KMS::Key" => on(KEYS),
        "AWS::Lambda::EventInvokeConfig" => on(ASYNC_INVOCATIONS),
        "AWS::Lambda::EventSourceMapping" => on(EVENT_SOURCES),
        "AWS::Lambda::Function" => passing(FUNCTIONS, "Role", "lambda.amazonaws.com"),
        "AWS::Lambda::Permission" => on(PERMISSIONS),
        "AWS::Lambda::Version" => on(VERSIONS),
        "AWS::Logs::LogGroup" => on(LOG_GROUPS),
        "AWS::Route53::RecordSet" => on(RECORDS),
        "AWS::SQS::Queue" => on(QUEUES),
        "AWS::Scheduler::Schedule" => passing(SCHEDULES, "Target", "scheduler.amazonaws.com"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Returns the types of resources that source files name.
    fn named_types(folder: &Path) -> BTreeSet<String> {
        let mut types = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                types.extend(named_types(&path));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let literals = text.split('"').skip(1).step_by(2);
            let is_type =
                |text: &&str| text.starts_with("AWS::") && text.matches("::").count() == 2;
            types.extend(literals.filter(is_type).map(str::to_owned));
        }
        types
    }

    #[test]
    fn the_rights_of_every_type_that_stackgen_renders_are_known() {
        let renderer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../synth/src/render");
        let mut types = named_types(&renderer);
        // SAM expands this one, and deploys use no SAM.
        assert!(types.remove("AWS::Serverless::Function"));
        types.retain(|kind| !kind.ends_with("::"));
        assert!(types.len() > 15, "{types:?}");
        for kind in types {
            assert!(rights(&kind).is_some(), "{kind}");
        }
    }

    /// Prints the permissions of the handlers that create, read, update and delete a type of resource, by type. cfn-lint contains
    /// CloudFormation's registry.
    const HANDLERS: &str = "
import glob, json, os, cfnlint
for path in glob.glob(os.path.join(os.path.dirname(cfnlint.__file__), 'data/schemas/resources/*.json')):
    schema = json.load(open(path))
    for name, handler in (schema.get('handlers') or {}).items():
        if name != 'list':
            for action in handler.get('permissions', []):
                print(schema['typeName'], action)
";

    /// Permissions for properties that stackgen does not render, by their beginnings.
    const UNUSED: [&str; 39] = [
        // Code in a bucket of the account is read with the caller's rights, which the policy has for the bucket of artifacts.
        "s3",
        // Definitions of APIs in a bucket, VPCs, file systems, keys and Firehose.
        "ec2:",
        "elasticfilesystem:",
        "firehose:",
        "kinesis:",
        "kms:",
        // Roles are passed to one service each.
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "dynamodb:AssociateTableReplica",
        "dynamodb:BatchWriteItem",
        "dynamodb:CreateTableReplica",
        "dynamodb:DeleteItem",
        "dynamodb:DeleteResourcePolicy",
        "dynamodb:DescribeImport",
        "dynamodb:DisableKinesisStreamingDestination",
        "dynamodb:EnableKinesisStreamingDestination",
        "dynamodb:GetItem",
        "dynamodb:ImportTable",
        "dynamodb:PutItem",
        "dynamodb:PutResourcePolicy",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:UpdateContributorInsights",
        "dynamodb:UpdateItem",
        "dynamodb:UpdateKinesisStreamingDestination",
        "lambda:AssociateRuntimeAlias",
        "lambda:DeleteFunctionCodeSigningConfig",
        "lambda:GetCodeSigningConfig",
        "lambda:GetLayerVersion",
        "lambda:PassCapacityProvider",
        "lambda:PutFunctionCodeSigningConfig",
        "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionScalingConfig",
        "lambda:PutProvisionedConcurrencyConfig",
        "lambda:PutRuntimeManagementConfig",
        "lambda:PublishVersion",
        "logs:",
    ];

    /// Log groups have a retention and tags.
    const USED_LOGS: [&str; 7] = [
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:DescribeLogGroups",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ];

    #[test]
    fn rights_contain_the_permissions_of_cloudformations_registry() {
        let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
            return;
        };
        let output = std::process::Command::new(python)
            .args(["-c", HANDLERS])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut types = BTreeSet::new();
        for line in text.lines() {
            let (kind, action) = line.split_once(' ').unwrap();
            let Some(rights) = rights(kind) else { continue };
            types.insert(kind);
            let is_of_a_log_group = kind == "AWS::Logs::LogGroup" && USED_LOGS.contains(&action);
            let is_unused = UNUSED.iter().any(|unused| action.starts_with(unused));
            if is_unused && !is_of_a_log_group {
                continue;
            }
            // Roles are in the stack, whose rights contain this one.
            let is_known = (kind, action) == ("AWS::ApiGateway::Account", "iam:GetRole");
            let has = |rights: &ResourceRights| rights.actions.contains(&action);
            assert!(
                is_known || rights.on.iter().any(has),
                "{kind} lacks {action}"
            );
        }
        assert!(types.len() > 15, "{types:?}");
    }
}
