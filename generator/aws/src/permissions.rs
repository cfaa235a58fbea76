//! Operations of AWS that stackgen calls, and the permissions that they take.

/// Resource that a permission is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTarget {
    /// Path of API Gateway, below `arn:aws:apigateway:{region}::`. `{api}` stands for the ID of an API.
    Gateway(&'static str),
    /// A function and its versions.
    Function,
    /// A stack with its change sets.
    Stack,
    /// The whole account: the operation cannot be limited.
    Account,
    /// The bucket of artifacts.
    Bucket,
    /// An object of the bucket of artifacts.
    Object,
    /// All log groups, if the stack names one.
    LogGroup,
    /// A table to which the stack gives a name.
    Table,
    /// A role to which the stack gives a name.
    Role,
    /// All alarms, if the stack names one.
    Alarm,
    /// A dashboard to which the stack gives a name.
    Dashboard,
    /// A hosted zone in which the stack creates a record.
    HostedZone,
    /// The whole account, if the stack has a domain of a user pool.
    UserPoolDomain,
    /// The whole account, if the stack creates roles.
    AccountSummary,
    /// A quota of API Gateway of which the stack needs more than the default.
    GatewayQuota,
    /// Nothing that a policy of the caller must name: everybody may call it, or the other side permits it.
    Unlimited,
}

/// Task for which an operation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTask {
    /// Redeploying the stage of an API, which is also the last part of a deploy.
    Redeploy,
    /// Sending code in a redeploy.
    Code,
    /// Deploying a stack.
    Deploy,
    /// None of these: other commands use it.
    Other,
}

macro_rules! aws_calls {
    ($($name:ident $action:literal $target:expr, $task:ident;)*) => {
        /// Operation of AWS that stackgen calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are AWS's")]
        pub enum AwsCall {
            $($name,)*
        }

        impl AwsCall {
            /// All operations.
            pub const ALL: &[AwsCall] = &[$(AwsCall::$name,)*];

            /// Returns the name.
            pub fn name(self) -> &'static str {
                match self {
                    $(AwsCall::$name => stringify!($name),)*
                }
            }

            /// Returns the IAM action.
            pub fn action(self) -> &'static str {
                match self {
                    $(AwsCall::$name => $action,)*
                }
            }

            /// Returns the resource that a permission can be limited to.
            pub fn target(self) -> CallTarget {
                match self {
                    $(AwsCall::$name => $target,)*
                }
            }

            /// Returns the task for which the operation is called.
            pub fn task(self) -> CallTask {
                match self {
                    $(AwsCall::$name => CallTask::$task,)*
                }
            }
        }
    };
}

use CallTarget::{
    Account, AccountSummary, Alarm, Bucket, Dashboard, Function, Gateway, GatewayQuota, HostedZone,
    LogGroup, Object, Role, Stack, Table, Unlimited, UserPoolDomain,
};

aws_calls! {
    AssumeRole "sts:AssumeRole" Unlimited, Other;
    GetCallerIdentity "sts:GetCallerIdentity" Unlimited, Redeploy;

    GetApis "apigateway:GET" Gateway("/apis"), Redeploy;
    GetApi "apigateway:GET" Gateway("/apis/{api}"), Redeploy;
    GetRoutes "apigateway:GET" Gateway("/apis/{api}/routes"), Redeploy;
    GetRouteResponses "apigateway:GET" Gateway("/apis/{api}/routes/*/routeresponses"), Redeploy;
    GetIntegrations "apigateway:GET" Gateway("/apis/{api}/integrations"), Redeploy;
    GetIntegrationResponses "apigateway:GET" Gateway("/apis/{api}/integrations/*/integrationresponses"), Redeploy;
    GetAuthorizers "apigateway:GET" Gateway("/apis/{api}/authorizers"), Redeploy;
    GetModels "apigateway:GET" Gateway("/apis/{api}/models"), Redeploy;
    GetStages "apigateway:GET" Gateway("/apis/{api}/stages"), Redeploy;
    GetStage "apigateway:GET" Gateway("/apis/{api}/stages/*"), Redeploy;
    UpdateStage "apigateway:PATCH" Gateway("/apis/{api}/stages/*"), Redeploy;
    GetDeployments "apigateway:GET" Gateway("/apis/{api}/deployments"), Redeploy;
    GetDeployment "apigateway:GET" Gateway("/apis/{api}/deployments/*"), Redeploy;
    CreateDeployment "apigateway:POST" Gateway("/apis/{api}/deployments"), Redeploy;
    UpdateDeployment "apigateway:PATCH" Gateway("/apis/{api}/deployments/*"), Redeploy;
    DeleteDeployment "apigateway:DELETE" Gateway("/apis/{api}/deployments/*"), Redeploy;
    GetDomainNames "apigateway:GET" Gateway("/domainnames"), Redeploy;
    GetApiMappings "apigateway:GET" Gateway("/domainnames/*/apimappings"), Redeploy;
    UpdateIntegration "apigateway:PATCH" Gateway("/apis/{api}/integrations/*"), Code;
    UpdateAuthorizer "apigateway:PATCH" Gateway("/apis/{api}/authorizers/*"), Code;

    GetFunctionConfiguration "lambda:GetFunctionConfiguration" Function, Code;
    UpdateFunctionCode "lambda:UpdateFunctionCode" Function, Code;
    PublishVersion "lambda:PublishVersion" Function, Code;
    ListVersionsByFunction "lambda:ListVersionsByFunction" Function, Other;
    DeleteFunction "lambda:DeleteFunction" Function, Other;

    GetAccount "apigateway:GET" Gateway("/account"), Deploy;
    GetAccountSettings "lambda:GetAccountSettings" Account, Deploy;
    GetFunctionConcurrency "lambda:GetFunctionConcurrency" Function, Deploy;
    GetRole "iam:GetRole" Role, Deploy;
    GetAccountSummary "iam:GetAccountSummary" AccountSummary, Deploy;
    DescribeAlarms "cloudwatch:DescribeAlarms" Alarm, Deploy;
    GetDashboard "cloudwatch:GetDashboard" Dashboard, Deploy;
    DescribeUserPoolDomain "cognito-idp:DescribeUserPoolDomain" UserPoolDomain, Deploy;
    ListResourceRecordSets "route53:ListResourceRecordSets" HostedZone, Deploy;
    GetServiceQuota "servicequotas:GetServiceQuota" GatewayQuota, Deploy;
    DescribeAccountLimits "cloudformation:DescribeAccountLimits" Account, Deploy;

    DescribeStacks "cloudformation:DescribeStacks" Stack, Deploy;
    DescribeStackEvents "cloudformation:DescribeStackEvents" Stack, Deploy;
    ListStackResources "cloudformation:ListStackResources" Stack, Deploy;
    ListStacks "cloudformation:ListStacks" Account, Deploy;
    DescribeEvents "cloudformation:DescribeEvents" Stack, Deploy;
    GetTemplate "cloudformation:GetTemplate" Stack, Deploy;
    CreateStack "cloudformation:CreateStack" Stack, Deploy;
    UpdateStack "cloudformation:UpdateStack" Stack, Deploy;
    SetStackPolicy "cloudformation:SetStackPolicy" Stack, Deploy;
    CreateChangeSet "cloudformation:CreateChangeSet" Stack, Deploy;
    DescribeChangeSet "cloudformation:DescribeChangeSet" Stack, Deploy;
    ExecuteChangeSet "cloudformation:ExecuteChangeSet" Stack, Deploy;
    DeleteChangeSet "cloudformation:DeleteChangeSet" Stack, Deploy;
    DeleteStack "cloudformation:DeleteStack" Stack, Deploy;
    CancelUpdateStack "cloudformation:CancelUpdateStack" Stack, Other;

    DescribeLogGroups "logs:DescribeLogGroups" LogGroup, Deploy;
    FilterLogEvents "logs:FilterLogEvents" LogGroup, Other;
    StartLiveTail "logs:StartLiveTail" LogGroup, Other;
    StartQuery "logs:StartQuery" LogGroup, Other;
    GetQueryResults "logs:GetQueryResults" Account, Other;
    StopQuery "logs:StopQuery" Account, Other;

    GetPolicy "lambda:GetPolicy" Function, Other;
    SimulatePrincipalPolicy "iam:SimulatePrincipalPolicy" Account, Other;
    ListRolePolicies "iam:ListRolePolicies" Account, Other;
    GetRolePolicy "iam:GetRolePolicy" Account, Other;
    ListAttachedRolePolicies "iam:ListAttachedRolePolicies" Account, Other;
    GetManagedPolicy "iam:GetPolicy" Account, Other;
    GetPolicyVersion "iam:GetPolicyVersion" Account, Other;
    DescribeTable "dynamodb:DescribeTable" Table, Deploy;
    DescribeTimeToLive "dynamodb:DescribeTimeToLive" Account, Other;
    Scan "dynamodb:Scan" Account, Other;
    DeleteItem "dynamodb:DeleteItem" Account, Other;
    GetConnection "execute-api:ManageConnections" Account, Other;
    GetMetricData "cloudwatch:GetMetricData" Account, Other;
    DescribeVpcEndpoints "ec2:DescribeVpcEndpoints" Account, Other;
    LookupEvents "cloudtrail:LookupEvents" Account, Other;
    UpdateAccount "apigateway:PATCH" Gateway("/account"), Other;

    HeadBucket "s3:ListBucket" Bucket, Deploy;
    HeadObject "s3:GetObject" Object, Deploy;
    PutObject "s3:PutObject" Object, Deploy;
}

impl AwsCall {
    /// Operations of `stackgen logs`, all of which only read.
    pub const LOGS: &[AwsCall] = &[
        AwsCall::GetCallerIdentity,
        AwsCall::GetApis,
        AwsCall::GetApi,
        AwsCall::GetRoutes,
        AwsCall::GetRouteResponses,
        AwsCall::GetIntegrations,
        AwsCall::GetIntegrationResponses,
        AwsCall::GetAuthorizers,
        AwsCall::GetModels,
        AwsCall::GetStages,
        AwsCall::GetStage,
        AwsCall::GetAccount,
        AwsCall::GetFunctionConfiguration,
        AwsCall::DescribeLogGroups,
        AwsCall::FilterLogEvents,
        AwsCall::StartLiveTail,
        AwsCall::StartQuery,
        AwsCall::GetQueryResults,
        AwsCall::StopQuery,
    ];

    /// Operations of `stackgen doctor` without `--fix`, all of which only read.
    pub const DOCTOR: &[AwsCall] = &[
        AwsCall::GetCallerIdentity,
        AwsCall::GetApis,
        AwsCall::GetApi,
        AwsCall::GetRoutes,
        AwsCall::GetRouteResponses,
        AwsCall::GetIntegrations,
        AwsCall::GetIntegrationResponses,
        AwsCall::GetAuthorizers,
        AwsCall::GetModels,
        AwsCall::GetStages,
        AwsCall::GetStage,
        AwsCall::GetDeployment,
        AwsCall::GetDomainNames,
        AwsCall::GetApiMappings,
        AwsCall::GetAccount,
        AwsCall::GetFunctionConfiguration,
        AwsCall::GetFunctionConcurrency,
        AwsCall::GetPolicy,
        AwsCall::SimulatePrincipalPolicy,
        AwsCall::ListRolePolicies,
        AwsCall::GetRolePolicy,
        AwsCall::ListAttachedRolePolicies,
        AwsCall::GetManagedPolicy,
        AwsCall::GetPolicyVersion,
        AwsCall::DescribeStacks,
        AwsCall::ListStackResources,
        AwsCall::DescribeStackEvents,
        AwsCall::DescribeEvents,
        AwsCall::GetTemplate,
        AwsCall::DescribeTable,
        AwsCall::DescribeTimeToLive,
        AwsCall::Scan,
        AwsCall::GetConnection,
        AwsCall::FilterLogEvents,
        AwsCall::GetMetricData,
        AwsCall::DescribeVpcEndpoints,
    ];
}
