//! Identifiers as types.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use stackgen_model::identifier;

use crate::EpochMillis;

identifier! {
    /// API ID: `a1b2c3d4e5`.
    ApiId
}
identifier! {
    /// Route ID: `abc1234`.
    RouteId
}
identifier! {
    /// Integration ID.
    IntegrationId
}
identifier! {
    /// Authorizer ID.
    AuthorizerId
}
identifier! {
    /// Deployment ID.
    DeploymentId
}
identifier! {
    /// Route response ID.
    RouteResponseId
}
identifier! {
    /// Integration response ID.
    IntegrationResponseId
}
identifier! {
    /// Model ID.
    ModelId
}
identifier! {
    /// Stage name: the first segment of the URL's path.
    StageName
}
identifier! {
    /// Route key: `$connect`, `sendAudio`, `GET /sessions/{sessionId}`.
    RouteKey
}
identifier! {
    /// Connection ID: base64 that ends in `=` (row E0).
    ConnectionId
}

impl RouteKey {
    /// Route of handshakes.
    pub const CONNECT: &str = "$connect";
    /// Route that is called after a connection closed.
    pub const DISCONNECT: &str = "$disconnect";
    /// Route of all messages and requests that match no other route.
    pub const DEFAULT: &str = "$default";
}

impl ConnectionId {
    /// Creates an ID in API Gateway's form: 15 characters and `=`. URL-safe base64 contains no `/`.
    pub fn generate() -> Self {
        ConnectionId(URL_SAFE.encode(random_bytes::<11>()))
    }

    /// Returns true for an ID in API Gateway's form (row K4).
    pub fn is_well_formed(&self) -> bool {
        let bytes = self.0.as_bytes();
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte);
        bytes.len() == 16 && bytes[15] == b'=' && bytes[..15].iter().all(is_digit)
    }
}

/// Creates a resource ID in API Gateway's form: lower-case letters and digits.
pub fn resource_id(length: usize) -> String {
    const ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    (0..length)
        .map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())]))
        .collect()
}

/// Creates a request ID in API Gateway's form: 15 characters and `=`.
pub fn request_id() -> String {
    URL_SAFE.encode(random_bytes::<11>())
}

/// Creates a UUID (version 4), the form of Lambda's request IDs.
pub fn uuid() -> String {
    let value = fastrand::u128(..);
    let value = (value & !(0xf << 76)) | (0x4 << 76);
    let value = (value & !(0x3 << 62)) | (0x2 << 62);
    uuid_text(value)
}

/// Returns the first 16 bytes of a digest in the form of a UUID: an ID that the same input gets again.
pub fn uuid_of_digest(digest: &[u8]) -> String {
    let bytes = digest.iter().take(16);
    uuid_text(bytes.fold(0, |value, byte| value << 8 | u128::from(*byte)))
}

fn uuid_text(value: u128) -> String {
    let hex = format!("{value:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// Creates a trace ID in the form of X-Ray's header: `Root=1-{seconds}-{24 hex digits}`.
pub fn trace_id(seconds: u64) -> String {
    let random = fastrand::u128(..) & ((1 << 96) - 1);
    format!("Root=1-{seconds:08x}-{random:024x}")
}

/// Returns the client's trace ID, or a new one. A text that is not a trace header, or that a header cannot hold, is not
/// passed on.
pub fn trace_id_or_new(given: Option<&str>, at: EpochMillis) -> String {
    let passes = |text: &&str| {
        text.contains("Root=")
            && text.len() <= 512
            && text.bytes().all(|b| matches!(b, b' '..=b'~'))
    };
    match given.filter(passes) {
        Some(text) => text.to_owned(),
        None => trace_id(at.as_millis() / 1000),
    }
}

fn random_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    fastrand::Rng::new().fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_forms_of_the_services() {
        let connection = ConnectionId::generate();
        assert_eq!(connection.as_str().len(), 16);
        assert!(connection.as_str().ends_with('='));
        assert!(!connection.as_str().contains(['/', '+']));
        assert_eq!(resource_id(10).len(), 10);
        let uuid = uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(trace_id(1_707_502_303).starts_with("Root=1-65c66adf-"));
    }

    #[test]
    fn a_valid_trace_id_of_the_client_is_used() {
        let at = EpochMillis::from_millis(1_707_502_303_000);
        let own = "Root=1-65c66edf-000000000000000000000000;Sampled=1";
        assert_eq!(trace_id_or_new(Some(own), at), own);
        let long = format!("Root={}", "x".repeat(1000));
        for none in [None, Some("x"), Some("Root=\u{e4}"), Some(&*long)] {
            assert!(
                trace_id_or_new(none, at).starts_with("Root=1-65c66adf-"),
                "{none:?}"
            );
        }
    }
}
