//! Actions of S3 in the URIs of integrations, as requests: S3 has paths and methods in place of actions (row M23).

use http::Method;

use crate::query_protocol::parameter;

/// Target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct S3Request {
    pub(super) method: Method,
    pub(super) path: String,
    /// Query string, encoded.
    pub(super) query: String,
}

/// Kinds of resources that actions are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Account,
    Bucket,
    Object,
}

/// Names of parameters in S3's query strings, where they differ from those of actions.
const QUERY_NAMES: [(&str, &str); 10] = [
    ("ContinuationToken", "continuation-token"),
    ("Delimiter", "delimiter"),
    ("EncodingType", "encoding-type"),
    ("FetchOwner", "fetch-owner"),
    ("KeyMarker", "key-marker"),
    ("Marker", "marker"),
    ("MaxKeys", "max-keys"),
    ("Prefix", "prefix"),
    ("StartAfter", "start-after"),
    ("VersionId", "versionId"),
];

/// Returns the request of an action with parameters in a query string. `None` for an unknown action.
///
/// # Errors
///
/// If a parameter of the path is missing. The error is its name.
pub(super) fn request(action: &str, parameters: &str) -> Option<Result<S3Request, &'static str>> {
    let (method, subject, query) = operation(action)?;
    let named = |name: &'static str| match parameter(parameters, name) {
        Some(value) if !value.is_empty() => Ok(encoded_path(&value)),
        _ => Err(name),
    };
    let path = match subject {
        Subject::Account => Ok("/".to_owned()),
        Subject::Bucket => named("Bucket").map(|bucket| format!("/{bucket}")),
        Subject::Object => {
            named("Bucket").and_then(|bucket| Ok(format!("/{bucket}/{}", named("Key")?)))
        }
    };
    let others = parameters.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let in_path = subject != Subject::Account && ["Bucket", "Key"].contains(&name);
        !pair.is_empty() && !in_path
    });
    let others = others.map(renamed);
    let parts = std::iter::once(query.to_owned()).chain(others);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    Some(path.map(|path| S3Request {
        method,
        path,
        query: parts.join("&"),
    }))
}

/// Returns method, subject and query string of an action, by botocore's model of S3.
fn operation(action: &str) -> Option<(Method, Subject, &'static str)> {
    use Subject::{Account, Bucket, Object};
    Some(match action {
        "ListBuckets" => (Method::GET, Account, ""),
        "CreateBucket" => (Method::PUT, Bucket, ""),
        "DeleteBucket" => (Method::DELETE, Bucket, ""),
        "DeleteObjects" => (Method::POST, Bucket, "delete"),
        "GetBucketAcl" => (Method::GET, Bucket, "acl"),
        "GetBucketLocation" => (Method::GET, Bucket, "location"),
        "GetBucketPolicy" => (Method::GET, Bucket, "policy"),
        "GetBucketTagging" => (Method::GET, Bucket, "tagging"),
        "GetBucketVersioning" => (Method::GET, Bucket, "versioning"),
        "HeadBucket" => (Method::HEAD, Bucket, ""),
        "ListObjects" => (Method::GET, Bucket, ""),
        "ListObjectsV2" => (Method::GET, Bucket, "list-type=2"),
        "ListObjectVersions" => (Method::GET, Bucket, "versions"),
        "CopyObject" | "PutObject" => (Method::PUT, Object, ""),
        "DeleteObject" => (Method::DELETE, Object, ""),
        "DeleteObjectTagging" => (Method::DELETE, Object, "tagging"),
        "GetObject" => (Method::GET, Object, ""),
        "GetObjectAcl" => (Method::GET, Object, "acl"),
        "GetObjectAttributes" => (Method::GET, Object, "attributes"),
        "GetObjectTagging" => (Method::GET, Object, "tagging"),
        "HeadObject" => (Method::HEAD, Object, ""),
        "PutObjectTagging" => (Method::PUT, Object, "tagging"),
        _ => return None,
    })
}

/// Encodes a part of a path and keeps its slashes.
fn encoded_path(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Returns a parameter with S3's name.
fn renamed(pair: &str) -> String {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let known = QUERY_NAMES.iter().find(|(action, _)| *action == name);
    match known {
        Some((_, name)) => format!("{name}={value}"),
        None => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_m23_an_action_of_s3_becomes_a_method_and_a_path() {
        for (action, parameters, expected) in [
            ("ListBuckets", "", "GET / ?"),
            (
                "GetObject",
                "Bucket=photos&Key=a%2Fb+c.png&VersionId=1",
                "GET /photos/a/b%20c.png ?versionId=1",
            ),
            ("PutObject", "Bucket=b&Key=k", "PUT /b/k ?"),
            (
                "ListObjectsV2",
                "Bucket=b&Prefix=a%2F&x=y",
                "GET /b ?list-type=2&prefix=a%2F&x=y",
            ),
            ("GetObjectTagging", "Key=k&Bucket=b", "GET /b/k ?tagging"),
        ] {
            let request = request(action, parameters).unwrap().unwrap();
            let S3Request {
                method,
                path,
                query,
            } = request;
            assert_eq!(format!("{method} {path} ?{query}"), expected);
        }
        assert_eq!(request("GetObject", "Bucket=b"), Some(Err("Key")));
        assert_eq!(request("ListObjects", ""), Some(Err("Bucket")));
        assert_eq!(request("SelectObjectContent", ""), None);
    }
}
