//! Access logs: one line per request, in the format that the stage sets (rows L1, L2). JSON, CSV, XML and CLF formats
//! are all treated as text.

use std::borrow::Cow;

use stackgen_gateway_common::access_log::{VARIABLE, group_of, name_length};
use stackgen_gateway_common::logs::PutLogs;
use stackgen_gateway_common::{ApiId, EpochMillis, StageName};

use crate::apis::AccessLogSettings;

/// Renders a log format. `lookup` gets variable names without `$context.`, such as `identity.sourceIp`. A variable
/// without a value renders as `-`, as on API Gateway. Control characters in values become spaces, so that a value that
/// a client sent cannot start a second line.
pub fn render<'a>(format: &str, lookup: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut line = String::with_capacity(format.len() * 2);
    let mut rest = format;
    while let Some(at) = rest.find(VARIABLE) {
        line.push_str(&rest[..at]);
        let after = &rest[at + VARIABLE.len()..];
        let name = &after[..name_length(after)];
        rest = &after[name.len()..];
        match lookup(name) {
            Some(value) => line.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c })),
            None => line.push('-'),
        }
    }
    line.push_str(rest);
    line
}

/// Writes the log line of a request to the stage's log group, in a stream per stage. Does nothing if the stage has no
/// access log settings, or if the destination is not a log group (a delivery stream, for example).
pub fn write<'a>(
    settings: Option<&AccessLogSettings>,
    logs: &dyn PutLogs,
    (api, stage): (&ApiId, &StageName),
    at: EpochMillis,
    lookup: impl Fn(&str) -> Option<Cow<'a, str>>,
) {
    let Some((group, format)) = settings.and_then(|settings| {
        let group = group_of(settings.destination_arn.as_deref()?)?;
        Some((group, settings.format.as_deref()?))
    }) else {
        return;
    };
    logs.put(
        group,
        &format!("{api}-{stage}"),
        at,
        vec![render(format, lookup)],
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<Cow<'static, str>> {
        match name {
            "requestId" => Some("abc=".into()),
            "identity.sourceIp" => Some("127.0.0.1".into()),
            "authorizer.role_name" => Some("a\r\nforged line".into()),
            "status" => Some("101".into()),
            _ => None,
        }
    }

    #[test]
    fn row_l1_variables_are_replaced_in_json_csv_and_clf_formats() {
        assert_eq!(
            render(
                r#"{"id":"$context.requestId","ip":"$context.identity.sourceIp","status":$context.status}"#,
                lookup
            ),
            r#"{"id":"abc=","ip":"127.0.0.1","status":101}"#
        );
        assert_eq!(
            render("$context.requestId,$context.status", lookup),
            "abc=,101"
        );
        assert_eq!(
            render(
                "$context.identity.sourceIp - - [$context.requestId] $context.status.",
                lookup
            ),
            "127.0.0.1 - - [abc=] 101."
        );
    }

    #[test]
    fn row_l1_an_unknown_variable_such_as_the_disconnect_code_renders_a_dash() {
        assert_eq!(
            render("$context.disconnectStatusCode $context.", lookup),
            "- -"
        );
        assert_eq!(
            render("$contextual $stageVariables.a", lookup),
            "$contextual $stageVariables.a"
        );
    }

    #[test]
    fn a_value_cannot_start_a_second_line() {
        assert_eq!(
            render("$context.authorizer.role_name", lookup),
            "a  forged line"
        );
    }

    #[test]
    fn a_log_group_is_parsed_from_its_arn_with_and_without_a_star() {
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/apigateway/chat";
        assert_eq!(group_of(arn), Some("/aws/apigateway/chat"));
        assert_eq!(group_of(&format!("{arn}:*")), Some("/aws/apigateway/chat"));
        assert_eq!(
            group_of("arn:aws:firehose:us-east-1:000000000000:deliverystream/x"),
            None
        );
    }

    proptest! {
        #[test]
        fn row_l1_rendering_never_panics_and_values_are_not_rendered_again(format in ".{0,40}|[$.a-z]{0,40}", value in ".{0,9}") {
            let rendered = render(&format!("{format} $context.x|"), |name| {
                (name == "x").then(|| format!("{value}$context.x").into())
            });
            prop_assert!(rendered.ends_with("$context.x|"));
            prop_assert!(!value.is_empty() || !rendered.contains('\n') || format.contains('\n'));
        }
    }

    type PutCall = (String, String, Vec<String>);

    #[derive(Default)]
    struct RecordedLogs(Mutex<Vec<PutCall>>);

    impl PutLogs for RecordedLogs {
        fn put(&self, group: &str, stream: &str, _: EpochMillis, lines: Vec<String>) {
            let put = (group.to_owned(), stream.to_owned(), lines);
            self.0.lock().unwrap().push(put);
        }
    }

    #[test]
    fn row_l2_a_line_is_written_only_if_the_stage_has_a_log_group() {
        let recorded = RecordedLogs::default();
        let (api, stage) = (ApiId::new("api1"), StageName::new("dev"));
        let settings = AccessLogSettings {
            destination_arn: Some("arn:aws:logs:us-east-1:0:log-group:access:*".to_owned()),
            format: Some("$context.requestId".to_owned()),
        };
        let at = EpochMillis::now();
        write(Some(&settings), &recorded, (&api, &stage), at, lookup);
        write(None, &recorded, (&api, &stage), at, lookup);
        let expected = (
            "access".to_owned(),
            "api1-dev".to_owned(),
            vec!["abc=".to_owned()],
        );
        assert_eq!(*recorded.0.lock().unwrap(), [expected]);
    }
}
