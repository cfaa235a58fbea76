//! Suppressions in comments and in `Metadata`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use stackgen_cfn::{Node, Sources};
use stackgen_lint::{LintInput, LintReport, Severity, lint};

/// Returns a template with an open `$connect` beside an authorizer: SG102 at `AuthorizationType` of the route.
fn template() -> String {
    let text = include_str!("../fixtures/correct/small.yaml");
    let custom = "      AuthorizationType: CUSTOM\n      AuthorizerId: !Ref Authorizer\n";
    assert!(text.contains(custom));
    text.replace(custom, "      AuthorizationType: NONE\n")
}

/// Returns the template with a line replaced.
fn with(line: &str, instead: &str) -> String {
    let text = template();
    assert!(text.contains(line), "{line}");
    text.replacen(line, instead, 1)
}

fn linted(text: &str) -> LintReport {
    let mut sources = Sources::new();
    let source = sources.add("t", text);
    let template =
        stackgen_cfn::parse(source).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    lint(&LintInput {
        template: &template,
        source: Some(source),
        previous: None,
    })
}

/// Returns the rule IDs of errors and warnings.
fn found(report: &LintReport) -> Vec<&str> {
    let loud = report
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note);
    loud.map(|finding| finding.rule.id).collect()
}

/// Returns the rule IDs and reasons of suppressed findings.
fn suppressed(report: &LintReport) -> Vec<(&str, &str)> {
    let all = report.suppressed.iter();
    all.map(|one| (one.finding.rule.id, one.reason.as_str()))
        .collect()
}

/// Checks that nothing is reported, and that the open `$connect` is suppressed for a reason.
fn assert_suppressed(text: &str, reason: &str) {
    let report = linted(text);
    assert_eq!(
        (found(&report), suppressed(&report)),
        (vec![], vec![("SG102", reason)]),
        "{text}"
    );
}

/// Checks that the finding is reported together with one about the suppression.
fn assert_reported(text: &str, and: &str) {
    let report = linted(text);
    assert!(suppressed(&report).is_empty(), "{text}");
    let mut found = found(&report);
    found.sort_unstable();
    let expected: Vec<_> = [and, "SG102"]
        .into_iter()
        .filter(|id| !id.is_empty())
        .collect();
    assert_eq!(found, expected, "{text}");
}

const TYPE: &str = "      AuthorizationType: NONE\n";

#[test]
fn without_a_suppression_the_finding_is_reported() {
    assert_reported(&template(), "");
}

#[test]
fn a_comment_at_the_end_of_a_line_covers_the_line() {
    for (comment, reason) in [
        (
            "# stackgen: ignore[SG102] open: on purpose",
            "open: on purpose",
        ),
        ("#stackgen:ignore [ sg102 ]: open", "open"),
        (
            "#  stackgen:  ignore[connect-open-beside-authorizer] — öpen ",
            "öpen",
        ),
    ] {
        assert_suppressed(
            &with(TYPE, &format!("      AuthorizationType: NONE {comment}\n")),
            reason,
        );
        assert_suppressed(
            &with(
                TYPE,
                &format!("      AuthorizationType: 'NONE'\t{comment}\n"),
            ),
            reason,
        );
    }
    // A comment on another line does not count.
    assert_reported(
        &with(
            "      RouteKey: $connect\n",
            "      RouteKey: $connect # stackgen: ignore[SG102] r\n",
        ),
        "SG003",
    );
}

#[test]
fn a_comment_on_its_own_line_covers_the_entry_below() {
    let comment = "# stackgen: ignore[SG102] open";
    assert_suppressed(&with(TYPE, &format!("{comment}\n{TYPE}")), "open");
    assert_suppressed(
        &with(
            "  ConnectRoute:\n",
            &format!("  {comment}\n  # and more\n\n  ConnectRoute: # it\n"),
        ),
        "open",
    );
    assert_suppressed(
        &with("Resources:\n", &format!("{comment}\nResources:\n")),
        "open",
    );
    assert_suppressed(
        &template().replace('\n', "\r\n").replace(
            "  ConnectRoute:\r\n",
            &format!("  {comment}\r\n  ConnectRoute:\r\n"),
        ),
        "open",
    );
    assert_suppressed(
        &format!(
            "\u{feff}{comment}\n{}",
            template()
                .replace("Parameters:\n  RoleArn: {Type: String}\n", "")
                .replace("!Ref RoleArn", "arn:aws:iam::123456789012:role/r")
                .replace("# A small", "# a small")
        ),
        "open",
    );
    assert_reported(
        &with(
            "  DefaultRoute:\n",
            &format!("  {comment}\n  DefaultRoute:\n"),
        ),
        "SG003",
    );
    assert_reported(&format!("{}{comment}\n", template()), "SG003");
}

#[test]
fn ignore_file_covers_the_template() {
    let text = template();
    assert_suppressed(
        &format!("# stackgen: ignore-file[SG102] open\n---\n{text}"),
        "open",
    );
    assert_reported(
        &with(
            "  ConnectRoute:\n",
            "  # stackgen: ignore-file[SG102] open\n  ConnectRoute:\n",
        ),
        "SG005",
    );
    assert_reported(
        &with(
            TYPE,
            "      AuthorizationType: NONE # stackgen: ignore-file[SG102] open\n",
        ),
        "SG005",
    );
}

#[test]
fn metadata_covers_its_resource() {
    let ignore = "Metadata: {Stackgen: {Ignore: [{Rule: SG102, Reason: open}]}}\n";
    assert_suppressed(
        &with(
            "  ConnectRoute:\n",
            &format!("  ConnectRoute:\n    {ignore}"),
        ),
        "open",
    );
    assert_suppressed(&format!("{ignore}{}", template()), "open");
    assert_reported(
        &with(
            "  DefaultRoute:\n",
            &format!("  DefaultRoute:\n    {ignore}"),
        ),
        "SG003",
    );
    for wrong in [
        "Ignore: SG102",
        "Ignore: [SG102]",
        "Ignore: [{Reason: r}]",
        "Ignore: [{Rule: '', Reason: r}]",
    ] {
        assert_reported(
            &format!("Metadata: {{Stackgen: {{{wrong}}}}}\n{}", template()),
            "SG005",
        );
    }
}

#[test]
fn metadata_works_in_json_and_without_a_file() {
    let ignore = "Metadata: {Stackgen: {Ignore: [{Rule: SG102, Reason: open}]}}\n";
    let of_resource = with(
        "  ConnectRoute:\n",
        &format!("  ConnectRoute:\n    {ignore}"),
    );
    for text in [of_resource, format!("{ignore}{}", template())] {
        let mut sources = Sources::new();
        let node = stackgen_cfn::parse(sources.add("t", text)).unwrap();
        assert_suppressed(&stackgen_cfn::emit::json(&node), "open");
        let built: Node = stackgen_cfn::json::from_json(&stackgen_cfn::json::to_json(&node));
        let report = lint(&LintInput {
            template: &built,
            source: None,
            previous: None,
        });
        assert_eq!(
            (found(&report), suppressed(&report)),
            (vec![], vec![("SG102", "open")])
        );
    }
}

#[test]
fn text_in_scalars_is_not_a_comment() {
    let mark = "# stackgen: ignore[SG102] no comment";
    for description in [
        format!("'a {mark}'"),
        format!("\"a\n  {mark}\"").replace('\n', " \n "),
        format!("|\n  a\n  {mark}"),
        format!("!Sub |-\n  {mark}"),
        "a#stackgen:ignore[SG102]".to_owned(),
        format!("{{\"k {mark}\": 1}}"),
    ] {
        assert_reported(&format!("Description: {description}\n{}", template()), "");
    }
    // The second `#` of a line does not begin a comment.
    assert_reported(
        &with(
            TYPE,
            &format!("      AuthorizationType: NONE # see {mark}\n"),
        ),
        "",
    );
    // A comment after the indicator of a block scalar covers its line.
    for block in ["|", "!Sub |-"] {
        assert_reported(
            &format!("Description: {block} {mark}\n  a\n{}", template()),
            "SG003",
        );
    }
}

#[test]
fn suppressions_can_name_several_rules_and_be_nested() {
    let two = "      AuthorizationType: NONE # stackgen: ignore[SG302, SG102] open\n";
    let report = linted(&with(TYPE, two));
    assert_eq!(
        (found(&report), suppressed(&report)),
        (vec!["SG003"], vec![("SG102", "open")])
    );
    // The inner one counts, and the outer one covers nothing else.
    let inner = "      AuthorizationType: NONE # stackgen: ignore[SG102] inner\n";
    let text = format!(
        "# stackgen: ignore-file[SG102] outer\n{}",
        with(TYPE, inner)
    );
    let report = linted(&text);
    assert_eq!(
        (found(&report), suppressed(&report)),
        (vec!["SG003"], vec![("SG102", "inner")])
    );
}

#[test]
fn metadata_covers_what_sam_generates() {
    let text = "\
Transform: AWS::Serverless-2016-10-31
Resources:
  # stackgen: ignore[SG201] nobody connects here
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes:
        $default: {FunctionArn: !GetAtt Function.Arn}
        Join: {FunctionArn: !GetAtt Function.Arn, IntegrationTimeout: 60000}
  Function:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: s3://code/chat.zip, Timeout: 20}
";
    let whole = linted(&text.replace("SG201", "SG999"));
    let id = found(&whole)
        .into_iter()
        .find(|id| id.starts_with("SG3"))
        .unwrap();
    let report = linted(&text.replace("SG201", id));
    assert!(
        suppressed(&report).contains(&(id, "nobody connects here")),
        "{report:?}"
    );
    assert!(!found(&report).contains(&"SG003"), "{report:?}");
}

#[test]
fn suppressions_of_comparing_rules_are_checked_only_with_a_revision() {
    let text = with(
        TYPE,
        "      AuthorizationType: NONE # stackgen: ignore[SG102] open\n",
    );
    let text = format!("# stackgen: ignore-file[identity-source-removed] it was meant so\n{text}");
    assert_suppressed(&text, "open");
    let mut sources = Sources::new();
    let source = sources.add("t", text);
    let template = stackgen_cfn::parse(source).unwrap();
    let report = lint(&LintInput {
        template: &template,
        source: Some(source),
        previous: Some(&template),
    });
    assert!(found(&report).contains(&"SG003"), "{report:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn comments_anywhere_cause_no_panic_and_hide_nothing_else(
        pieces in proptest::collection::vec(prop::sample::select(vec![
            "# stackgen: ignore[SG102] r", "# stackgen: ignore-file[SG102]", "#stackgen:ignore[,]", "# stackgen: é", "\n", " ", "'", "\"",
            "# stackgen: ignore[", "a: ", "- ", "{", "}", "|\n", "\u{feff}", "\r\n",
        ]), 0..12),
        at in any::<prop::sample::Index>(),
    ) {
        let text = template();
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let (before, after) = lines.split_at(at.index(lines.len() + 1));
        let text = [before.concat(), pieces.concat(), after.concat()].concat();
        let mut sources = Sources::new();
        let source = sources.add("t", text.as_str());
        if let Ok(template) = stackgen_cfn::parse(source) {
            let with = lint(&LintInput { template: &template, source: Some(source), previous: None });
            let without = lint(&LintInput { template: &template, source: None, previous: None });
            prop_assert!(with.suppressed.iter().all(|one| one.finding.rule.id == "SG102"));
            let of_wiring = with.findings.iter().filter(|finding| finding.rule.is_suppressible());
            prop_assert_eq!(of_wiring.count() + with.suppressed.len(), without.findings.len());
        }
    }
}
