//! ARNs of functions and of `execute-api` resources.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Account and region that a gateway puts into ARNs. They exist on this machine only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnScope {
    /// Partition: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Region, such as `us-east-1`.
    pub region: String,
    /// Account ID: twelve digits.
    pub account: String,
}

impl Default for ArnScope {
    fn default() -> Self {
        ArnScope {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
        }
    }
}

impl ArnScope {
    /// Returns `arn:aws:execute-api:{region}:{account}:{path}`, the ARN of an API, of a stage's route (row A13) or of
    /// an authorizer (row A16).
    pub fn execute_api(&self, path: impl fmt::Display) -> String {
        self.resource("execute-api", path)
    }

    /// Returns `arn:aws:{service}:{region}:{account}:{resource}`.
    pub fn resource(&self, service: &str, resource: impl fmt::Display) -> String {
        let ArnScope {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// Returns the ARN of a caller: a session of its role, a name or an ARN, or else the account.
    pub fn caller(&self, role: Option<&str>) -> String {
        let (partition, account) = (&self.partition, &self.account);
        match role {
            Some(role) => {
                let name = role.rsplit('/').next().unwrap_or(role);
                format!("arn:{partition}:sts::{account}:assumed-role/{name}/local")
            }
            None => format!("arn:{partition}:iam::{account}:root"),
        }
    }

    /// Returns the value of `AWS::URLSuffix`: the domain of AWS's hosts.
    pub fn url_suffix(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        }
    }

    /// Returns the host name of an API: `{id}.execute-api.{region}.amazonaws.com`.
    pub fn api_host(&self, api: impl fmt::Display) -> String {
        format!("{api}.{}", self.service_host("execute-api"))
    }

    /// Returns the host name of a service: `{service}.{region}.amazonaws.com`.
    pub fn service_host(&self, service: &str) -> String {
        format!("{service}.{}.{}", self.region, self.url_suffix())
    }

    /// Returns the unqualified ARN of a function.
    pub fn function(&self, name: impl Into<String>) -> FunctionArn {
        FunctionArn {
            scope: self.clone(),
            name: name.into(),
            qualifier: None,
        }
    }

    /// Returns the ARN of a role.
    pub fn role(&self, name: impl fmt::Display) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.account)
    }
}

/// ARN of a function: `arn:aws:lambda:{region}:{account}:function:{name}[:{qualifier}]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FunctionArn {
    /// Account and region.
    pub scope: ArnScope,
    /// Function name.
    pub name: String,
    /// Version number, alias or `$LATEST`. An unqualified ARN (`None`) calls `$LATEST`, so a code change is live
    /// without a deployment (row D2).
    pub qualifier: Option<String>,
}

impl std::hash::Hash for ArnScope {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.partition, &self.region, &self.account).hash(state);
    }
}

impl FunctionArn {
    /// Parses the ARN of a function; returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(8, ':');
        let mut next = || parts.next();
        let ("arn", partition, "lambda", region, account, "function", name) = (
            next()?,
            next()?,
            next()?,
            next()?,
            next()?,
            next()?,
            next()?,
        ) else {
            return None;
        };
        let qualifier = parts.next();
        let named = !name.is_empty() && qualifier != Some("");
        named.then(|| FunctionArn {
            scope: ArnScope {
                partition: partition.to_owned(),
                region: region.to_owned(),
                account: account.to_owned(),
            },
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// Returns the function of an invocation URI,
    /// `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`, or of a plain function ARN,
    /// which HTTP APIs accept too. Returns `None` for any other text (row F3).
    pub fn from_uri(uri: &str) -> Option<Self> {
        match uri.split_once(":lambda:path/2015-03-31/functions/") {
            Some((before, after))
                if before.starts_with("arn:") && before.contains(":apigateway:") =>
            {
                Self::parse(after.strip_suffix("/invocations")?)
            }
            Some(_) => None,
            None => Self::parse(uri),
        }
    }

    /// Returns the name, with the qualifier if there is one: `echo:live`.
    pub fn qualified_name(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns the URI by which an integration or an authorizer calls this function.
    pub fn invocation_uri(&self) -> String {
        let ArnScope {
            partition, region, ..
        } = &self.scope;
        format!(
            "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{self}/invocations"
        )
    }

    /// Returns this ARN with a qualifier.
    #[must_use]
    pub fn qualified(&self, qualifier: impl Into<String>) -> Self {
        FunctionArn {
            qualifier: Some(qualifier.into()),
            ..self.clone()
        }
    }

    /// Returns this ARN without its qualifier.
    #[must_use]
    pub fn unqualified(&self) -> Self {
        FunctionArn {
            qualifier: None,
            ..self.clone()
        }
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ArnScope {
            partition,
            region,
            account,
        } = &self.scope;
        write!(
            f,
            "arn:{partition}:lambda:{region}:{account}:function:{}",
            self.name
        )?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

impl From<FunctionArn> for String {
    fn from(arn: FunctionArn) -> String {
        arn.to_string()
    }
}

impl TryFrom<String> for FunctionArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        FunctionArn::parse(&text).ok_or_else(|| format!("{text} is not the ARN of a function"))
    }
}

/// Returns true if an IAM pattern (`*` for any text, `?` for one character) matches the whole text.
pub fn pattern_matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Position of the last `*` in the pattern, and the length of the text that it has matched so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_parsed_from_its_arn_and_from_an_invocation_uri() {
        let arn = ArnScope::default().function("echo").qualified("7");
        assert_eq!(FunctionArn::parse(&arn.to_string()).as_ref(), Some(&arn));
        assert_eq!(
            FunctionArn::from_uri(&arn.invocation_uri()).as_ref(),
            Some(&arn)
        );
        assert_eq!(FunctionArn::parse("arn:aws:sqs:us-east-1:1:q"), None);
        assert_eq!(FunctionArn::from_uri("https://example.com"), None);
    }

    #[test]
    fn row_a5_a_pattern_matches_the_whole_text() {
        assert!(pattern_matches(
            "arn:*:api/prod/$connect",
            "arn:aws:api/prod/$connect"
        ));
        assert!(!pattern_matches("api/prod/*/*", "api/prod/$connect"));
        assert!(pattern_matches("api/prod/*", "api/prod/$connect"));
        assert!(pattern_matches("*", ""));
        assert!(!pattern_matches("", "a"));
        assert!(pattern_matches("a?c*e", "abcdde"));
    }
}
