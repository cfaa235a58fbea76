//! Actions, and the resources that they concern.

use std::collections::BTreeSet;

use super::super::scope::PolicyScope;

/// Actions on a target.
pub(crate) struct ResourceRights {
    pub(crate) actions: &'static [&'static str],
    pub(crate) target: RightsTarget,
}

/// Resources of a stack, or of the account where the names are unknown.
pub(crate) enum RightsTarget {
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
    pub(crate) fn arns(&self, scope: &PolicyScope) -> BTreeSet<String> {
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
