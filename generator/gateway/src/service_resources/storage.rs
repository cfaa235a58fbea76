//! Buckets of S3.

use http::Method;
use serde_json::json;
use stackgen_gateway_stack::{EmulatedState, ServiceResource, StoredResource};

use crate::outbound::service_client::{CallError, ServiceClient, read_xml};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

pub(super) async fn put(
    client: &ServiceClient,
    bucket: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    let name = &bucket.name;
    let region = &client.scope.region;
    // The body must be empty in the first region of AWS.
    let body = match region.as_str() {
        "us-east-1" => String::new(),
        region => format!(
            "<CreateBucketConfiguration xmlns=\"{NAMESPACE}\"><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ),
    };
    match call(client, "CreateBucket", &format!("/{name}"), body).await {
        Err(error) if !error.is("BucketAlreadyOwnedByYou") => return Err(error),
        _ => {}
    }
    let versioning = |of: &ServiceResource| of.properties.get("VersioningConfiguration").cloned();
    let suspended = || {
        before
            .and_then(|before| versioning(&before.desired))
            .map(|_| json!({ "Status": "Suspended" }))
    };
    let wanted = versioning(bucket).or_else(suspended);
    if let Some(status) = wanted.as_ref().and_then(|it| it["Status"].as_str()) {
        let body = format!(
            "<VersioningConfiguration xmlns=\"{NAMESPACE}\"><Status>{status}</Status></VersioningConfiguration>"
        );
        let path = format!("/{name}?versioning");
        call(client, "PutBucketVersioning", &path, body).await?;
    }
    let arn = format!("arn:{}:s3:::{name}", client.scope.partition);
    Ok(StoredResource::new(name).with("Arn", arn))
}

async fn call(
    client: &ServiceClient,
    operation: &str,
    path: &str,
    body: String,
) -> Result<String, CallError> {
    let response = client.request("s3", Method::PUT, path, body).await?;
    read_xml(&format!("s3 {operation}"), &response)
}
