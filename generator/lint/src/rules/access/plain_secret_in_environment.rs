use stackgen_cfn::Value;

use crate::Finding;
use crate::context::Context;
use crate::facts::environment::{self, Variable};
use crate::rule::rule;

rule! {
    /// A secret stands in the template, as the value of an environment variable.
    ///
    /// ## Why it hurts
    ///
    /// Whoever reads the repository, the template in CloudFormation, or the function's configuration
    /// (`lambda:GetFunctionConfiguration`, which many read-only policies allow) has the secret; and it cannot be rotated
    /// without a deployment. Findings of this rule do not show the value.
    ///
    /// It is told by the variable's name (`…PASSWORD`, `…SECRET`, `…API_KEY`, `…TOKEN` and the like) and by a value that is
    /// written out and does not look like a name, an ARN, a URL, a number or a placeholder.
    ///
    /// ## How to fix it
    ///
    /// Keep the secret in Secrets Manager or in a SecureString of the parameter store, give the function its name or ARN,
    /// and let the function read it. Then change the secret: the old one is in the history of the repository.
    id: "SG507",
    name: "plain-secret-in-environment",
    severity: Warning,
    confidence: Medium,
    rows: [],
    fixable: false,
    example: "access/plain_secret_in_environment.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let plain = environment::variables(context)
        .filter(|variable| is_secret(variable.name) && is_plain(variable));
    environment::one_a_place(plain.map(|variable| of_variable(&variable)))
}

fn of_variable(variable: &Variable<'_>) -> Finding {
    let (id, name) = (&variable.function.resource.logical_id, variable.name);
    let message = format!(
        "the value of {name} of {id} stands in the template, and its name says that it is secret"
    );
    Finding::new(&RULE, variable.key_place().hidden(), message)
        .hint("keep it in Secrets Manager or the parameter store, and give the function its name")
}

/// Whether the last words of a name say that its value is secret: `DB_PASSWORD`, but not `TOKEN_TTL` or `SECRET_ARN`.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let ends = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "SECRET_KEY",
        "SIGNING_KEY",
        "PRIVATE_KEY",
        "ENCRYPTION_KEY",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "AUTH_TOKEN",
        "ACCESS_TOKEN",
        "REFRESH_TOKEN",
        "BOT_TOKEN",
        "API_TOKEN",
    ];
    // Lambda refuses its own names, which is another finding.
    !name.starts_with("AWS_") && (name == "TOKEN" || ends.iter().any(|end| name.ends_with(end)))
}

/// Whether the value is written out where the variable is, and looks like nothing but a secret.
fn is_plain(variable: &Variable<'_>) -> bool {
    let written = match variable.node() {
        Some(node) => matches!(node.value, Value::String(_)),
        None => true,
    };
    let value = variable.value.as_literal();
    written && value.is_some_and(|value| looks_secret(value) && !is_name(variable.name, value))
}

fn looks_secret(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let placeholders = [
        "change",
        "example",
        "placeholder",
        "dummy",
        "todo",
        "replace",
        "your",
        "xxx",
        "redacted",
        "none",
        "null",
        "undefined",
        "true",
        "false",
        "test",
        "local",
        "default",
    ];
    value.len() >= 6
        && !value.starts_with('/')
        && !lower.starts_with("arn:")
        && !value.contains("://")
        && !value.starts_with(['<', '$', '{', '%'])
        && !value.bytes().all(|c| c.is_ascii_digit())
        && !placeholders.iter().any(|word| lower.contains(word))
}

/// Whether a value is the name of a secret, as `prod/db-secret` in `DB_SECRET` is: words and nothing else.
fn is_name(variable: &str, value: &str) -> bool {
    let variable = variable.to_ascii_uppercase();
    let either = variable.ends_with("SECRET")
        && !["JWT_SECRET", "CLIENT_SECRET", "SIGNING_SECRET"]
            .iter()
            .any(|end| variable.ends_with(end));
    let words = |separators: &[u8]| {
        value
            .bytes()
            .all(|c| c.is_ascii_alphabetic() || separators.contains(&c))
    };
    let path = value.contains('/') && words(b"/-_.");
    path || either && words(b"-_.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(name: &str, value: &str) -> bool {
        is_secret(name) && looks_secret(value) && !is_name(name, value)
    }

    #[test]
    fn secrets() {
        for (name, value) in [
            ("JWT_SECRET", "my-super-secret-key"),
            ("DB_PASSWORD", "hunter2!"),
            ("stripe_api_key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
            ("TOKEN", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
            ("AUTH_SECRET", "kR7!vq2Zp0wX"),
            ("SECRET_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"),
        ] {
            assert!(is_told(name, value), "{name}");
        }
    }

    #[test]
    fn what_only_sounds_like_one() {
        for (name, value) in [
            ("JWT_SECRET_ARN", "kR7!vq2Zp0wX"),
            ("TOKEN_TTL", "kR7!vq2Zp0wX"),
            ("TOKENS_TABLE", "kR7!vq2Zp0wX"),
            ("AWS_SESSION_TOKEN", "kR7!vq2Zp0wX"),
            ("DB_SECRET", "chat-database"),
            ("API_KEY", "/chat/prod/api-key"),
            ("API_KEY", "chat/prod/api-key"),
            (
                "DB_PASSWORD",
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
            ),
            ("DB_PASSWORD", "<fill in>"),
            ("DB_PASSWORD", "CHANGE_ME"),
            ("DB_PASSWORD", "${PASSWORD}"),
            ("API_KEY", "https://example.org/key"),
            ("PASSWORD", ""),
        ] {
            assert!(!is_told(name, value), "{name}: {value}");
        }
    }
}
