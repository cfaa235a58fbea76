//! Correct templates with several mistakes at once, fixed by `--fix`.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use similar::TextDiff;
use stackgen_cfn::Sources;
use stackgen_lint::{Finding, Fixed, fix_all};

fn fixed(text: &str, filter: &dyn Fn(&Finding) -> bool) -> Fixed {
    let mut sources = Sources::new();
    fix_all(sources.add("template", text), None, filter)
}

/// Returns a file of the repository with each text replaced by another.
fn broken(path: &str, with: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    let mut text = fs::read_to_string(path).unwrap();
    for (right, wrong) in with {
        assert!(text.contains(right), "{right}");
        text = text.replace(right, wrong);
    }
    text
}

/// Returns the changes of all fixes as a diff, and the rules that made them.
fn fix_diff(text: &str) -> String {
    let done = fixed(text, &|_| true);
    assert!(done.left.is_empty(), "{:?}", done.left);
    let again = fixed(&done.text, &|_| true);
    assert_eq!(
        (again.text.as_str(), again.fixed.len()),
        (done.text.as_str(), 0)
    );
    let rules: Vec<_> = done.fixed.iter().map(|finding| finding.rule.id).collect();
    let diff = TextDiff::from_lines(text, &done.text);
    format!(
        "{}\n{}",
        rules.join(" "),
        diff.unified_diff().context_radius(1)
    )
}

#[test]
fn the_flagship() {
    assert_snapshot!(fix_diff(&broken(
        "out/dev/template.yaml",
        &[
            (
                "      IdentitySource: []\n",
                "      IdentitySource: [$request.querystring.token] # browsers\n      AuthorizerResultTtlInSeconds: 300 # cached?\n"
            ),
            (
                "      TimeoutInMillis: 29000\n",
                "      TimeoutInMillis: 60000 # a minute\n"
            ),
            ("'https://${WebSocketApi}", "'wss://${WebSocketApi}"),
        ]
    )));
}

#[test]
fn the_flagship_with_windows_line_ends() {
    let text = broken(
        "out/dev/template.yaml",
        &[(
            "      TimeoutInMillis: 29000\n",
            "      TimeoutInMillis: 60000\n",
        )],
    );
    let done = fixed(&text.replace('\n', "\r\n"), &|_| true);
    assert_eq!(done.fixed.len(), 3);
    assert_eq!(
        done.text,
        fixed(&text, &|_| true).text.replace('\n', "\r\n")
    );
}

#[test]
fn the_flagship_in_sam() {
    assert_snapshot!(fix_diff(&broken(
        "out/dev/sam.yaml",
        &[
            (
                "      IdentitySource: []\n",
                "      IdentitySource:\n        - $request.querystring.token\n      AuthorizerPayloadFormatVersion: '2.0'\n"
            ),
            (
                "      TimeoutInMillis: 29000\n",
                "      TimeoutInMillis: 10\n"
            ),
        ]
    )));
}

#[test]
fn the_flagship_synthesized_by_cdk() {
    assert_snapshot!(fix_diff(&broken(
        "generator/model/tests/fixtures/cdk/dev.template.json",
        &[
            (
                "    \"IdentitySource\": [],\n",
                "    \"IdentitySource\": [\"method.request.header.Auth\"],\n    \"EnableSimpleResponses\": true,\n"
            ),
            (
                "    \"TimeoutInMillis\": 29000\n",
                "    \"TimeoutInMillis\": 30000\n"
            ),
        ]
    )));
}

#[test]
fn filtered_and_suppressed_findings_are_not_fixed() {
    let text = broken(
        "out/dev/template.yaml",
        &[(
            "      TimeoutInMillis: 29000\n",
            "      TimeoutInMillis: 60000\n",
        )],
    );
    let done = fixed(&text, &|finding| finding.rule.id == "SG113");
    assert_eq!(
        (done.text.as_str(), done.fixed.len(), done.left.len()),
        (text.as_str(), 0, 0)
    );
    let meant = text.replacen(
        "60000\n",
        "60000 # stackgen: ignore[integration-timeout-out-of-range] as it was\n",
        1,
    );
    let done = fixed(&meant, &|_| true);
    assert_eq!(
        (done.fixed.len(), done.text.matches("60000").count()),
        (2, 1)
    );
}

#[test]
fn a_fix_that_cannot_be_applied_is_skipped() {
    let text = broken(
        "out/dev/template.yaml",
        &[(
            "      TimeoutInMillis: 29000\n",
            "      TimeoutInMillis: *long\n",
        )],
    )
    .replacen("*long", "&long 60000", 1);
    let done = fixed(&text, &|_| true);
    assert_eq!(
        stackgen_cfn::parse(Sources::new().add("t", done.text.as_str())).map(|_| ()),
        Ok(())
    );
    assert!(done.left.is_empty(), "each alias is a value of its own");
    assert_eq!(done.text.matches("29000").count(), 3);
}

#[test]
fn a_text_that_cannot_be_parsed_is_unchanged() {
    let done = fixed("a: [", &|_| true);
    assert_eq!((done.text.as_str(), done.fixed.len()), ("a: [", 0));
}
