//! Identifiers as types.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use stackgen_model::identifier;

use crate::Timestamp;

identifier! {
    /// An api's id: `a1b2c3d4e5`.
    ApiId
}
identifier! {
    /// A route's id: `abc1234`.
    RouteId
}
identifier! {
    /// An integration's id.
    IntegrationId
}
identifier! {
    /// An authorizer's id.
    AuthorizerId
}
identifier! {
    /// A deployment's id.
    DeploymentId
}
identifier! {
    /// A route response's id.
    RouteResponseId
}
identifier! {
    /// An integration response's id.
    IntegrationResponseId
}
identifier! {
    /// A model's id.
    ModelId
}
identifier! {
    /// A stage's name, which is the first segment of its URL's path.
    StageName
}
identifier! {
    /// What a route answers to: `$connect`, `sendAudio`, `GET /sessions/{sessionId}`.
    RouteKey
}
identifier! {
    /// A connection's id: base64 with `=` at the end (row E0).
    ConnectionId
}

impl RouteKey {
    /// `$connect`.
    pub const CONNECT: &str = "$connect";
    /// `$disconnect`.
    pub const DISCONNECT: &str = "$disconnect";
    /// `$default`.
    pub const DEFAULT: &str = "$default";
}

impl ConnectionId {
    /// A new one, shaped like API Gateway's: 15 characters and a `=`, none of which parts a path.
    pub fn generate() -> Self {
        ConnectionId(URL_SAFE.encode(random_bytes::<11>()))
    }
}

/// A new resource id of that many lower-case letters and digits, as API Gateway makes them.
pub fn resource_id(length: usize) -> String {
    const ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    (0..length)
        .map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())]))
        .collect()
}

/// A new request id, shaped like API Gateway's: 15 characters and a `=`.
pub fn request_id() -> String {
    URL_SAFE.encode(random_bytes::<11>())
}

/// A new UUID, version 4: what Lambda's request ids are.
pub fn uuid() -> String {
    let value = fastrand::u128(..);
    let value = (value & !(0xf << 76)) | (0x4 << 76);
    let value = (value & !(0x3 << 62)) | (0x2 << 62);
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

/// A new trace id as X-Ray's header carries it: `Root=1-{seconds}-{24 hex digits}`.
pub fn trace_id(seconds: u64) -> String {
    let random = fastrand::u128(..) & ((1 << 96) - 1);
    format!("Root=1-{seconds:08x}-{random:024x}")
}

/// The trace id that a caller gave, or a new one. What is no trace header, or could not stand in one again, is not passed on.
pub fn traced(given: Option<&str>, at: Timestamp) -> String {
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
    fn ids_have_the_shapes_of_the_services() {
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
    fn a_trace_id_of_the_caller_is_kept_unless_it_is_none() {
        let at = Timestamp::from_millis(1_707_502_303_000);
        let own = "Root=1-65c66edf-000000000000000000000000;Sampled=1";
        assert_eq!(traced(Some(own), at), own);
        let long = format!("Root={}", "x".repeat(1000));
        for none in [None, Some("x"), Some("Root=\u{e4}"), Some(&*long)] {
            assert!(traced(none, at).starts_with("Root=1-65c66adf-"), "{none:?}");
        }
    }
}
