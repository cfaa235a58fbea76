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
        "${AWS::URLSuffix}",
        "${data.aws_partition.current.dns_suffix}",
    ),
    ("with the integration's logical ID", "with the integration"),
    (
        "refer to a deployment of the template with `!Ref`",
        "refer to the `id` of an `aws_apigatewayv2_deployment`",
    ),
];

/// Paths around a function in the URI of its invocation.
const INVOCATION: (&str, &str) = ("/2015-03-31/functions/", "/invocations");

/// Replaces code of templates between backticks by that of configurations: `` `AutoDeploy: true` `` becomes
/// `` `auto_deploy = true` ``, and `` `!Ref aws_apigatewayv2_deployment.main` `` becomes `` `aws_apigatewayv2_deployment.main.id` ``.
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
    if let Some(expression) = expression(value.unwrap_or(text)) {
        return match (attribute_of(property), value) {
            (Some(attribute), Some(_)) => format!("{attribute} = {expression}"),
            (_, None) => expression,
            (None, Some(_)) => text.to_owned(),
        };
    }
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

/// Converts `!Ref`, `!GetAtt` of an ARN, and `!Sub`.
fn expression(text: &str) -> Option<String> {
    if let Some(resource) = text.strip_prefix("!Ref ") {
        return Some(format!("{resource}.id"));
    }
    if let Some(attribute) = text.strip_prefix("!GetAtt ") {
        return Some(format!("{}.arn", attribute.strip_suffix(".Arn")?));
    }
    let text = text.strip_prefix("!Sub ")?;
    let function = text
        .split_once(INVOCATION.0)
        .and_then(|(_, rest)| rest.strip_suffix(INVOCATION.1));
    Some(match function {
        Some(function) => {
            let resource = function.trim_start_matches("${").trim_end_matches(".Arn}");
            format!("{resource}.invoke_arn")
        }
        None => format!("\"{}\"", interpolated(text)),
    })
}

/// Converts the references in a text of `!Sub`.
fn interpolated(text: &str) -> String {
    let mut parts = text.split("${");
    let mut converted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        let reference = match name.strip_suffix(".Arn") {
            Some(resource) => format!("{resource}.arn"),
            None if name.starts_with("data.") => name.to_owned(),
            None => format!("{name}.id"),
        };
        converted.push_str(&format!("${{{reference}}}{rest}"));
    }
    converted
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
        assert_eq!(in_terraform_words("`odd"), "`odd");
    }

    #[test]
    fn references_become_expressions() {
        for (template, configuration) in [
            (
                "set `DeploymentId: !Ref aws_apigatewayv2_deployment.main`",
                "set `deployment_id = aws_apigatewayv2_deployment.main.id`",
            ),
            (
                "write `!Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${aws_lambda_function.all[\"a\"].Arn}/invocations`",
                "write `aws_lambda_function.all[\"a\"].invoke_arn`",
            ),
            (
                "uses on `!GetAtt aws_dynamodb_table.t.Arn`",
                "uses on `aws_dynamodb_table.t.arn`",
            ),
            (
                "set `Target: !Sub integrations/${…}` with the integration's logical ID",
                "set `target = \"integrations/${….id}\"` with the integration",
            ),
            (
                "write `!Sub https://${aws_apigatewayv2_api.a}.execute-api.${AWS::Region}.${AWS::URLSuffix}/`",
                "write `\"https://${aws_apigatewayv2_api.a.id}.execute-api.${data.aws_region.current.name}.\
                 ${data.aws_partition.current.dns_suffix}/\"`",
            ),
        ] {
            assert_eq!(in_terraform_words(template), configuration);
        }
    }
}
