//! Actions of the handlers in CloudFormation's registry, by types of resources.

use super::target::{ResourceRights, RightsTarget};

const GATEWAY_ACTIONS: &[&str] = &[
    "apigateway:DELETE",
    "apigateway:GET",
    "apigateway:PATCH",
    "apigateway:POST",
    "apigateway:PUT",
];

/// Role with which API Gateway writes logs, a setting of the account.
pub(super) const ACCOUNT: &[ResourceRights] = &[ResourceRights {
    actions: &["apigateway:GET", "apigateway:PATCH"],
    target: RightsTarget::Gateway(&["/account"]),
}];

/// Parts of APIs, and tags, whose paths contain ARNs.
pub(super) const APIS: &[ResourceRights] = &[ResourceRights {
    actions: GATEWAY_ACTIONS,
    target: RightsTarget::Gateway(&["/apis", "/apis/*", "/tags/*"]),
}];

/// Stages, whose access logs API Gateway delivers on behalf of the caller.
pub(super) const STAGES: &[ResourceRights] = &[
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

pub(super) const DOMAINS: &[ResourceRights] = &[
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

pub(super) const FUNCTIONS: &[ResourceRights] = &[ResourceRights {
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

pub(super) const VERSIONS: &[ResourceRights] = &[ResourceRights {
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

pub(super) const PERMISSIONS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "lambda:AddPermission",
        "lambda:GetPolicy",
        "lambda:RemovePermission",
    ],
    target: RightsTarget::Functions,
}];

pub(super) const ASYNC_INVOCATIONS: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "lambda:DeleteFunctionEventInvokeConfig",
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:UpdateFunctionEventInvokeConfig",
    ],
    target: RightsTarget::Functions,
}];

pub(super) const EVENT_SOURCES: &[ResourceRights] = &[
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

pub(super) const QUEUES: &[ResourceRights] = &[ResourceRights {
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
pub(super) const KEYS: &[ResourceRights] = &[
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
pub(super) const NETWORK: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ],
    target: RightsTarget::Everything,
}];

pub(super) const LAYERS: &[ResourceRights] = &[ResourceRights {
    actions: &["lambda:GetLayerVersion"],
    target: RightsTarget::Layers,
}];

pub(super) const KEY_OF_LOGS: &[ResourceRights] = &[ResourceRights {
    actions: &["logs:AssociateKmsKey", "logs:DisassociateKmsKey"],
    target: RightsTarget::LogGroups,
}];

pub(super) const SCHEDULES: &[ResourceRights] = &[ResourceRights {
    actions: &[
        "scheduler:CreateSchedule",
        "scheduler:DeleteSchedule",
        "scheduler:GetSchedule",
        "scheduler:UpdateSchedule",
    ],
    target: RightsTarget::Schedules,
}];

pub(super) const ROLES: &[ResourceRights] = &[ResourceRights {
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

pub(super) const LOG_GROUPS: &[ResourceRights] = &[
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

pub(super) const TABLES: &[ResourceRights] = &[ResourceRights {
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

pub(super) const ALARMS: &[ResourceRights] = &[ResourceRights {
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

pub(super) const DASHBOARDS: &[ResourceRights] = &[ResourceRights {
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

pub(super) const RECORDS: &[ResourceRights] = &[
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
