//! Access logs of stages: variables of their formats, and the ARN of their destination (rows L1, L2).

/// Prefix of a variable in a format.
pub const VARIABLE: &str = "$context.";

/// Returns the length of the variable name at the start of a text, which follows [`VARIABLE`]: words joined by dots. A
/// trailing dot is punctuation.
pub fn name_length(text: &str) -> usize {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(text.len());
    text[..end].trim_end_matches('.').len()
}

/// Returns the name of the log group of an ARN: `/aws/apigateway/chat` of
/// `arn:aws:logs:us-east-1:000000000000:log-group:/aws/apigateway/chat:*`. Other destinations, such as delivery streams, have
/// none.
pub fn group_of(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(7, ':');
    if parts.next()? != "arn" || parts.nth(1)? != "logs" || parts.nth(2)? != "log-group" {
        return None;
    }
    let group = parts.next()?;
    let group = group.strip_suffix(":*").unwrap_or(group);
    (!group.is_empty()).then_some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_before_punctuation_and_only_log_groups_have_a_name() {
        assert_eq!(name_length("identity.sourceIp. next"), 17);
        assert_eq!(name_length("status\"}"), 6);
        assert_eq!(name_length("."), 0);
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/chat:*";
        assert_eq!(group_of(arn), Some("/aws/chat"));
        assert_eq!(
            group_of("arn:aws:firehose:us-east-1:0:deliverystream/x"),
            None
        );
    }
}
