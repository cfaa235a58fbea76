//! No input panics, and the limits hold.

use proptest::prelude::*;
use stackgen_cfn::parse::{MAX_DEPTH, ParseErrorKind};
use stackgen_cfn::{Node, Value};

use crate::{parse, read};

const VALID: &str = "# a comment\nResources:\n  A:\n    Type: &a 'AWS::X::Y' # é\n    B: !Join ['', [\"x\\n\", !Ref C]]\n    \
                     D:\n      - !Sub |\n        two\n        lines ${A.B}\n      - {e: *a, f: [1, 2.5, ~]}\n\n    G: !GetAtt\n      - H\n      - I\n";

const JSON: &str = r#"{"Resources": {"A": {"Fn::Join": ["", [{"Ref": "B"}, "\ud83d\ude00", 1.5e3, null, true]]}}}"#;

fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let token = prop::sample::select(vec![
        "", "\n", "  ", "\t", ":", ": ", "- ", "? ", "!", "!Ref ", "!!int ", "&a ", "*a", "<<: ",
        "[", "]", "{", "}", "'", "\"", "\\", "#", " #", "|", ">", "|+9", "%", "---\n", "...\n",
        "\u{feff}", "\u{0}", "\u{85}", "é", "\r", ",", "\\ud800", "/*", "//",
    ]);
    (
        any::<prop::sample::Index>(),
        0..4usize,
        token.prop_map(str::to_owned),
    )
}

fn apply(text: &str, edits: Vec<(prop::sample::Index, usize, String)>) -> String {
    let mut chars = text.chars().collect::<Vec<_>>();
    for (at, remove, insert) in edits {
        let at = at.index(chars.len() + 1);
        let end = (at + remove).min(chars.len());
        chars.splice(at..end, insert.chars());
    }
    chars.into_iter().collect()
}

/// Checks that every span is within the text and on character boundaries, and that children are within their parents,
/// except aliases.
fn check_spans(text: &str, node: &Node) {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    assert!(text.get(start..end).is_some(), "{text:?} {:?}", node.span);
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check_spans(text, item)),
        Value::Map(map) => map.iter().for_each(|(_, node)| check_spans(text, node)),
        Value::Call(call) => check_spans(text, &call.argument),
        _ => {}
    }
}

fn survive(text: &str) {
    match parse(text) {
        Ok(node) => check_spans(text, &node),
        Err(errors) => {
            assert!(!errors.is_empty(), "{text:?}");
            for error in errors {
                let (start, end) = (error.span.start as usize, error.span.end as usize);
                assert!(text.get(start..end).is_some(), "{text:?} {error:?}");
                assert!(
                    error.span.line > 0 && error.span.column > 0,
                    "{text:?} {error:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_text_parses_or_is_refused(chars in prop::collection::vec(any::<char>(), 0..60)) {
        survive(&String::from_iter(chars));
    }

    #[test]
    fn arbitrary_bytes_parse_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        survive(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_punctuation_parses_or_is_refused(text in "[\\-?:,\\[\\]{}#&*!|>'\"%@` \n\ta<~=\\\\0é]{0,40}") {
        survive(&text);
    }

    #[test]
    fn damaged_yaml_parses_or_is_refused(edits in prop::collection::vec(edit(), 1..5)) {
        survive(&apply(VALID, edits));
    }

    #[test]
    fn damaged_json_parses_or_is_refused(edits in prop::collection::vec(edit(), 1..5)) {
        survive(&apply(JSON, edits));
    }
}

fn only_kind(text: &str) -> ParseErrorKind {
    let mut errors = parse(text).expect_err("the document is over a bound");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0).kind
}

#[test]
fn the_texts_to_damage_are_valid() {
    survive(VALID);
    survive(JSON);
    read(VALID);
    read(JSON);
}

#[test]
fn the_maximum_depth_parses_and_one_more_level_does_not() {
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + "x" + &close.repeat(depth);
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
        read(&nested(open, close, MAX_DEPTH));
        assert_eq!(
            only_kind(&nested(open, close, MAX_DEPTH + 1)),
            ParseErrorKind::TooDeep
        );
    }
    let json = |depth| nested("{\"a\":", "}", depth).replace('x', "1");
    read(&json(MAX_DEPTH));
    assert_eq!(only_kind(&json(MAX_DEPTH + 1)), ParseErrorKind::TooDeep);
    // A short tag counts as one level, like its long form.
    read(&nested("!Not [", "]", MAX_DEPTH / 2));
    assert_eq!(
        only_kind(&nested("!Not [", "]", MAX_DEPTH / 2 + 1)),
        ParseErrorKind::TooDeep
    );
}

#[test]
fn a_hundred_thousand_brackets_are_too_deep() {
    for open in ["[", "{\"a\":", "- ", "a: [", "{a: ", "[[[{a: "] {
        assert_eq!(
            only_kind(&open.repeat(100_000)),
            ParseErrorKind::TooDeep,
            "{open}"
        );
    }
}

#[test]
fn aliases_count_with_the_depth_of_their_anchors() {
    let mut text = String::from("- &a0 [x]\n");
    for level in 1..=MAX_DEPTH {
        text += &format!("- &a{level} [*a{}]\n", level - 1);
    }
    assert_eq!(only_kind(&text), ParseErrorKind::TooDeep);
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = String::from("a0: &a0 lol\n");
    for level in 1..10 {
        let previous = format!("*a{}", level - 1);
        text += &format!(
            "a{level}: &a{level} [{}]\n",
            [previous.as_str(); 10].join(", ")
        );
    }
    assert_eq!(only_kind(&text), ParseErrorKind::AliasExpansion);
}

#[test]
fn many_aliases_of_a_long_text_are_refused() {
    let text = format!("- &a {}\n{}", "x".repeat(1_000_000), "- *a\n".repeat(10));
    assert_eq!(only_kind(&text), ParseErrorKind::AliasExpansion);
    let keys = format!(
        "- &a {{{}: 1}}\n{}",
        "x".repeat(1000),
        "- *a\n".repeat(10_000)
    );
    assert_eq!(only_kind(&keys), ParseErrorKind::AliasExpansion);
}

#[test]
fn nested_anchors_that_expand_too_far_are_refused() {
    let nested = (0..40)
        .map(|level| format!("&a{level} ["))
        .collect::<String>();
    let text = format!("{nested}{}{}", "x,".repeat(50_000), "]".repeat(40));
    assert_eq!(only_kind(&text), ParseErrorKind::AliasExpansion);
}
