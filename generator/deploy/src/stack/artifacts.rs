//! Artifacts of a release: code and template, in a bucket, under keys that name their contents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::error::StackError;
use super::ports::{ArtifactBucket, Stored};
use crate::progress::DeployStep;
use crate::retry::OperationContext;

/// The largest template that CloudFormation takes from a bucket, in bytes.
pub const MAX_TEMPLATE: usize = 1_048_576;

/// Number of uploads at a time.
const PARALLEL: usize = 4;

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// A name for people: the function, or `template`.
    pub name: String,
    /// The key: `stackgen/{sha256}.zip`.
    pub key: String,
    /// The contents.
    pub bytes: Vec<u8>,
    /// SHA-256 of the contents in base64.
    sha256: String,
}

impl Artifact {
    /// Creates the artifact of a function's code.
    pub fn code(function: &str, zip: Vec<u8>) -> Artifact {
        Artifact::new(function, "zip", zip)
    }

    /// Creates the artifact of a template.
    ///
    /// # Errors
    ///
    /// [`StackError::TemplateTooLarge`].
    pub fn template(json: String) -> Result<Artifact, StackError> {
        if json.len() > MAX_TEMPLATE {
            return Err(StackError::TemplateTooLarge {
                size: json.len(),
                limit: MAX_TEMPLATE,
            });
        }
        Ok(Artifact::new(
            "template",
            "template.json",
            json.into_bytes(),
        ))
    }

    fn new(name: &str, extension: &str, bytes: Vec<u8>) -> Artifact {
        let digest = Sha256::digest(&bytes);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Artifact {
            name: name.to_owned(),
            key: format!("stackgen/{hex}.{extension}"),
            sha256: STANDARD.encode(digest),
            bytes,
        }
    }
}

/// Checks that a bucket exists, and is in a region.
///
/// # Errors
///
/// [`StackError::NoBucket`], [`StackError::BucketRegion`].
pub async fn check_bucket(
    bucket: &impl ArtifactBucket,
    name: &str,
    region: &str,
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    match ctx.read(|| bucket.bucket_region(name)).await? {
        None => Err(StackError::NoBucket {
            bucket: name.to_owned(),
        }),
        Some(actual) if actual != region => Err(StackError::BucketRegion {
            bucket: name.to_owned(),
            actual,
            expected: region.to_owned(),
        }),
        Some(_) => Ok(()),
    }
}

/// Uploads the artifacts that the bucket does not have, several at a time. Returns the number of uploads.
///
/// # Errors
///
/// If an upload fails. What was uploaded stays, and the next run finds it.
pub async fn upload(
    bucket: &impl ArtifactBucket,
    name: &str,
    artifacts: &[Artifact],
    ctx: OperationContext<'_>,
) -> Result<usize, StackError> {
    let uploads = stream::iter(artifacts).map(|artifact| upload_one(bucket, name, artifact, ctx));
    let stored: Vec<Stored> = uploads.buffer_unordered(PARALLEL).try_collect().await?;
    let uploaded = stored.iter().filter(|stored| **stored == Stored::Uploaded);
    Ok(uploaded.count())
}

async fn upload_one(
    bucket: &impl ArtifactBucket,
    name: &str,
    artifact: &Artifact,
    ctx: OperationContext<'_>,
) -> Result<Stored, StackError> {
    let Artifact {
        key, bytes, sha256, ..
    } = artifact;
    if ctx.read(|| bucket.has_object(name, key)).await? {
        return Ok(Stored::Existed);
    }
    ctx.step(DeployStep::Uploading {
        name: &artifact.name,
        bytes: bytes.len(),
    });
    // An upload changes nothing that serves, so an interrupt may cut it off.
    let stored = ctx.read(|| bucket.put_object(name, key, bytes, sha256));
    let stored = stored.await?;
    if stored == Stored::Uploaded {
        ctx.step(DeployStep::Uploaded {
            name: &artifact.name,
        });
    }
    Ok(stored)
}
