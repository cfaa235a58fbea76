//! Root certificates of functions.

/// Environment variables that name the root certificates of TLS clients. The first four replace those of the machine,
/// the last one adds to them.
pub const TRUST_VARIABLES: [&str; 5] = [
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    ADDED_ROOTS_VARIABLE,
];

/// Environment variable of Node.js for root certificates in addition to its own.
pub const ADDED_ROOTS_VARIABLE: &str = "NODE_EXTRA_CA_CERTS";
