//! One line of a log: its level, message, fields and IDs, and the facts about a connection that it contains.

use std::borrow::Cow;

use super::access_record::AccessRecord;
use super::entry::LineLevel;
use super::field::LineField;

/// A line, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedLine<'m> {
    /// The level, if the line has one.
    pub level: Option<LineLevel>,
    /// The message.
    pub message: Cow<'m, str>,
    /// Other fields, in the line's order.
    pub fields: Vec<LineField<'m>>,
    /// Connection ID.
    pub connection: Option<Cow<'m, str>>,
    /// API Gateway's request ID.
    pub request: Option<Cow<'m, str>>,
    /// Lambda's request ID.
    pub lambda: Option<Cow<'m, str>>,
    /// Route key.
    pub route: Option<Cow<'m, str>>,
    /// Fact that the line contains.
    pub fact: LineFact<'m>,
}

/// Fact about a connection, a request or an invocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LineFact<'m> {
    /// None that matters here.
    #[default]
    None,
    /// Line of the access log.
    Access(Box<AccessRecord<'m>>),
    /// Lambda begins an invocation.
    Start,
    /// Lambda ends an invocation.
    End,
    /// Lambda reports an invocation.
    Report(ReportedInvocation),
    /// Lambda starts an execution environment.
    Init,
    /// Close code and reason of a connection.
    Closed(CloseFact<'m>),
    /// Status with which API Gateway answered a request.
    Status(u16),
    /// API Gateway accepted the connection.
    Connected,
    /// The function failed: a timeout, an exception, a crash.
    FunctionFailed,
}

/// Lambda's report of an invocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportedInvocation {
    /// Duration in milliseconds.
    pub duration_ms: f64,
    /// Duration of the start of its execution environment.
    pub init_ms: Option<f64>,
    /// True if the invocation failed or timed out.
    pub failed: bool,
}

/// Close code and reason, as `$disconnect` gets them (row E3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFact<'m> {
    /// The code.
    pub code: u16,
    /// The reason; empty without one.
    pub reason: Cow<'m, str>,
}

/// True for an ID of a Lambda invocation, which is a UUID. Other request IDs are API Gateway's.
pub(crate) fn is_lambda_id(text: &str) -> bool {
    let is_of_uuid = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_of_uuid)
}

/// Finds a close code and its reason in a text that contains an event of `$disconnect`, as JSON or as a program prints an
/// object.
pub(crate) fn close_in_text(text: &str) -> Option<CloseFact<'_>> {
    let after = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        Some(rest.trim_start_matches(['"', '\'', ':', '=', ' ', '\\']))
    };
    let code = after("disconnectStatusCode")?;
    let digits = code
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(code.len());
    let reason = after("disconnectReason").unwrap_or_default();
    let end = reason.find(['"', '\'', '\\']).unwrap_or(0);
    Some(CloseFact {
        code: code[..digits].parse().ok()?,
        reason: Cow::Borrowed(&reason[..end]),
    })
}
