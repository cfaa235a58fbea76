//! Function names in requests.

use serde::Deserialize;
use stackgen_gateway_common::FunctionArn;

use super::answer::Refusal;
use crate::functions::Functions;

/// Query of a request: `?Qualifier=`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Qualified {
    #[serde(default)]
    pub(super) qualifier: Option<String>,
}

/// A function name with an optional qualifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) qualifier: Option<String>,
}

impl Name {
    /// Parses `name`, `name:qualifier`, `account:function:name[:qualifier]` or an ARN. If the request also has a
    /// separate qualifier, both must be equal.
    pub(super) fn parse(
        text: &str,
        beside: Option<String>,
        lambda: &Functions,
    ) -> Result<Self, Refusal> {
        let place = lambda.place();
        let parts: Vec<&str> = text.split(':').collect();
        let (name, within) = match parts[..] {
            ["arn", ..] => {
                let Some(arn) = FunctionArn::parse(text) else {
                    return Err(Refusal::invalid(format!(
                        "{text} is not the ARN of a function"
                    )));
                };
                if arn.place != *place {
                    return Err(not_here(text));
                }
                (arn.name, arn.qualifier)
            }
            [account, "function", ..] if account != place.account => return Err(not_here(text)),
            [name] | [_, "function", name] => (name.to_owned(), None),
            [name, qualifier] | [_, "function", name, qualifier] => {
                (name.to_owned(), Some(qualifier.to_owned()))
            }
            _ => return Err(Refusal::invalid(format!("{text} is not a function name"))),
        };
        let beside = beside.filter(|qualifier| !qualifier.is_empty());
        if let (Some(within), Some(beside)) = (&within, &beside)
            && within != beside
        {
            return Err(Refusal::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        Ok(Name {
            name,
            qualifier: within.or(beside),
        })
    }

    /// Returns the ARN of the function.
    pub(super) fn arn(&self, lambda: &Functions) -> FunctionArn {
        let mut arn = lambda.place().function(&*self.name);
        arn.qualifier.clone_from(&self.qualifier);
        arn
    }
}

fn not_here(text: &str) -> Refusal {
    Refusal::new(
        http::StatusCode::NOT_FOUND,
        "ResourceNotFoundException",
        format!("Function not found: {text} is in another account, region or partition"),
    )
}
