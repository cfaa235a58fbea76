//! Statements of a function's resource policy (rows C7, A16, D19).

use serde_json::{Value, json};
use stackgen_gateway_common::{FunctionArn, pattern_matches};

/// Statement of a policy, as in `AddPermission`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionStatement {
    /// `StatementId`.
    pub statement_id: String,
    /// `Action`: `lambda:InvokeFunction`, `lambda:*`.
    pub action: String,
    /// `Principal`: `apigateway.amazonaws.com`, `*`, an account, an ARN.
    pub principal: String,
    /// `SourceArn`, with `*` and `?` as wildcards.
    pub source_arn: Option<String>,
    /// `SourceAccount`.
    pub source_account: Option<String>,
}

impl PermissionStatement {
    /// Returns true if the statement allows a service to invoke the function for this source.
    pub(crate) fn allows_service(&self, service: &str, source_arn: &str, account: &str) -> bool {
        let region = source_arn.split(':').nth(3).unwrap_or_default();
        let principal = self.principal == "*" || is_service(&self.principal, service, region);
        let action = pattern_matches(&self.action.to_ascii_lowercase(), "lambda:invokefunction");
        let source = self.source_arn.as_deref();
        let owner = self.source_account.as_deref();
        principal
            && action
            && source.is_none_or(|pattern| matches_arn(pattern, source_arn))
            && owner.is_none_or(|owner| owner == account)
    }

    /// Returns the statement as `GetPolicy` and `AddPermission` show it.
    pub fn to_json(&self, resource: &FunctionArn) -> Value {
        let principal = match self.principal.as_str() {
            "*" => json!("*"),
            service if service.ends_with(".amazonaws.com") => json!({ "Service": service }),
            account if account.bytes().all(|byte| byte.is_ascii_digit()) => json!({
                "AWS": format!("arn:{}:iam::{account}:root", resource.scope.partition)
            }),
            arn => json!({ "AWS": arn }),
        };
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            "Resource": resource.to_string(),
        });
        if let Some(account) = &self.source_account {
            statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = json!(account);
        }
        if let Some(arn) = &self.source_arn {
            statement["Condition"]["ArnLike"]["AWS:SourceArn"] = json!(arn);
        }
        statement
    }
}

/// Returns true for the name of a service, also with a region: `apigateway.eu-west-1.amazonaws.com`, which is the same
/// service in that region.
fn is_service(principal: &str, service: &str, region: &str) -> bool {
    let regional = service
        .split_once('.')
        .is_some_and(|(name, suffix)| principal == format!("{name}.{region}.{suffix}"));
    principal == service || regional
}

/// Implements `ArnLike`: compares each of the six parts on its own, so that a `*` in the first five matches no colon.
fn matches_arn(pattern: &str, arn: &str) -> bool {
    let mut patterns = pattern.splitn(6, ':');
    let mut parts = arn.splitn(6, ':');
    loop {
        match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) if pattern_matches(pattern, part) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(source_arn: &str) -> PermissionStatement {
        PermissionStatement {
            statement_id: "api".to_owned(),
            action: "lambda:InvokeFunction".to_owned(),
            principal: "apigateway.amazonaws.com".to_owned(),
            source_arn: Some(source_arn.to_owned()),
            source_account: None,
        }
    }

    #[test]
    fn row_c7_a_statement_allows_only_its_principal_action_source_and_account() {
        let source = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect";
        let allows = |permission: &PermissionStatement| {
            permission.allows_service("apigateway.amazonaws.com", source, "000000000000")
        };
        let granted = permission("arn:aws:execute-api:us-east-1:000000000000:abc/*/$connect");
        assert!(allows(&granted));
        assert!(allows(&PermissionStatement {
            source_arn: None,
            ..granted.clone()
        }));
        assert!(allows(&PermissionStatement {
            action: "lambda:*".to_owned(),
            ..granted.clone()
        }));
        assert!(allows(&PermissionStatement {
            principal: "apigateway.us-east-1.amazonaws.com".to_owned(),
            ..granted.clone()
        }));
        for other in [
            PermissionStatement {
                principal: "s3.amazonaws.com".to_owned(),
                ..granted.clone()
            },
            PermissionStatement {
                principal: "apigateway.eu-west-1.amazonaws.com".to_owned(),
                ..granted.clone()
            },
            PermissionStatement {
                action: "lambda:GetFunction".to_owned(),
                ..granted.clone()
            },
            PermissionStatement {
                source_account: Some("1".to_owned()),
                ..granted.clone()
            },
            permission("arn:aws:execute-api:us-east-1:000000000000:other/*"),
        ] {
            assert!(!allows(&other), "{other:?}");
        }
    }

    #[test]
    fn row_c7_a_wildcard_of_an_arn_stays_within_its_part() {
        let source = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect";
        assert!(matches_arn("arn:aws:execute-api:*:*:abc/*", source));
        assert!(!matches_arn("arn:aws:*:abc/*", source));
    }
}
