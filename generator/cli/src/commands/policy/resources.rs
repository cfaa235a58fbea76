//! What CloudFormation does to resources, by their types: the actions of the handlers in CloudFormation's registry, as far as
//! they concern the properties that stackgen renders.

use std::collections::BTreeSet;

use super::scope::PolicyScope;

/// Rights that a type of resource takes.
pub(super) struct TypeRights {
    pub(super) on: &'static [ResourceRights],
    /// Roles of the stack that the resource gets.
    pub(super) passes: Option<PassedRoles>,
}

/// Actions on a target.
pub(super) struct ResourceRights {
    pub(super) actions: &'static [&'static str],
    pub(super) target: RightsTarget,
}

/// Service that gets roles of the stack.
pub(super) struct PassedRoles {
    pub(super) to: &'static str,
    /// Property that names the role.
    pub(super) property: &'static str,
}

/// Resources of a stack, or of the account where the names are unknown.
pub(super) enum RightsTarget {
    /// Paths of API Gateway.
    Gateway(&'static [&'static str]),
    Functions,
    Roles,
    Tables,
    LogGroups,
    Alarms,
    Dashboards,
    Schedules,
    Queues,
    /// KMS keys of the account.
    Keys,
    /// Event source mappings of the account.
    EventSources,
    /// Versions of layers of all accounts.
    Layers,
    /// Hosted zones of Route 53 and their changes.
    Zones,
    /// The role with which API Gateway reads certificates.
    GatewayServiceRole,
    /// Actions that cannot be limited.
    Everything,
}

impl RightsTarget {
    /// Returns the ARNs in a scope.
    pub(super) fn arns(&self, scope: &PolicyScope) -> BTreeSet<String> {
        let named =
            |kind: &str, property: &str, arn: &dyn Fn(&str) -> String| -> BTreeSet<String> {
                let names = scope.names(kind, property);
                names.iter().map(|name| arn(name)).collect()
            };
        let partition = &scope.partition;
        match self {
            RightsTarget::Gateway(paths) => paths.iter().map(|path| scope.gateway(path)).collect(),
            RightsTarget::Functions => scope.functions(),
            RightsTarget::Roles => named("AWS::IAM::Role", "RoleName", &|name| {
                scope.global("iam", &format!("role/{name}"))
            }),
            RightsTarget::Tables => named("AWS::DynamoDB::Table", "TableName", &|name| {
                scope.regional("dynamodb", &format!("table/{name}"))
            }),
            RightsTarget::LogGroups => named("AWS::Logs::LogGroup", "LogGroupName", &|name| {
                scope.regional("logs", &format!("log-group:{name}:*"))
            }),
            RightsTarget::Alarms => named("AWS::CloudWatch::Alarm", "AlarmName", &|name| {
                scope.regional("cloudwatch", &format!("alarm:{name}"))
            }),
            RightsTarget::Dashboards => {
                named("AWS::CloudWatch::Dashboard", "DashboardName", &|name| {
                    scope.global("cloudwatch", &format!("dashboard/{name}"))
                })
            }
            RightsTarget::Queues => named("AWS::SQS::Queue", "QueueName", &|name| {
                scope.regional("sqs", name)
            }),
            RightsTarget::Keys => [scope.regional("kms", "key/*")].into(),
            RightsTarget::EventSources => {
                [scope.regional("lambda", "event-source-mapping:*")].into()
            }
            RightsTarget::Layers => {
                let (partition, region) = (&scope.partition, &scope.region);
                [format!("arn:{partition}:lambda:{region}:*:layer:*:*")].into()
            }
            RightsTarget::Schedules => named("AWS::Scheduler::Schedule", "Name", &|name| {
                scope.regional("scheduler", &format!("schedule/default/{name}"))
            }),
            RightsTarget::Zones => ["hostedzone", "change"]
                .map(|kind| format!("arn:{partition}:route53:::{kind}/*"))
                .into(),
            RightsTarget::GatewayServiceRole => {
                let path = "role/aws-service-role/ops.apigateway.amazonaws.com/*";
                [scope.global("iam", path)].into()
            }
            RightsTarget::Everything => ["*".to_owned()].into(),
        }
    }
}

const GATEWAY_ACTIONS: &[&str] = &[
    "apigateway:DELETE",
    "apigateway:GET",
    "apigateway:PATCH",
    "apigateway:POST",
    "apigateway:PUT",
];

/// Role with which API Gateway writes logs, a setting of the account.
const ACCOUNT: &[ResourceRights] = &[ResourceRights {
    actions: &["apigateway:GET", "apigateway:PATCH"],
    target: RightsTarget::Gateway(&["/account"]),
}];

/// Parts of APIs, and tags, whose paths contain ARNs.
const APIS: &[ResourceRights] = &[ResourceRights {
    actions: GATEWAY_ACTIONS,
    target: RightsTarget::Gateway(&["/apis", "/apis/*", "/tags/*"]),
}];

/// Stages, whose access logs API Gateway delivers on behalf of the caller.
const STAGES: &[ResourceRights] = &[
    ResourceRights {
        actions: &[
            "apigateway:DELETE",
            "apigateway:GET",
            "apigateway:PATCH",
            "apigateway:POST",
            "apigateway:PUT",
            "apigateway:TagResource",
            "apigateway:UntagResource",
        ],
        target: RightsTarget::Gateway(&["/apis", "/apis/*", "/tags/*"]),
    },
    ResourceRights {
        actions: &[
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        target: RightsTarget::Everything,
    },
];

const DOMAINS: &[ResourceRights] = &[
    ResourceRights {
        actions: &[
            "apigateway:AddCertificateToDomain",
            "apigateway:DELETE",
            "apigateway:GET",
            "apigateway:PATCH",
            "apigateway:POST",
            "apigateway:PUT",
            "apigateway:RemoveCertificateFromDomain",
        ],
        target: RightsTarget::Gateway(&["/domainnames", "/domainnames/*", "/tags/*"]),
    },
    ResourceRights {
        actions: &["iam:CreateServiceLinkedRole"],
        target: RightsTarget::GatewayServiceRole,
    },
];

const FUNCTIONS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:DeleteFunctionConcurrency",
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionRecursionConfig",
        "lambda:GetFunctionScalingConfig",
        "lambda:GetRuntimeManagementConfig",
        "lambda:ListTags",
        "lambda:PutFunctionConcurrency",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
    ],
    target: RightsTarget::Functions,
}];

const VERSIONS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "lambda:DeleteFunction",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionScalingConfig",
        "lambda:GetProvisionedConcurrencyConfig",
        "lambda:GetRuntimeManagementConfig",
        "lambda:ListVersionsByFunction",
        "lambda:PublishVersion",
    ],
    target: RightsTarget::Functions,
}];

const PERMISSIONS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "lambda:AddPermission",
        "lambda:GetPolicy",
        "lambda:RemovePermission",
    ],
    target: RightsTarget::Functions,
}];

const ASYNC_INVOCATIONS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "lambda:DeleteFunctionEventInvokeConfig",
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:UpdateFunctionEventInvokeConfig",
    ],
    target: RightsTarget::Functions,
}];

const EVENT_SOURCES: &[ResourceRights] = &[
    ResourceRights {
        actions: &[
            "lambda:DeleteEventSourceMapping",
            "lambda:ListTags",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateEventSourceMapping",
        ],
        target: RightsTarget::EventSources,
    },
    // These actions have no resource.
    ResourceRights {
        actions: &[
            "lambda:CreateEventSourceMapping",
            "lambda:GetEventSourceMapping",
        ],
        target: RightsTarget::Everything,
    },
];

const QUEUES: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListQueueTags",
        "sqs:SetQueueAttributes",
        "sqs:TagQueue",
        "sqs:UntagQueue",
    ],
    target: RightsTarget::Queues,
}];

/// Keys, and their use by services on behalf of the caller: CloudWatch Logs, Lambda and DynamoDB.
const KEYS: &[ResourceRights] = &[
    ResourceRights {
        actions: &["kms:CreateKey"],
        target: RightsTarget::Everything,
    },
    ResourceRights {
        actions: &[
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:DisableKey",
            "kms:DisableKeyRotation",
            "kms:EnableKey",
            "kms:EnableKeyRotation",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateKeyDescription",
        ],
        target: RightsTarget::Keys,
    },
];

/// Network of functions.
const NETWORK: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ],
    target: RightsTarget::Everything,
}];

const LAYERS: &[ResourceRights] = &[ResourceRights {
    actions: &["lambda:GetLayerVersion"],
    target: RightsTarget::Layers,
}];

const KEY_OF_LOGS: &[ResourceRights] = &[ResourceRights {
    actions: &["logs:AssociateKmsKey", "logs:DisassociateKmsKey"],
    target: RightsTarget::LogGroups,
}];

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

const SCHEDULES: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "scheduler:CreateSchedule",
        "scheduler:DeleteSchedule",
        "scheduler:GetSchedule",
        "scheduler:UpdateSchedule",
    ],
    target: RightsTarget::Schedules,
}];

const ROLES: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:PutRolePolicy",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
    ],
    target: RightsTarget::Roles,
}];

const LOG_GROUPS: &[ResourceRights] = &[
    ResourceRights {
        actions: &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DeleteRetentionPolicy",
            "logs:DescribeIndexPolicies",
            "logs:GetDataProtectionPolicy",
            "logs:ListTagsForResource",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
        target: RightsTarget::LogGroups,
    },
    ResourceRights {
        actions: &["logs:DescribeLogGroups", "logs:DescribeResourcePolicies"],
        target: RightsTarget::Everything,
    },
];

const TABLES: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "dynamodb:CreateTable",
        "dynamodb:DeleteTable",
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeContributorInsights",
        "dynamodb:DescribeKinesisStreamingDestination",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetResourcePolicy",
        "dynamodb:ListTagsOfResource",
        "dynamodb:TagResource",
        "dynamodb:UntagResource",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTable",
        "dynamodb:UpdateTimeToLive",
    ],
    target: RightsTarget::Tables,
}];

const ALARMS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
    ],
    target: RightsTarget::Alarms,
}];

const DASHBOARDS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "cloudwatch:DeleteDashboards",
        "cloudwatch:GetDashboard",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutDashboard",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
    ],
    target: RightsTarget::Dashboards,
}];

const RECORDS: &[ResourceRights] = &[
    ResourceRights {
        actions: &[
            "route53:ChangeResourceRecordSets",
            "route53:GetChange",
            "route53:GetHostedZone",
            "route53:ListResourceRecordSets",
        ],
        target: RightsTarget::Zones,
    },
    ResourceRights {
        actions: &["route53:ListHostedZones"],
        target: RightsTarget::Everything,
    },
];

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
