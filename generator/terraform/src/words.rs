//! Messages about templates in the words of Terraform.

use crate::convert::attribute_of;

/// Phrases of hints, and their counterparts.
const PHRASES: &[(&str, &str)] = &[
    (" in a `Sub`", ""),
    (
        "${AWS::AccountId}",
        "${data.aws_caller_identity.current.account_id}",
    ),
    (
        "${AWS::Partition}",
        "${data.aws_partition.current.partition}",
    ),
    ("${AWS::Region}", "${data.aws_region.current.name}"),
    (
        "`Target: !Sub integrations/${…}` with the integration's logical ID",
        "`target = \"integrations/${….id}\"` with the integration",
    ),
];

/// Replaces the names of properties between backticks by those of attributes: `` `AutoDeploy: true` `` becomes
/// `` `auto_deploy = true` ``.
pub fn in_terraform_words(message: &str) -> String {
    let message = PHRASES
        .iter()
        .fold(message.to_owned(), |text, (cfn, terraform)| {
            text.replace(cfn, terraform)
        });
    let mut words = String::new();
    for (index, part) in message.split('`').enumerate() {
        if index > 0 {
            words.push('`');
        }
        match index % 2 {
            0 => words.push_str(part),
            _ => words.push_str(&code(part)),
        }
    }
    words
}

fn code(text: &str) -> String {
    let (property, value) = match text.split_once(": ") {
        Some((property, value)) => (property, Some(value)),
        None => (text, None),
    };
    match (attribute_of(property), value) {
        (Some(attribute), None) => attribute.to_owned(),
        (Some(attribute), Some("true" | "false")) => {
            format!("{attribute} = {}", value.unwrap_or_default())
        }
        (Some(attribute), Some(value)) if value.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{attribute} = {value}")
        }
        (Some(attribute), Some(value)) if !value.contains('!') => {
            format!("{attribute} = {:?}", value.trim_matches('\''))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_become_attributes_and_other_code_stays() {
        let words = in_terraform_words(
            "add X to the `DependsOn` of `$connect`, or set `AutoDeploy: true` and `TimeoutInMillis: 29000`",
        );
        assert_eq!(
            words,
            "add X to the `depends_on` of `$connect`, or set `auto_deploy = true` and `timeout_milliseconds = 29000`"
        );
        assert_eq!(
            in_terraform_words("answered with `Forbidden`"),
            "answered with `Forbidden`"
        );
        assert_eq!(
            in_terraform_words("`Target: !Sub x` and `odd"),
            "`Target: !Sub x` and `odd"
        );
    }
}
