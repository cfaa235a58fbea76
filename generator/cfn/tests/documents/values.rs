//! Values of documents.

use stackgen_cfn::json::to_json;
use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Value, get_att, list, map, r#ref, sub};

use crate::read;

fn value(yaml: &str) -> Node {
    read(&format!("v: {yaml}\n"))
        .get("v")
        .cloned()
        .expect("the key is there")
}

#[test]
fn only_plain_scalars_are_typed() {
    for (text, node) in [
        ("on", Node::from(true)),
        ("012", 10i64.into()),
        ("1.5", Node::new(Value::Float(1.5))),
        ("~", Node::default()),
        ("", Node::default()),
        ("2010-09-09", "2010-09-09".into()),
        ("99999999999999999999", "99999999999999999999".into()),
        (".inf", ".inf".into()),
        ("'on'", "on".into()),
        ("\"012\"", "012".into()),
        ("|\n  12\n", "12\n".into()),
        (">-\n  null\n", "null".into()),
        ("! 12", "12".into()),
    ] {
        assert_eq!(value(text), node, "{text}");
    }
}

#[test]
fn core_tags_determine_the_type() {
    for (text, node) in [
        ("!!str 12", Node::from("12")),
        ("!!str", "".into()),
        ("!!int '12'", 12i64.into()),
        ("!!float 3", Node::new(Value::Float(3.0))),
        ("!!bool 'no'", false.into()),
        ("!!null ''", Node::default()),
        ("!!map {a: b}", map([("a", "b".into())])),
        ("!!seq [a]", list(["a"])),
        ("!<tag:yaml.org,2002:str> on", "on".into()),
    ] {
        assert_eq!(value(text), node, "{text}");
    }
}

#[test]
fn keys_are_strings() {
    let node =
        read("on: 1\n12: 2\n'null': 3\n1.0: 4\n!!str 5: 6\n&a k: 7\n? long\n: *a\n\"<<\": 8\n");
    let map = node.as_map().expect("a mapping");
    assert_eq!(
        map.keys().collect::<Vec<_>>(),
        ["on", "12", "null", "1.0", "5", "k", "long", "<<"]
    );
    assert_eq!(map.get("long"), Some(&"k".into()));
}

#[test]
fn short_and_long_forms_are_equal() {
    for (short, long, json, node) in [
        ("!Ref A", "{Ref: A}", r#"{"Ref": "A"}"#, r#ref("A")),
        (
            "!Sub 'a ${B}'",
            "{Fn::Sub: 'a ${B}'}",
            r#"{"Fn::Sub": "a ${B}"}"#,
            sub("a ${B}"),
        ),
        (
            "!GetAtt A.B.C",
            "{Fn::GetAtt: A.B.C}",
            r#"{"Fn::GetAtt": ["A", "B.C"]}"#,
            get_att("A", "B.C"),
        ),
        (
            "!GetAtt [A, B]",
            "{Fn::GetAtt: [A, B]}",
            r#"{"Fn::GetAtt": "A.B"}"#,
            get_att("A", "B"),
        ),
        (
            "!Condition C",
            "{Condition: C}",
            r#"{"Condition": "C"}"#,
            IntrinsicCall::new(Intrinsic::Condition, "C").into(),
        ),
    ] {
        assert_eq!(value(short), node, "{short}");
        assert_eq!(value(long), node, "{long}");
        assert_eq!(read(json), node, "{json}");
    }
}

#[test]
fn every_function_has_a_tag_and_a_long_name() {
    for &function in Intrinsic::ALL {
        let call = Node::from(IntrinsicCall::new(function, "x"));
        assert_eq!(value(&format!("{function} x")), call);
        assert_eq!(value(&format!("{{{}: x}}", function.long_name())), call);
    }
}

#[test]
fn scalars_with_a_functions_tag_are_strings() {
    assert_eq!(value("!Ref 12"), r#ref("12"));
    assert_eq!(
        value("!GetAZs"),
        IntrinsicCall::new(Intrinsic::GetAZs, "").into()
    );
    assert_eq!(
        value("!Base64 on"),
        IntrinsicCall::new(Intrinsic::Base64, "on").into()
    );
}

#[test]
fn calls_nest_in_every_form() {
    let node = Node::from(IntrinsicCall::new(Intrinsic::Base64, sub("x")));
    for text in [
        "!Base64 {Fn::Sub: x}",
        "{Fn::Base64: !Sub x}",
        "\n  Fn::Base64:\n    Fn::Sub: x",
        "!Base64\n  Fn::Sub: x",
    ] {
        assert_eq!(value(text), node, "{text}");
    }
    let on_map = IntrinsicCall::new(Intrinsic::Sub, map([("a", "b".into())]));
    assert_eq!(value("!Sub {a: b}"), on_map.into());
}

#[test]
fn a_mapping_that_resembles_a_call_stays_a_mapping() {
    for text in [
        "{Condition: {StringEquals: {a: b}}}",
        "{Ref: [a]}",
        "{Ref: 1}",
        "{Ref: a, b: c}",
        "{'Fn::ForEach::X': [a]}",
        "{Fn::Nope: a}",
        "{Sub: a}",
    ] {
        assert!(value(text).as_map().is_some(), "{text}");
    }
}

#[test]
fn aliases_repeat_their_anchor() {
    let node = read("a: &a !Ref X\nb: [*a, &c {d: *a}]\ne: *c\n");
    assert_eq!(node.get("e"), Some(&map([("d", r#ref("X"))])));
    assert_eq!(
        node.get("b").and_then(Node::as_list).map(|b| b[0].clone()),
        Some(r#ref("X"))
    );
}

#[test]
fn json_values() {
    let node = read(
        "\u{feff} {\"a\": \"\\ud83d\\ude00\",\t\"b\": 1e3, \"c\": -0, \"d\": 18446744073709551616, \"e\": 1e999, \"f\": \"on\"}",
    );
    assert_eq!(
        to_json(&node).to_string(),
        r#"{"a":"😀","b":1000.0,"c":0,"d":"18446744073709551616","e":"1e999","f":"on"}"#
    );
}

#[test]
fn flow_yaml_that_is_not_json_is_parsed() {
    assert_eq!(
        read("{a: 'b', c: [on,],}"),
        map([("a", "b".into()), ("c", list([true]))])
    );
    assert_eq!(read("{\"a\": \"b\n  c\"}"), map([("a", "b c".into())]));
}

#[test]
fn directives_and_document_marks_are_allowed() {
    assert_eq!(
        read("%YAML 1.1\n---\na: b\n...\n"),
        map([("a", "b".into())])
    );
    assert_eq!(read("%TAG !f! !\n---\n!f!Ref a\n"), r#ref("a"));
}

#[test]
fn indentation_means_nothing_in_brackets() {
    for (text, same) in [
        ("m:\n  k: [\n    'a'\n  ]\n  l: 1\n", "m: {k: [a], l: 1}\n"),
        (
            "m:\n  k: {\n    'a': 'b'\n  }\n  l: 1\n",
            "m: {k: {a: b}, l: 1}\n",
        ),
        (
            "m:\n  k: [\n  a,\n  b\n  ]\n  l: 1\n",
            "m: {k: [a, b], l: 1}\n",
        ),
        (
            "m:\n  k: [\n  'a # b', # c ]\n# d\n\n]\n  l: 1\n",
            "m: {k: ['a # b'], l: 1}\n",
        ),
        (
            "m:\n  k: [\"\\\" # b\", 'it''s # c'\n]\n",
            "m: {k: ['\" # b', 'it''s # c']}\n",
        ),
        (
            "m:\r\n  k: [\r\n    'a'\r\n  ]\r\n  l: 1\r\n",
            "m: {k: [a], l: 1}\n",
        ),
        (
            "m:\n  k: !Join [\n    '', [\n    !Ref é,\n    'b'\n  ]]\n  l: |\n    ]\n",
            "m: {k: !Join ['', [!Ref é, b]], l: \"]\\n\"}\n",
        ),
    ] {
        assert_eq!(read(text), read(same), "{text}");
    }
}
