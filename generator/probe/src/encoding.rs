//! Percent-encoding of queries.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that are percent-encoded in a query: all but RFC 3986's unreserved ones.
const QUERY_ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes a text for a query.
pub(crate) fn query_encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY_ENCODED).to_string()
}
