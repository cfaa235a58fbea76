//! Calls to S3.

use aws_sdk_s3::types::ChecksumAlgorithm;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stackgen_deploy::stack::{ArtifactBucket, Stored};
use stackgen_deploy::{Account as _, AccountErrorKind, AccountResult};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;

impl ArtifactBucket for Aws {
    async fn bucket_region(&self, bucket: &str) -> AccountResult<Option<String>> {
        let operation = AwsOperation::on(AwsCall::HeadBucket, format_args!("bucket {bucket}"));
        // A bucket of somebody else with the expected name must get neither code nor template.
        let account = self.account_region().await?.account;
        let request = self.s3.head_bucket().bucket(bucket);
        let answer = request.expected_bucket_owner(account).send().await;
        let region = answer
            .as_ref()
            .err()
            .and_then(|error| header(error, "x-amz-bucket-region"));
        let status = answer.as_ref().err().and_then(status);
        match (operation.result(answer), status, region) {
            // Without a region, the endpoint is not AWS's.
            (Ok(found), ..) => {
                let region = found.bucket_region().unwrap_or(&self.region);
                Ok(Some(region.to_owned()))
            }
            (Err(_), Some(301), Some(region)) => Ok(Some(region)),
            (Err(error), ..) if error.kind == AccountErrorKind::NotFound => Ok(None),
            (Err(error), ..) => Err(error),
        }
    }

    async fn has_object(&self, bucket: &str, key: &str) -> AccountResult<bool> {
        let operation = AwsOperation::on(AwsCall::HeadObject, format_args!("{bucket}/{key}"));
        let answer = self.s3.head_object().bucket(bucket).key(key).send().await;
        match operation.result(answer) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == AccountErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        sha256: &str,
    ) -> AccountResult<Stored> {
        let operation = AwsOperation::on(AwsCall::PutObject, format_args!("{bucket}/{key}"));
        let request = self.s3.put_object().bucket(bucket).key(key);
        let request = request
            .if_none_match("*")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(sha256)
            .body(ByteStream::from(bytes.to_vec()));
        let answer = request.send().await;
        let is_there = answer.as_ref().err().and_then(status) == Some(412);
        match is_there {
            true => Ok(Stored::Existed),
            false => operation.result(answer).map(|_| Stored::Uploaded),
        }
    }

    fn object_url(&self, bucket: &str, key: &str) -> String {
        match &self.endpoint_url {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => {
                let suffix = match self.region.starts_with("cn-") {
                    true => "amazonaws.com.cn",
                    false => "amazonaws.com",
                };
                format!("https://{bucket}.s3.{}.{suffix}/{key}", self.region)
            }
        }
    }
}

impl Aws {
    /// Returns true if somebody has a bucket of this name. S3 answers with 301 for a bucket of another region. It answers with 403
    /// for a bucket of another account, but also to a caller who may not read, so that 403 is an error.
    pub(crate) async fn is_bucket_taken(&self, bucket: &str) -> AccountResult<bool> {
        let operation = AwsOperation::on(AwsCall::HeadBucket, format_args!("bucket {bucket}"));
        let answer = self.s3.head_bucket().bucket(bucket).send().await;
        let status = answer.as_ref().err().and_then(status);
        match (operation.result(answer), status) {
            (Ok(_), _) | (Err(_), Some(301)) => Ok(true),
            (Err(error), _) if error.kind == AccountErrorKind::NotFound => Ok(false),
            (Err(error), _) => Err(error),
        }
    }
}

fn status<E>(error: &SdkError<E, Response>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}

fn header<E: ProvideErrorMetadata>(error: &SdkError<E, Response>, name: &str) -> Option<String> {
    let value = error.raw_response()?.headers().get(name)?;
    Some(value.to_owned())
}
