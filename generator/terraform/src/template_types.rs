//! Types of resources without a resource in the template.

/// Prefixes of types whose values the evaluation contains already, or which exist only while Terraform runs.
const WITHOUT_RESOURCE: [&str; 6] = [
    "archive_",
    "local_",
    "null_",
    "random_",
    "terraform_data",
    "time_",
];

/// Returns true for a type whose resources become resources of the template.
pub(crate) fn is_in_template(kind: &str) -> bool {
    !is_merged(kind)
        && !WITHOUT_RESOURCE
            .iter()
            .any(|prefix| kind.starts_with(prefix))
}

/// Returns true for a type whose resources are part of others in CloudFormation.
fn is_merged(kind: &str) -> bool {
    matches!(
        kind,
        "aws_cloudwatch_event_target"
            | "aws_iam_policy_attachment"
            | "aws_iam_role_policy_attachment"
            | "aws_secretsmanager_secret_version"
    )
}
