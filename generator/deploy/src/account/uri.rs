//! Invocation URIs and ARNs.

use crate::{FunctionName, FunctionVersion};

/// An account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRegion {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

/// An invocation URI, which names a function:
/// `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations`, or the function's ARN alone,
/// which HTTP APIs accept too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationUri {
    /// The text before the function's name, and after it.
    before: String,
    after: &'static str,
    /// Region and account of the function.
    region: String,
    account: String,
    /// The function.
    pub function: FunctionName,
    /// The number of a version or the name of an alias; `None` for the unqualified function.
    pub qualifier: Option<String>,
}

const PATH: &str = ":lambda:path/2015-03-31/functions/";
const END: &str = "/invocations";

impl InvocationUri {
    /// Parses a URI. Returns `None` for one that names no function, or names it by a stage variable.
    pub fn parse(uri: &str) -> Option<InvocationUri> {
        let (arn, after) = match uri.split_once(PATH) {
            Some((_, rest)) => (rest.strip_suffix(END)?, END),
            None => (uri, ""),
        };
        let mut fields = arn.splitn(7, ':');
        let mut next = || fields.next();
        let ("arn", _, "lambda") = (next()?, next()?, next()?) else {
            return None;
        };
        let (region, account) = (next()?.to_owned(), next()?.to_owned());
        let ("function", rest) = (next()?, next()?) else {
            return None;
        };
        if arn.contains("${") {
            return None;
        }
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier.to_owned())),
            None => (rest, None),
        };
        let before = uri.strip_suffix(after)?.strip_suffix(rest)?;
        Some(InvocationUri {
            before: before.to_owned(),
            after,
            region,
            account,
            function: FunctionName::new(name),
            qualifier,
        })
    }

    /// True if the function is in that account and region.
    pub fn is_in(&self, region: &AccountRegion) -> bool {
        self.region == region.region && self.account == region.account
    }

    /// Returns the version, if the qualifier is one.
    pub fn version(&self) -> Option<FunctionVersion> {
        let number = self.qualifier.as_deref()?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| FunctionVersion::new(number))
    }

    /// Returns the URI of another version of the same function.
    pub fn with_version(&self, version: &FunctionVersion) -> String {
        format!("{}{}:{version}{}", self.before, self.function, self.after)
    }
}
