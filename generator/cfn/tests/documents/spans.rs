//! Spans of nodes.

use insta::assert_snapshot;
use stackgen_cfn::{Node, Span, Value};

use crate::read;

/// Returns one line per node: its location and the text in its span.
fn spans(text: &str) -> String {
    fn excerpt(text: &str, span: Span) -> String {
        let covered = &text[span.start as usize..span.end as usize];
        format!("{}:{} {covered:?}", span.line, span.column)
    }
    fn walk(text: &str, node: &Node, indent: usize, out: &mut String) {
        let kind = format!("{:?}", node.value);
        let kind = kind.split(['(', ' ']).next().unwrap_or_default();
        out.push_str(&format!(
            "{:indent$}{kind} {}\n",
            "",
            excerpt(text, node.span)
        ));
        match &node.value {
            Value::List(items) => items
                .iter()
                .for_each(|item| walk(text, item, indent + 2, out)),
            Value::Map(map) => map.entries().for_each(|(key, entry)| {
                out.push_str(&format!(
                    "{:indent$}  {key}: {}\n",
                    "",
                    excerpt(text, entry.key_span)
                ));
                walk(text, &entry.node, indent + 4, out);
            }),
            Value::Call(call) => walk(text, &call.argument, indent + 2, out),
            _ => {}
        }
    }
    let mut out = String::new();
    walk(text, &read(text), 0, &mut out);
    out
}

#[test]
fn block_yaml() {
    assert_snapshot!(spans("a: 'it''s'  # comment\né:\n  - b\n  - \"c\\\" d\"  # x\n\nf: plain text # y\ng:\nh: {}\n"), @r#"
    Map 1:1 "a: 'it''s'  # comment\né:\n  - b\n  - \"c\\\" d\"  # x\n\nf: plain text # y\ng:\nh: {}"
      a: 1:1 "a"
        String 1:4 "'it''s'"
      é: 2:1 "é"
        List 3:3 "- b\n  - \"c\\\" d\""
          String 3:5 "b"
          String 4:5 "\"c\\\" d\""
      f: 6:1 "f"
        String 6:4 "plain text"
      g: 7:1 "g"
        Null 7:2 ""
      h: 8:1 "h"
        Map 8:4 "{}"
    "#);
}

#[test]
fn flow_yaml() {
    assert_snapshot!(spans("a: [b, {c: 'd' }, e: f ] # x\n"), @r#"
    Map 1:1 "a: [b, {c: 'd' }, e: f ]"
      a: 1:1 "a"
        List 1:4 "[b, {c: 'd' }, e: f ]"
          String 1:5 "b"
          Map 1:8 "{c: 'd' }"
            c: 1:9 "c"
              String 1:12 "'d'"
          Map 1:19 "e: f"
            e: 1:19 "e"
              String 1:22 "f"
    "#);
}

#[test]
fn brackets_after_a_trailing_comma() {
    assert_snapshot!(spans("{a: {b: c,}, # ]\n d: [e,\n ], # }\n}\n"), @r#"
    Map 1:1 "{a: {b: c,}, # ]\n d: [e,\n ], # }\n}"
      a: 1:2 "a"
        Map 1:5 "{b: c,}"
          b: 1:6 "b"
            String 1:9 "c"
      d: 2:2 "d"
        List 2:5 "[e,\n ]"
          String 2:6 "e"
    "#);
}

#[test]
fn tags_and_anchors() {
    assert_snapshot!(spans("a: &x !Ref  b\nc: !GetAtt D.E\nf: !Join # why\n  - ''\n  - [*x]\ng: !GetAZs\nFn::Sub: x\n"), @r#"
    Map 1:1 "a: &x !Ref  b\nc: !GetAtt D.E\nf: !Join # why\n  - ''\n  - [*x]\ng: !GetAZs\nFn::Sub: x"
      a: 1:1 "a"
        Call 1:4 "&x !Ref  b"
          String 1:13 "b"
      c: 2:1 "c"
        Call 2:4 "!GetAtt D.E"
          List 2:12 "D.E"
            String 2:12 "D.E"
            String 2:12 "D.E"
      f: 3:1 "f"
        Call 3:4 "!Join # why\n  - ''\n  - [*x]"
          List 4:3 "- ''\n  - [*x]"
            String 4:5 "''"
            List 5:5 "[*x]"
              Call 5:6 "*x"
                String 1:13 "b"
      g: 6:1 "g"
        Call 6:4 "!GetAZs"
          String 6:11 ""
      Fn::Sub: 7:1 "Fn::Sub"
        String 7:10 "x"
    "#);
}

#[test]
fn text_blocks() {
    assert_snapshot!(spans("a: |\n  x\n  y\n\nb: !Sub |-\n  é ${z}\nc: >\n  d\n"), @r#"
    Map 1:1 "a: |\n  x\n  y\n\nb: !Sub |-\n  é ${z}\nc: >\n  d"
      a: 1:1 "a"
        String 2:3 "x\n  y"
      b: 5:1 "b"
        Call 5:4 "!Sub |-\n  é ${z}"
          String 5:9 "|-\n  é ${z}"
      c: 7:1 "c"
        String 8:3 "d"
    "#);
}

#[test]
fn long_forms() {
    assert_snapshot!(spans("a:\n  Fn::GetAtt: B.C\nd: {Ref: e}\n"), @r#"
    Map 1:1 "a:\n  Fn::GetAtt: B.C\nd: {Ref: e}"
      a: 1:1 "a"
        Call 2:3 "Fn::GetAtt: B.C"
          List 2:15 "B.C"
            String 2:15 "B.C"
            String 2:15 "B.C"
      d: 3:1 "d"
        Call 3:4 "{Ref: e}"
          String 3:10 "e"
    "#);
}

#[test]
fn json() {
    assert_snapshot!(spans("{\"é\": [1, {\"Fn::GetAtt\": \"B.C\"}],\n \"x\": null}"), @r#"
    Map 1:1 "{\"é\": [1, {\"Fn::GetAtt\": \"B.C\"}],\n \"x\": null}"
      é: 1:2 "\"é\""
        List 1:7 "[1, {\"Fn::GetAtt\": \"B.C\"}]"
          Int 1:8 "1"
          Call 1:11 "{\"Fn::GetAtt\": \"B.C\"}"
            List 1:26 "\"B.C\""
              String 1:26 "\"B.C\""
              String 1:26 "\"B.C\""
      x: 2:2 "\"x\""
        Null 2:7 "null"
    "#);
}

#[test]
fn a_byte_order_mark_counts_in_bytes_and_not_in_columns() {
    assert_snapshot!(spans("\u{feff}a: b\n"), @r#"
    Map 1:1 "a: b"
      a: 1:1 "a"
        String 1:4 "b"
    "#);
    assert_snapshot!(spans("\u{feff}{\"a\": 1}"), @r#"
    Map 1:1 "{\"a\": 1}"
      a: 1:2 "\"a\""
        Int 1:7 "1"
    "#);
}

#[test]
fn lines_can_end_in_carriage_returns() {
    assert_snapshot!(spans("a: b\r\nc: |\r\n  d\r\n  e\r\n"), @r#"
    Map 1:1 "a: b\r\nc: |\r\n  d\r\n  e"
      a: 1:1 "a"
        String 1:4 "b"
      c: 2:1 "c"
        String 3:3 "d\r\n  e"
    "#);
}

#[test]
fn brackets_that_close_below_their_key() {
    assert_snapshot!(spans("é:\n  k: [\n    'a', # é\n  ]\n  l: 1\n"), @r#"
    Map 1:1 "é:\n  k: [\n    'a', # é\n  ]\n  l: 1"
      é: 1:1 "é"
        Map 2:3 "k: [\n    'a', # é\n  ]\n  l: 1"
          k: 2:3 "k"
            List 2:6 "[\n    'a', # é\n  ]"
              String 3:5 "'a'"
          l: 5:3 "l"
            Int 5:6 "1"
    "#);
}
