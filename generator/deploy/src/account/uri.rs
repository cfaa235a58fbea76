//! Invocation URIs and ARNs.

use crate::{FunctionName, FunctionVersion};

/// Which account and region something is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRegion {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

/// What an invocation URI calls:
/// `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations`, or the function's ARN alone,
/// which HTTP APIs take too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    /// What stands before the function's name, and at the end.
    before: String,
    after: &'static str,
    /// Region and account of the function.
    region: String,
    account: String,
    /// Its name.
    pub function: FunctionName,
    /// A version's number or an alias; `None` for the function itself.
    pub qualifier: Option<String>,
}

const PATH: &str = ":lambda:path/2015-03-31/functions/";
const END: &str = "/invocations";

impl Invoked {
    /// Takes a URI apart. `None` for one that names no function, or names it by a stage variable.
    pub fn parse(uri: &str) -> Option<Invoked> {
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
        Some(Invoked {
            before: before.to_owned(),
            after,
            region,
            account,
            function: FunctionName::new(name),
            qualifier,
        })
    }

    /// Whether the function is of that account and region.
    pub fn is_at(&self, place: &AccountRegion) -> bool {
        self.region == place.region && self.account == place.account
    }

    /// The version that is called, when it is one.
    pub fn version(&self) -> Option<FunctionVersion> {
        let number = self.qualifier.as_deref()?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| FunctionVersion::new(number))
    }

    /// The URI that calls another version of the same function.
    pub fn of_version(&self, version: &FunctionVersion) -> String {
        format!("{}{}:{version}{}", self.before, self.function, self.after)
    }
}
