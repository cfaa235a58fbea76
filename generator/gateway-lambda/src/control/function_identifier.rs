//! Function names in requests.

use serde::Deserialize;
use stackgen_gateway_common::FunctionArn;

use super::response::LambdaErrorResponse;
use crate::functions::Functions;

/// Query of a request: `?Qualifier=`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QualifierQuery {
    #[serde(default)]
    pub(super) qualifier: Option<String>,
}

/// A function name with an optional qualifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FunctionIdentifier {
    pub(super) name: String,
    pub(super) qualifier: Option<String>,
}

impl FunctionIdentifier {
    /// Parses `name`, `name:qualifier`, `account:function:name[:qualifier]` or an ARN. If the request also has a
    /// separate qualifier, the two must be equal.
    pub(super) fn parse(
        text: &str,
        separate: Option<String>,
        lambda: &Functions,
    ) -> Result<Self, LambdaErrorResponse> {
        let scope = lambda.scope();
        let parts: Vec<&str> = text.split(':').collect();
        let (name, embedded) = match parts[..] {
            ["arn", ..] => {
                let Some(arn) = FunctionArn::parse(text) else {
                    return Err(LambdaErrorResponse::invalid(format!(
                        "{text} is not the ARN of a function"
                    )));
                };
                if arn.scope != *scope {
                    return Err(not_found_here(text));
                }
                (arn.name, arn.qualifier)
            }
            [account, "function", ..] if account != scope.account => {
                return Err(not_found_here(text));
            }
            [name] | [_, "function", name] => (name.to_owned(), None),
            [name, qualifier] | [_, "function", name, qualifier] => {
                (name.to_owned(), Some(qualifier.to_owned()))
            }
            _ => {
                return Err(LambdaErrorResponse::invalid(format!(
                    "{text} is not a function name"
                )));
            }
        };
        let separate = separate.filter(|qualifier| !qualifier.is_empty());
        if let (Some(embedded), Some(separate)) = (&embedded, &separate)
            && embedded != separate
        {
            return Err(LambdaErrorResponse::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        Ok(FunctionIdentifier {
            name,
            qualifier: embedded.or(separate),
        })
    }

    /// Returns the ARN of the function.
    pub(super) fn arn(&self, lambda: &Functions) -> FunctionArn {
        let mut arn = lambda.scope().function(&*self.name);
        arn.qualifier.clone_from(&self.qualifier);
        arn
    }
}

fn not_found_here(text: &str) -> LambdaErrorResponse {
    LambdaErrorResponse::new(
        http::StatusCode::NOT_FOUND,
        "ResourceNotFoundException",
        format!("Function not found: {text} is in another account, region or partition"),
    )
}
