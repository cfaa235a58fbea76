//! Verification of requests that functions sign, before they leave for the user's account.
//!
//! The control endpoint is open to every process of this machine. Only processes of functions know the secret keys that the
//! gateway made for them, so a valid signature shows that a function of this run sent exactly this request.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::uri::Authority;
use sha2::{Digest, Sha256};
use stackgen_gateway_common::FunctionSecret;
use thiserror::Error;
use time::{Date, Month, PrimitiveDateTime, Time};

/// Maximum difference between the time of a signature and now, as on AWS.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";
const PAYLOAD: &str = "x-amz-content-sha256";

/// A request that a function signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VerifiedRequest {
    /// Function that sent it.
    pub(super) function: String,
    /// Signing name of the service.
    pub(super) service: String,
}

/// Reason why a request does not leave the machine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum SignatureError {
    /// The signature is in the query string.
    #[error("presigned URLs are not forwarded: sign the request in its headers")]
    Presigned,
    /// There is no valid `Authorization` header.
    #[error("its Authorization header is not one of {ALGORITHM}")]
    Malformed,
    /// The access key is not one of the gateway's.
    #[error(
        "it is not signed by a function of this gateway: only functions may use the account through it; other programs can call AWS themselves"
    )]
    UnknownKey,
    /// The region is not the one that was confirmed.
    #[error("it is signed for the region {0}, and only {1} was confirmed")]
    OtherRegion(String, String),
    /// The date is missing, or too far from now.
    #[error("the time of its signature is not within five minutes of now")]
    Time,
    /// A header that matters is not signed.
    #[error("its header {0} is not signed")]
    Unsigned(String),
    /// The hash of the body is not signed, as in uploads in chunks.
    #[error(
        "its body is not signed as a whole: uploads in chunks and unsigned payloads are not forwarded"
    )]
    UnsignedBody,
    /// The host names more than the gateway. S3's clients put a bucket there, and the request would mean another one without it.
    #[error(
        "its host {0} is not the address of the gateway: use path-style addressing, and the address in AWS_ENDPOINT_URL"
    )]
    OtherHost(String),
    /// The signature, the token or the hash of the body is wrong.
    #[error("its signature is wrong")]
    Wrong,
}

/// `Authorization` header of a signed request.
struct Authorization<'a> {
    access_key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let rest = value.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
        let [credential, headers, signature] = parts.as_slice() else {
            return None;
        };
        let scope: Vec<&str> = credential.strip_prefix("Credential=")?.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = scope.as_slice() else {
            return None;
        };
        let signed_headers = headers.strip_prefix("SignedHeaders=")?.split(';').collect();
        Some(Authorization {
            access_key,
            date,
            region,
            service,
            signed_headers,
            signature: signature.strip_prefix("Signature=")?,
        })
    }
}

/// Returns true for `localhost` and IP addresses, with or without a port.
fn is_plain_address(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

/// Verifies that a function signed a request for a region, and that neither its body nor a header that matters changed.
///
/// # Errors
///
/// If any of that is not so.
pub(super) fn verify(
    head: &Parts,
    body: &[u8],
    region: &str,
    now: SystemTime,
    secret_of: impl Fn(&str) -> Option<FunctionSecret>,
) -> Result<VerifiedRequest, SignatureError> {
    let query = head.uri.query().unwrap_or_default().to_ascii_lowercase();
    if query.contains("x-amz-signature") || query.contains("x-amz-credential") {
        return Err(SignatureError::Presigned);
    }
    let header = only(head, AUTHORIZATION.as_str()).ok_or(SignatureError::Malformed)?;
    let authorization = Authorization::parse(header).ok_or(SignatureError::Malformed)?;
    let secret = secret_of(authorization.access_key).ok_or(SignatureError::UnknownKey)?;
    if authorization.region != region {
        let other = authorization.region.to_owned();
        return Err(SignatureError::OtherRegion(other, region.to_owned()));
    }
    let time = signed_time(head, authorization.date).ok_or(SignatureError::Time)?;
    let age = now
        .duration_since(time)
        .or_else(|_| time.duration_since(now));
    if age.is_ok_and(|age| age > MAX_AGE) {
        return Err(SignatureError::Time);
    }
    require_signed(head, &authorization)?;
    let token = only(head, TOKEN).ok_or(SignatureError::Wrong)?;
    equal(token, &secret.session_token)?;
    if let Some(hash) = head.headers.get(PAYLOAD) {
        let hash = hash.to_str().map_err(|_| SignatureError::Wrong)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(SignatureError::UnsignedBody);
        }
        equal(hash, &hex(&Sha256::digest(body)))?;
    }
    let expected = signature(head, body, &authorization, &secret, time)?;
    equal(authorization.signature, &expected)?;
    let host = only(head, HOST.as_str()).ok_or(SignatureError::Malformed)?;
    if !is_plain_address(host) {
        return Err(SignatureError::OtherHost(host.to_owned()));
    }
    Ok(VerifiedRequest {
        function: secret.function,
        service: authorization.service.to_owned(),
    })
}

/// Returns the value of a header that a request has once.
fn only<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    let mut values = head.headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn equal(given: &str, expected: &str) -> Result<(), SignatureError> {
    verify_slices_are_equal(given.as_bytes(), expected.as_bytes())
        .map_err(|_| SignatureError::Wrong)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that the host and all headers of AWS are signed, which includes the target, the date and the token.
fn require_signed(head: &Parts, authorization: &Authorization<'_>) -> Result<(), SignatureError> {
    let present = head.headers.keys().map(|name| name.as_str());
    let of_aws = present.filter(|name| name.starts_with("x-amz-"));
    let mut required = [HOST.as_str(), DATE, TOKEN].into_iter().chain(of_aws);
    match required.find(|name| !authorization.signed_headers.contains(name)) {
        Some(name) => Err(SignatureError::Unsigned(name.to_owned())),
        None => Ok(()),
    }
}

/// Returns the time in `X-Amz-Date`, which must be on the date of the credential scope.
fn signed_time(head: &Parts, date: &str) -> Option<SystemTime> {
    let text = only(head, DATE)?;
    let (day, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let fits = day.len() == 8 && clock.len() == 6 && day == date;
    if !fits || !day.bytes().chain(clock.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let two = |text: &str, at: usize| text.get(at..at + 2)?.parse::<u8>().ok();
    let month = Month::try_from(two(day, 4)?).ok()?;
    let date = Date::from_calendar_date(day.get(..4)?.parse().ok()?, month, two(day, 6)?).ok()?;
    let time = Time::from_hms(two(clock, 0)?, two(clock, 2)?, two(clock, 4)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().into())
}

/// Computes the signature that a request must have.
fn signature(
    head: &Parts,
    body: &[u8],
    authorization: &Authorization<'_>,
    secret: &FunctionSecret,
    time: SystemTime,
) -> Result<String, SignatureError> {
    let wrong = |_| SignatureError::Wrong;
    let identity = Credentials::new(
        authorization.access_key,
        &secret.secret_key,
        Some(secret.session_token.clone()),
        None,
        "function",
    )
    .into();
    let mut settings = SigningSettings::default();
    // The client lists the headers that it signed, and only those are passed on below.
    settings.excluded_headers = None;
    if authorization.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(authorization.service)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|_| SignatureError::Wrong)?
        .into();
    let mut headers = Vec::new();
    for &name in &authorization.signed_headers {
        let mut values = head.headers.get_all(name).iter().peekable();
        if values.peek().is_none() {
            return Err(SignatureError::Wrong);
        }
        for value in values {
            let value = value.to_str().map_err(|_| SignatureError::Wrong)?;
            headers.push((name, value));
        }
    }
    // The signer adds these two itself.
    headers.retain(|(name, _)| ![DATE, TOKEN].contains(name));
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let host = only(head, HOST.as_str()).ok_or(SignatureError::Wrong)?;
    let uri = format!("http://{host}{path}");
    let signable = SignableRequest::new(
        head.method.as_str(),
        uri,
        headers.into_iter(),
        SignableBody::Bytes(body),
    );
    let (_, signature) = sign(signable.map_err(wrong)?, &params)
        .map_err(wrong)?
        .into_parts();
    Ok(signature)
}

#[cfg(test)]
mod tests;
