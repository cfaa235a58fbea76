//! ARNs of functions and of what API Gateway calls them for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a gateway says that it is. What it renders into ARNs; nothing of it leaves this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Default for Place {
    fn default() -> Self {
        Place {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
        }
    }
}

impl Place {
    /// `arn:aws:execute-api:{region}:{account}:{path}`: of an api, a stage's route (row A13) or an authorizer (row A16).
    pub fn execute_api(&self, path: impl fmt::Display) -> String {
        let Place {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:execute-api:{region}:{account}:{path}")
    }

    /// The unqualified ARN of a function.
    pub fn function(&self, name: impl Into<String>) -> FunctionArn {
        FunctionArn {
            place: self.clone(),
            name: name.into(),
            qualifier: None,
        }
    }

    /// The role of that name.
    pub fn role(&self, name: impl fmt::Display) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.account)
    }
}

/// `arn:aws:lambda:{region}:{account}:function:{name}[:{qualifier}]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FunctionArn {
    /// Where the function is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// A version number, an alias or `$LATEST`; `None` is unqualified, whose code is live without a deployment (row D2).
    pub qualifier: Option<String>,
}

impl std::hash::Hash for Place {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.partition, &self.region, &self.account).hash(state);
    }
}

impl FunctionArn {
    /// Reads an ARN; `None` when it is of anything else.
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
            place: Place {
                partition: partition.to_owned(),
                region: region.to_owned(),
                account: account.to_owned(),
            },
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The function of an invocation URI, `arn:…:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`,
    /// or of a bare function ARN, which HTTP APIs take; `None` for anything else (row F3).
    pub fn of_uri(uri: &str) -> Option<Self> {
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

    /// The invocation URI that an integration or an authorizer names this function by.
    pub fn invocation_uri(&self) -> String {
        let Place {
            partition, region, ..
        } = &self.place;
        format!(
            "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{self}/invocations"
        )
    }

    /// The same function with this qualifier.
    #[must_use]
    pub fn qualified(&self, qualifier: impl Into<String>) -> Self {
        FunctionArn {
            qualifier: Some(qualifier.into()),
            ..self.clone()
        }
    }

    /// The same function without a qualifier.
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
        let Place {
            partition,
            region,
            account,
        } = &self.place;
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
        FunctionArn::parse(&text).ok_or_else(|| format!("{text} is no ARN of a function"))
    }
}

/// True when an IAM pattern (`*` any text, `?` any character) matches the whole of a text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken so far.
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
    fn a_function_is_read_from_its_arn_and_from_an_invocation_uri() {
        let arn = Place::default().function("echo").qualified("7");
        assert_eq!(FunctionArn::parse(&arn.to_string()).as_ref(), Some(&arn));
        assert_eq!(
            FunctionArn::of_uri(&arn.invocation_uri()).as_ref(),
            Some(&arn)
        );
        assert_eq!(FunctionArn::parse("arn:aws:sqs:us-east-1:1:q"), None);
        assert_eq!(FunctionArn::of_uri("https://example.com"), None);
    }

    #[test]
    fn row_a5_a_pattern_matches_the_whole_text() {
        assert!(matches(
            "arn:*:api/prod/$connect",
            "arn:aws:api/prod/$connect"
        ));
        assert!(!matches("api/prod/*/*", "api/prod/$connect"));
        assert!(matches("api/prod/*", "api/prod/$connect"));
        assert!(matches("*", ""));
        assert!(!matches("", "a"));
        assert!(matches("a?c*e", "abcdde"));
    }
}
