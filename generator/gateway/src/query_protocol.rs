//! AWS's Query protocol: parameters in a form or a query string, and errors in XML.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Media type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Returns the body of a request as text, if its headers say that it is a form.
pub(crate) fn form<'b>(headers: &HeaderMap, body: &'b [u8]) -> Option<&'b str> {
    let content_type = headers.get(CONTENT_TYPE)?;
    let is_form = content_type.as_bytes().starts_with(FORM.as_bytes());
    is_form.then(|| std::str::from_utf8(body).ok())?
}

/// Returns a parameter of a query string or a form, decoded.
pub(crate) fn parameter(text: &str, name: &str) -> Option<String> {
    let mut pairs = text
        .trim()
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    let value = value.replace('+', " ");
    let value = percent_encoding::percent_decode_str(&value).decode_utf8_lossy();
    Some(value.into_owned())
}

/// Encodes parameters as a form.
pub(crate) fn encode_form<V: AsRef<str>>(parameters: &[(&str, V)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = parameters.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encode(name), encode(value.as_ref())))
        .collect();
    pairs.join("&")
}

/// Returns the element of an error. `kind` stands before its code.
pub(crate) fn xml_error(code: &str, message: &str, kind: &str) -> String {
    let (code, message) = (escape(code), escape(message));
    format!("<Error>{kind}<Code>{code}</Code><Message>{message}</Message></Error>")
}

/// Returns the text of the first element with this name, if it contains no other elements.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&apos;", "'");
    Some(text.replace("&amp;", "&"))
}

/// Escapes text of XML and HTML elements. Attributes also need their quotes escaped.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
