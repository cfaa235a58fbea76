//! Recognizes the tool that generated a template.

use stackgen_model::{Model, Resource};

/// Returns true if CDK synthesized the template.
pub(crate) fn is_from_cdk(model: &Model) -> bool {
    let marked = |resource: &Resource| {
        let metadata = resource.attributes.get("Metadata");
        resource.kind == "AWS::CDK::Metadata"
            || metadata.is_some_and(|metadata| metadata.get("aws:cdk:path").is_some())
    };
    model.parameters.get("BootstrapVersion").is_some()
        || model.resources.values().any(|resource| marked(resource))
}

/// Returns true if the Serverless Framework packaged the template.
pub(crate) fn is_from_serverless(model: &Model) -> bool {
    let of_bucket = [
        "ServerlessDeploymentBucket",
        "ServerlessDeploymentBucketName",
    ];
    of_bucket
        .iter()
        .any(|name| model.resources.contains_key(*name) || model.outputs.get(name).is_some())
}
