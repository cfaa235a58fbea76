//! Remedies for causes of failure that the service's own text does not explain.

/// Texts of reasons, and what to do.
const REMEDIES: [(&str, &str); 6] = [
    (
        "CloudWatch Logs role ARN must be set",
        "give API Gateway a role for logs, once for each account and region: `apiGatewayCloudWatchRole: true` in one stack, or \
         `aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN`",
    ),
    (
        "A version for this Lambda function exists",
        "the code was published before: change code or configuration, or remove the version that is named",
    ),
    (
        "UnreservedConcurrentExecution below its minimum",
        "reserve less concurrency, or raise the account's quota of concurrent executions: 100 must stay unreserved",
    ),
    (
        "not authorized to perform",
        "give the deploying role this permission; `stackgen policy` prints all that it needs",
    ),
    (
        "already exists",
        "something else owns the name: delete it, or name the resource differently",
    ),
    (
        "Unable to find Route by key",
        "the stage has settings for a route that does not exist: remove them",
    ),
];

/// Returns what to do about a reason of CloudFormation, if it is a known one.
pub(super) fn remedy(reason: &str) -> Option<&'static str> {
    let known = REMEDIES.iter().find(|(text, _)| reason.contains(text));
    known.map(|(_, remedy)| *remedy)
}
