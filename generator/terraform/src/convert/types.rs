//! Resource types and the attributes that are properties under another name.

use super::properties::ResourceProperties;
use crate::evaluate::ResourceInstance;

/// A type of Terraform's AWS provider, its type in CloudFormation, and names of attributes and properties.
struct ConvertedType {
    terraform: &'static str,
    cloudformation: &'static str,
    properties: &'static [(&'static str, &'static str)],
    /// Attributes with JSON that CloudFormation has as an object.
    json: &'static [(&'static str, &'static str)],
}

const fn of(
    terraform: &'static str,
    cloudformation: &'static str,
    properties: &'static [(&'static str, &'static str)],
) -> ConvertedType {
    with_json(terraform, cloudformation, properties, &[])
}

const fn with_json(
    terraform: &'static str,
    cloudformation: &'static str,
    properties: &'static [(&'static str, &'static str)],
    json: &'static [(&'static str, &'static str)],
) -> ConvertedType {
    ConvertedType {
        terraform,
        cloudformation,
        properties,
        json,
    }
}

const TYPES: &[ConvertedType] = &[
    of(
        "aws_api_gateway_account",
        "AWS::ApiGateway::Account",
        &[("cloudwatch_role_arn", "CloudWatchRoleArn")],
    ),
    with_json(
        "aws_apigatewayv2_api",
        "AWS::ApiGatewayV2::Api",
        &[
            ("api_key_selection_expression", "ApiKeySelectionExpression"),
            ("credentials_arn", "CredentialsArn"),
            ("description", "Description"),
            ("disable_execute_api_endpoint", "DisableExecuteApiEndpoint"),
            ("fail_on_warnings", "FailOnWarnings"),
            ("ip_address_type", "IpAddressType"),
            ("name", "Name"),
            ("protocol_type", "ProtocolType"),
            ("route_key", "RouteKey"),
            ("route_selection_expression", "RouteSelectionExpression"),
            ("target", "Target"),
            ("version", "Version"),
        ],
        &[("body", "Body")],
    ),
    of(
        "aws_apigatewayv2_api_mapping",
        "AWS::ApiGatewayV2::ApiMapping",
        &[
            ("api_id", "ApiId"),
            ("api_mapping_key", "ApiMappingKey"),
            ("domain_name", "DomainName"),
            ("stage", "Stage"),
        ],
    ),
    of(
        "aws_apigatewayv2_authorizer",
        "AWS::ApiGatewayV2::Authorizer",
        &[
            ("api_id", "ApiId"),
            ("authorizer_credentials_arn", "AuthorizerCredentialsArn"),
            (
                "authorizer_payload_format_version",
                "AuthorizerPayloadFormatVersion",
            ),
            (
                "authorizer_result_ttl_in_seconds",
                "AuthorizerResultTtlInSeconds",
            ),
            ("authorizer_type", "AuthorizerType"),
            ("authorizer_uri", "AuthorizerUri"),
            ("enable_simple_responses", "EnableSimpleResponses"),
            ("identity_sources", "IdentitySource"),
            ("name", "Name"),
        ],
    ),
    of(
        "aws_apigatewayv2_deployment",
        "AWS::ApiGatewayV2::Deployment",
        &[("api_id", "ApiId"), ("description", "Description")],
    ),
    of(
        "aws_apigatewayv2_domain_name",
        "AWS::ApiGatewayV2::DomainName",
        &[("domain_name", "DomainName")],
    ),
    of(
        "aws_apigatewayv2_integration",
        "AWS::ApiGatewayV2::Integration",
        &[
            ("api_id", "ApiId"),
            ("connection_id", "ConnectionId"),
            ("connection_type", "ConnectionType"),
            ("content_handling_strategy", "ContentHandlingStrategy"),
            ("credentials_arn", "CredentialsArn"),
            ("description", "Description"),
            ("integration_method", "IntegrationMethod"),
            ("integration_subtype", "IntegrationSubtype"),
            ("integration_type", "IntegrationType"),
            ("integration_uri", "IntegrationUri"),
            ("passthrough_behavior", "PassthroughBehavior"),
            ("payload_format_version", "PayloadFormatVersion"),
            ("request_parameters", "RequestParameters"),
            ("request_templates", "RequestTemplates"),
            (
                "template_selection_expression",
                "TemplateSelectionExpression",
            ),
            ("timeout_milliseconds", "TimeoutInMillis"),
        ],
    ),
    of(
        "aws_apigatewayv2_integration_response",
        "AWS::ApiGatewayV2::IntegrationResponse",
        &[
            ("api_id", "ApiId"),
            ("content_handling_strategy", "ContentHandlingStrategy"),
            ("integration_id", "IntegrationId"),
            ("integration_response_key", "IntegrationResponseKey"),
            ("response_templates", "ResponseTemplates"),
            (
                "template_selection_expression",
                "TemplateSelectionExpression",
            ),
        ],
    ),
    with_json(
        "aws_apigatewayv2_model",
        "AWS::ApiGatewayV2::Model",
        &[
            ("api_id", "ApiId"),
            ("content_type", "ContentType"),
            ("description", "Description"),
            ("name", "Name"),
        ],
        &[("schema", "Schema")],
    ),
    of(
        "aws_apigatewayv2_route",
        "AWS::ApiGatewayV2::Route",
        &[
            ("api_id", "ApiId"),
            ("api_key_required", "ApiKeyRequired"),
            ("authorization_scopes", "AuthorizationScopes"),
            ("authorization_type", "AuthorizationType"),
            ("authorizer_id", "AuthorizerId"),
            ("model_selection_expression", "ModelSelectionExpression"),
            ("operation_name", "OperationName"),
            ("request_models", "RequestModels"),
            ("route_key", "RouteKey"),
            (
                "route_response_selection_expression",
                "RouteResponseSelectionExpression",
            ),
            ("target", "Target"),
        ],
    ),
    of(
        "aws_apigatewayv2_route_response",
        "AWS::ApiGatewayV2::RouteResponse",
        &[
            ("api_id", "ApiId"),
            ("model_selection_expression", "ModelSelectionExpression"),
            ("response_models", "ResponseModels"),
            ("route_id", "RouteId"),
            ("route_response_key", "RouteResponseKey"),
        ],
    ),
    of(
        "aws_apigatewayv2_stage",
        "AWS::ApiGatewayV2::Stage",
        &[
            ("api_id", "ApiId"),
            ("auto_deploy", "AutoDeploy"),
            ("client_certificate_id", "ClientCertificateId"),
            ("deployment_id", "DeploymentId"),
            ("description", "Description"),
            ("name", "StageName"),
            ("stage_variables", "StageVariables"),
        ],
    ),
    of(
        "aws_cloudwatch_event_bus",
        "AWS::Events::EventBus",
        &[("name", "Name")],
    ),
    with_json(
        "aws_cloudwatch_event_rule",
        "AWS::Events::Rule",
        &[
            ("description", "Description"),
            ("event_bus_name", "EventBusName"),
            ("name", "Name"),
            ("schedule_expression", "ScheduleExpression"),
            ("state", "State"),
        ],
        &[("event_pattern", "EventPattern")],
    ),
    of(
        "aws_cloudwatch_log_group",
        "AWS::Logs::LogGroup",
        &[
            ("name", "LogGroupName"),
            ("retention_in_days", "RetentionInDays"),
        ],
    ),
    of(
        "aws_cognito_user_pool",
        "AWS::Cognito::UserPool",
        &[
            ("alias_attributes", "AliasAttributes"),
            ("auto_verified_attributes", "AutoVerifiedAttributes"),
            ("mfa_configuration", "MfaConfiguration"),
            ("name", "UserPoolName"),
            ("username_attributes", "UsernameAttributes"),
        ],
    ),
    of(
        "aws_cognito_user_pool_client",
        "AWS::Cognito::UserPoolClient",
        &[
            ("allowed_oauth_flows", "AllowedOAuthFlows"),
            (
                "allowed_oauth_flows_user_pool_client",
                "AllowedOAuthFlowsUserPoolClient",
            ),
            ("allowed_oauth_scopes", "AllowedOAuthScopes"),
            ("callback_urls", "CallbackURLs"),
            ("explicit_auth_flows", "ExplicitAuthFlows"),
            ("generate_secret", "GenerateSecret"),
            ("logout_urls", "LogoutURLs"),
            ("name", "ClientName"),
            ("supported_identity_providers", "SupportedIdentityProviders"),
            ("user_pool_id", "UserPoolId"),
        ],
    ),
    of(
        "aws_dynamodb_table",
        "AWS::DynamoDB::Table",
        &[("billing_mode", "BillingMode"), ("name", "TableName")],
    ),
    with_json(
        "aws_iam_policy",
        "AWS::IAM::ManagedPolicy",
        &[
            ("description", "Description"),
            ("name", "ManagedPolicyName"),
            ("path", "Path"),
        ],
        &[("policy", "PolicyDocument")],
    ),
    with_json(
        "aws_iam_role",
        "AWS::IAM::Role",
        &[
            ("description", "Description"),
            ("name", "RoleName"),
            ("path", "Path"),
            ("permissions_boundary", "PermissionsBoundary"),
        ],
        &[("assume_role_policy", "AssumeRolePolicyDocument")],
    ),
    with_json(
        "aws_iam_role_policy",
        "AWS::IAM::Policy",
        &[("name", "PolicyName")],
        &[("policy", "PolicyDocument")],
    ),
    of(
        "aws_kinesis_stream",
        "AWS::Kinesis::Stream",
        &[
            ("name", "Name"),
            ("retention_period", "RetentionPeriodHours"),
            ("shard_count", "ShardCount"),
        ],
    ),
    of(
        "aws_lambda_alias",
        "AWS::Lambda::Alias",
        &[
            ("description", "Description"),
            ("function_name", "FunctionName"),
            ("function_version", "FunctionVersion"),
            ("name", "Name"),
        ],
    ),
    of(
        "aws_lambda_event_source_mapping",
        "AWS::Lambda::EventSourceMapping",
        &[
            ("batch_size", "BatchSize"),
            (
                "bisect_batch_on_function_error",
                "BisectBatchOnFunctionError",
            ),
            ("enabled", "Enabled"),
            ("event_source_arn", "EventSourceArn"),
            ("function_name", "FunctionName"),
            ("function_response_types", "FunctionResponseTypes"),
            (
                "maximum_batching_window_in_seconds",
                "MaximumBatchingWindowInSeconds",
            ),
            ("maximum_record_age_in_seconds", "MaximumRecordAgeInSeconds"),
            ("maximum_retry_attempts", "MaximumRetryAttempts"),
            ("parallelization_factor", "ParallelizationFactor"),
            ("starting_position", "StartingPosition"),
            ("starting_position_timestamp", "StartingPositionTimestamp"),
            ("tumbling_window_in_seconds", "TumblingWindowInSeconds"),
        ],
    ),
    of(
        "aws_lambda_function",
        "AWS::Lambda::Function",
        &[
            ("architectures", "Architectures"),
            ("description", "Description"),
            ("function_name", "FunctionName"),
            ("handler", "Handler"),
            ("layers", "Layers"),
            ("memory_size", "MemorySize"),
            ("package_type", "PackageType"),
            ("role", "Role"),
            ("runtime", "Runtime"),
            ("timeout", "Timeout"),
        ],
    ),
    of(
        "aws_lambda_function_url",
        "AWS::Lambda::Url",
        &[
            ("authorization_type", "AuthType"),
            ("function_name", "TargetFunctionArn"),
        ],
    ),
    of(
        "aws_lambda_layer_version",
        "AWS::Lambda::LayerVersion",
        &[
            ("compatible_architectures", "CompatibleArchitectures"),
            ("compatible_runtimes", "CompatibleRuntimes"),
            ("layer_name", "LayerName"),
        ],
    ),
    of(
        "aws_lambda_permission",
        "AWS::Lambda::Permission",
        &[
            ("action", "Action"),
            ("event_source_token", "EventSourceToken"),
            ("principal", "Principal"),
            ("source_account", "SourceAccount"),
            ("source_arn", "SourceArn"),
        ],
    ),
    of(
        "aws_s3_bucket",
        "AWS::S3::Bucket",
        &[("bucket", "BucketName")],
    ),
    of(
        "aws_scheduler_schedule",
        "AWS::Scheduler::Schedule",
        &[
            ("description", "Description"),
            ("group_name", "GroupName"),
            ("name", "Name"),
            ("schedule_expression", "ScheduleExpression"),
            ("schedule_expression_timezone", "ScheduleExpressionTimezone"),
            ("state", "State"),
        ],
    ),
    of(
        "aws_secretsmanager_secret",
        "AWS::SecretsManager::Secret",
        &[("description", "Description"), ("name", "Name")],
    ),
    of(
        "aws_sfn_state_machine",
        "AWS::StepFunctions::StateMachine",
        &[
            ("definition", "DefinitionString"),
            ("name", "StateMachineName"),
            ("role_arn", "RoleArn"),
            ("type", "StateMachineType"),
        ],
    ),
    of(
        "aws_sns_topic",
        "AWS::SNS::Topic",
        &[
            ("content_based_deduplication", "ContentBasedDeduplication"),
            ("display_name", "DisplayName"),
            ("fifo_topic", "FifoTopic"),
            ("name", "TopicName"),
        ],
    ),
    with_json(
        "aws_sns_topic_subscription",
        "AWS::SNS::Subscription",
        &[
            ("endpoint", "Endpoint"),
            ("filter_policy_scope", "FilterPolicyScope"),
            ("protocol", "Protocol"),
            ("raw_message_delivery", "RawMessageDelivery"),
            ("topic_arn", "TopicArn"),
        ],
        &[("filter_policy", "FilterPolicy")],
    ),
    with_json(
        "aws_sqs_queue",
        "AWS::SQS::Queue",
        &[
            ("content_based_deduplication", "ContentBasedDeduplication"),
            ("delay_seconds", "DelaySeconds"),
            ("fifo_queue", "FifoQueue"),
            ("max_message_size", "MaximumMessageSize"),
            ("message_retention_seconds", "MessageRetentionPeriod"),
            ("name", "QueueName"),
            ("receive_wait_time_seconds", "ReceiveMessageWaitTimeSeconds"),
            ("visibility_timeout_seconds", "VisibilityTimeout"),
        ],
        &[("redrive_policy", "RedrivePolicy")],
    ),
    of(
        "aws_ssm_parameter",
        "AWS::SSM::Parameter",
        &[
            ("description", "Description"),
            ("name", "Name"),
            ("type", "Type"),
            ("value", "Value"),
        ],
    ),
    of(
        "aws_wafv2_web_acl_association",
        "AWS::WAFv2::WebACLAssociation",
        &[
            ("resource_arn", "ResourceArn"),
            ("web_acl_arn", "WebACLArn"),
        ],
    ),
];

/// Copies the attributes that are properties, and returns the type. A type without one in CloudFormation here keeps its name.
pub(super) fn copy(
    instance: &ResourceInstance,
    properties: &mut ResourceProperties<'_, '_>,
) -> String {
    let kind = instance.kind.as_str();
    let Some(converted) = TYPES.iter().find(|one| one.terraform == kind) else {
        return match kind.strip_prefix("aws_api_gateway_") {
            Some(name) => format!("AWS::ApiGateway::{}", camel_case(name)),
            None => kind.to_owned(),
        };
    };
    for (attribute, property) in converted.properties {
        properties.copy(attribute, property);
    }
    for (attribute, property) in converted.json {
        properties.copy_json(attribute, property);
    }
    converted.cloudformation.to_owned()
}

fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

/// Returns the name in Terraform of a property in CloudFormation, for messages.
pub(crate) fn attribute_of(property: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 8] = [
        ("AccessLogSettings", "access_log_settings"),
        ("DefaultRouteSettings", "default_route_settings"),
        ("DependsOn", "depends_on"),
        ("DestinationArn", "destination_arn"),
        ("Environment", "environment"),
        ("LoggingLevel", "logging_level"),
        ("RequestParameters", "request_parameter"),
        ("RouteSettings", "route_settings"),
    ];
    let pairs = TYPES
        .iter()
        .flat_map(|one| one.properties.iter().chain(one.json));
    let mut pairs = pairs
        .map(|(attribute, property)| (*property, *attribute))
        .chain(OTHERS);
    pairs
        .find(|(name, _)| *name == property)
        .map(|(_, attribute)| attribute)
}
