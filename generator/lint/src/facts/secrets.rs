//! Decides whether an environment variable contains a secret.

/// Returns true if the last words of a name indicate a secret: `DB_PASSWORD`, but not `TOKEN_TTL` or `SECRET_ARN`.
pub(crate) fn is_secret_name(name: &str) -> bool {
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
    // Another rule reports Lambda's own names. Keys of Firebase are public.
    !name.starts_with("AWS_")
        && !["PUBLIC", "FIREBASE"]
            .iter()
            .any(|word| name.contains(word))
        && (name == "TOKEN" || ends.iter().any(|end| name.ends_with(end)))
}

/// Returns true if the value of a variable looks like a secret and not like a placeholder or the name of a secret.
pub(crate) fn looks_like_secret(variable: &str, value: &str) -> bool {
    is_not_placeholder(value) && !is_name(variable, value)
}

fn is_not_placeholder(value: &str) -> bool {
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

/// Returns true for the name of a secret: `prod/db-secret` in `DB_SECRET`, `x-api-key` in `API_KEY`.
fn is_name(variable: &str, value: &str) -> bool {
    let variable = variable.to_ascii_uppercase();
    let either = variable.ends_with("SECRET")
        && !["JWT_SECRET", "CLIENT_SECRET", "SIGNING_SECRET"]
            .iter()
            .any(|end| variable.ends_with(end));
    let words = |value: &str, separators: &[u8]| {
        value
            .bytes()
            .all(|c| c.is_ascii_alphabetic() || separators.contains(&c))
    };
    let is_lower = !value.bytes().any(|c| c.is_ascii_uppercase());
    let digits = if is_lower {
        b"/-_.0123456789".as_slice()
    } else {
        b"/-_."
    };
    let path = value.contains('/') && words(value, digits);
    let header = value.starts_with("x-") && is_lower && words(value, b"-");
    let of_key = variable.ends_with("ENCRYPTION_KEY") || variable.ends_with("SIGNING_KEY");
    path || header
        || (either && words(without_suffix(value), b"-_."))
        || (of_key && is_uuid(value))
        || repeats_name(&variable, value)
}

/// Returns the name of a secret without the six characters that Secrets Manager appends.
fn without_suffix(value: &str) -> &str {
    match value.rsplit_once('-') {
        Some((name, suffix)) if suffix.len() == 6 => name,
        _ => value,
    }
}

/// Returns true for text that looks like the ID of a KMS key.
fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && value.bytes().all(|c| c == b'-' || c.is_ascii_hexdigit())
}

/// Returns true if a value repeats the variable's name, or names how the secret is passed.
fn repeats_name(variable: &str, value: &str) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let normalized = plain(value);
    let kinds = [
        "authorization",
        "bearer",
        "cookie",
        "enabled",
        "disabled",
        "required",
        "optional",
    ];
    if kinds.contains(&normalized.as_str()) {
        return true;
    }
    let of_words = variable.contains('_') && !variable.contains("PASS");
    let end: Vec<_> = variable.rsplitn(3, '_').take(2).collect();
    let end: String = end.into_iter().rev().map(plain).collect();
    let few_digits = value.bytes().filter(u8::is_ascii_digit).count() <= 2;
    of_words && few_digits && normalized.contains(&end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(name: &str, value: &str) -> bool {
        is_secret_name(name) && looks_like_secret(name, value)
    }

    #[test]
    fn values_that_look_like_secrets_are_found() {
        for (name, value) in [
            ("JWT_SECRET", "my-super-secret-key"),
            ("DB_PASSWORD", "hunter2!"),
            ("stripe_api_key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
            ("TOKEN", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
            ("AUTH_SECRET", "kR7!vq2Zp0wX"),
            ("SECRET_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"),
            ("API_KEY", "api-key-8f3b2c1d9e7a"),
            ("DB_PASSWORD", "dbpassword"),
            ("ENCRYPTION_KEY", "3b9f1c2ad4e5f60718293a4b5c6d7e8f"),
        ] {
            assert!(is_told(name, value), "{name}");
        }
    }

    #[test]
    fn names_and_placeholders_are_not_secrets() {
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
            ("TOKEN", "Authorization"),
            ("AUTH_TOKEN", "x-auth-token"),
            ("REFRESH_TOKEN", "enabled"),
            ("STRIPE_PUBLIC_API_KEY", "pk_live_51H8kq2n"),
            ("DB_SECRET", "prod-db-XyZ123"),
            ("COOKIE_SECRET", "chat/cookie1"),
            ("SECRET", "my-stack/jwt-2"),
            ("ENCRYPTION_KEY", "1234abcd-12ab-34cd-56ef-1234567890ab"),
            ("ACCESS_TOKEN", "access_token"),
            ("STRIPE_API_KEY", "stripe-api-key-2"),
            ("JWT_SECRET", "jwt-secret-prod"),
            ("CLIENT_SECRET", "chat-client-secret"),
        ] {
            assert!(!is_told(name, value), "{name}: {value}");
        }
    }
}
