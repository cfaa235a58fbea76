//! Every kind of edit in every style, before and after.

use insta::assert_snapshot;
use similar::TextDiff;
use stackgen_cfn::{Node, Span, list, map, r#ref, sub};
use stackgen_lint::{AppliedFixes, Edit};

use crate::{fixed, parse};

/// Returns the node at a path of keys and indexes, separated by dots.
fn at<'n>(root: &'n Node, path: &str) -> &'n Node {
    path.split('.')
        .fold(root, |node, part| match node.as_list() {
            Some(items) => &items[part.parse::<usize>().unwrap()],
            None => node.get(part).unwrap_or_else(|| panic!("{part} of {path}")),
        })
}

fn key(root: &Node, path: &str) -> Span {
    let (owner, key) = path
        .rsplit_once('.')
        .map_or((root, path), |(owner, key)| (at(root, owner), key));
    owner.as_map().unwrap().entry(key).unwrap().key_span
}

fn replace(root: &Node, path: &str, with: impl Into<Node>) -> Edit {
    Edit::Replace {
        value: at(root, path).span,
        with: with.into(),
    }
}

fn remove(root: &Node, path: &str) -> Edit {
    Edit::Remove {
        key: key(root, path),
    }
}

fn insert(root: &Node, beside: &str, name: &str, value: impl Into<Node>) -> Edit {
    Edit::Insert {
        beside: key(root, beside),
        key: name.to_owned(),
        value: value.into(),
    }
}

fn append(root: &Node, beside: &str, value: impl Into<Node>) -> Edit {
    Edit::Append {
        beside: at(root, beside).span,
        value: value.into(),
    }
}

/// Returns the edits as a diff, with visible line ends if they are not `\n`.
fn difference(before: &str, done: &AppliedFixes) -> String {
    let (before, after) = (before.replace('\r', "␍"), done.text.replace('\r', "␍"));
    let diff = TextDiff::from_lines(&before, &after);
    let mut text = diff.unified_diff().context_radius(1).to_string();
    if !done.left.is_empty() {
        text.push_str(&format!("left: {:?}\n", done.left));
    }
    text
}

/// Applies each path's edit as a separate fix, all at once.
fn one_each(text: &str, edits: impl Fn(&Node) -> Vec<Edit>) -> String {
    let done = fixed(text, |root| {
        edits(root).into_iter().map(|edit| vec![edit]).collect()
    });
    difference(text, &done)
}

/// Applies all edits as one fix.
fn together(text: &str, edits: impl Fn(&Node) -> Vec<Edit>) -> String {
    difference(text, &fixed(text, |root| vec![edits(root)]))
}

const BLOCK: &str = "\
# about the whole
Resources:
  Api:   # the api
    Type: 'AWS::ApiGatewayV2::Api'
    Properties:
      Name:    \"chät\"   # a name
      Timeout: 60000 # too long
      Sources:
        # first of all
        - a # one
        - 'b' # two
      Empty: # nothing yet
      Text: |- # several lines
        one # no comment
        two
      Sub: !Sub |
        arn:${X}
      Nested: # nests
        Only: 1 # lonely
      # the last
      Last: {a: 1, b: [x, y]} # flow

  Other: # the other
    - Key: k # of the key
      # about the value
      Value: v
    -   Key: l
";

#[test]
fn scalars_are_replaced_in_block_style() {
    assert_snapshot!(one_each(BLOCK, |root| {
        let path = |name: &str| format!("Resources.Api.Properties.{name}");
        vec![
            replace(root, "Resources.Api.Type", "it's"),
            replace(root, &path("Name"), "tést"),
            replace(root, &path("Timeout"), 29000i64),
            replace(root, &path("Sources.0"), "on"),
            replace(root, &path("Sources.1"), r#ref("B")),
            replace(root, &path("Empty"), true),
            replace(root, &path("Text"), "one line"),
            replace(root, &path("Sub"), sub("arn:${Y}")),
            replace(root, &path("Nested"), "flat"),
            replace(root, &path("Last.a"), 2i64),
            replace(root, &path("Last.b.1"), sub("${Z}")),
            replace(root, "Resources.Other.1.Key", "m"),
        ]
    }));
}

#[test]
fn collections_replace_scalars() {
    let list = || list([Node::from("x"), r#ref("Y")]);
    let map = || map([("A", Node::from(1i64)), ("B", list())]);
    assert_snapshot!(one_each(BLOCK, |root| {
        let path = |name: &str| format!("Resources.Api.Properties.{name}");
        vec![
            replace(root, "Resources.Api.Type", map()),
            replace(root, &path("Name"), list()),
            replace(root, &path("Sources.0"), map()),
            replace(root, &path("Text"), map()),
            replace(root, &path("Sub"), list()),
            replace(root, &path("Nested.Only"), map()),
            replace(root, &path("Last.a"), map()),
            replace(root, "Resources.Other.0.Value", list()),
            replace(root, "Resources.Other.1", list()),
        ]
    }));
}

#[test]
fn keys_are_removed_with_their_lines() {
    assert_snapshot!(one_each(BLOCK, |root| {
        let path = |name: &str| format!("Resources.Api.Properties.{name}");
        vec![
            remove(root, "Resources.Api.Type"),
            remove(root, &path("Timeout")),
            remove(root, &path("Sources")),
            remove(root, &path("Empty")),
            remove(root, &path("Text")),
            remove(root, &path("Nested.Only")),
            remove(root, &path("Last.a")),
            remove(root, "Resources.Other.0.Key"),
            remove(root, "Resources.Other.1.Key"),
        ]
    }));
}

#[test]
fn keys_and_elements_are_added_at_the_end() {
    assert_snapshot!(one_each(BLOCK, |root| {
        let path = |name: &str| format!("Resources.Api.Properties.{name}");
        vec![
            insert(root, "Resources.Api", "Outer", "after what is inside"),
            insert(root, &path("Name"), "New", map([("a", list(["b"]))])),
            insert(root, &path("Name"), "Newer", "yes"),
            insert(root, &path("Nested.Only"), "Second", sub("${A}")),
            insert(root, &path("Last.a"), "c", r#ref("C")),
            append(root, &path("Sources.0"), "third"),
            append(root, &path("Sources.0"), sub("fourth")),
            append(root, &path("Last.b.0"), "z"),
            insert(root, "Resources.Other.0.Key", "More", 1i64),
            append(
                root,
                "Resources.Other.0",
                map([("Key", "m".into()), ("Value", "w".into())]),
            ),
        ]
    }));
}

#[test]
fn edits_of_one_fix_can_share_a_mapping() {
    assert_snapshot!(together("a:\n  b: 1 # one\n  # above\n  c: 2 # two\n", |root| vec![
        remove(root, "a.b"),
        remove(root, "a.c"),
        insert(root, "a.b", "d", 3i64),
        insert(root, "a.b", "e", list(["f"])),
    ]), @"
    @@ -1,4 +1,4 @@
     a:
    -  b: 1 # one
    +  d: 3
    +  e: [f] # one
       # above
    -  c: 2 # two
    ");
    assert_snapshot!(together("a:\n- b: 1 # one\n  # above\n  c: 2 # two\n  d: 3\n", |root| vec![
        remove(root, "a.0.b"),
        remove(root, "a.0.c"),
        insert(root, "a.0.b", "e", 3i64),
    ]), @"
    @@ -1,5 +1,4 @@
     a:
    -- b: 1 # one
    -  # above
    -  c: 2 # two
    +- # above
       d: 3
    +  e: 3
    ");
    assert_snapshot!(together("{\"a\":1,\"b\":2,\"c\":3}", |root| vec![
        remove(root, "b"),
        remove(root, "c"),
        insert(root, "b", "d", list(["e"])),
    ]), @r#"
    @@ -1 +1 @@
    -{"a":1,"b":2,"c":3}
    \ No newline at end of file
    +{"a":1,"d":["e"]}
    \ No newline at end of file
    "#);
    assert_snapshot!(together("{a: 1, b: 2}", |root| vec![
        remove(root, "a"),
        remove(root, "b"),
        insert(root, "a", "c", 3i64),
        insert(root, "a", "d", 4i64),
    ]), @r"
    @@ -1 +1 @@
    -{a: 1, b: 2}
    \ No newline at end of file
    +{c: 3, d: 4}
    \ No newline at end of file
    ");
    assert_snapshot!(together("{\"a\": 1, \"b\": 2}", |root| vec![remove(root, "a"), remove(root, "b")]), @r#"
    @@ -1 +1 @@
    -{"a": 1, "b": 2}
    \ No newline at end of file
    +{}
    \ No newline at end of file
    "#);
}

const JSON: &str = r#"{
    "Resources": {
        "Api": {
            "Type": "t",
            "Properties": {
                "é": "ü", "Timeout": 60000,
                "Only": {
                    "One": 1
                },
                "List": [
                    "a",
                    "b"
                ],
                "Inline": ["a", "b"],
                "Last": {"Ref": "X"}
            }
        }
    }
}
"#;

#[test]
fn pretty_json() {
    assert_snapshot!(one_each(JSON, |root| {
        let path = |name: &str| format!("Resources.Api.Properties.{name}");
        vec![
            replace(root, "Resources.Api.Type", "on\u{2028}"),
            replace(root, &path("Timeout"), "29000"),
            insert(
                root,
                &path("é"),
                "New",
                list([sub("a"), map([("b", 1i64.into())])]),
            ),
            remove(root, &path("Only.One")),
            append(root, &path("List.0"), r#ref("C")),
            append(root, &path("Inline.0"), "c"),
            replace(root, &path("Inline.1"), list(["d"])),
            remove(root, &path("é")),
            remove(root, &path("Last")),
        ]
    }));
}

#[test]
fn compact_json() {
    let text = r#"{"a":{"b":1,"c":["d"]},"e":"f"}"#;
    assert_snapshot!(one_each(text, |root| vec![
        replace(root, "a.b", map([("x", list(["y"]))])),
        append(root, "a.c.0", 2i64),
        insert(root, "a.b", "g", r#ref("H")),
        remove(root, "e"),
    ]), @r#"
    @@ -1 +1 @@
    -{"a":{"b":1,"c":["d"]},"e":"f"}
    \ No newline at end of file
    +{"a":{"b":{"x":["y"]},"c":["d",2],"g":{"Ref":"H"}}}
    \ No newline at end of file
    "#);
}

#[test]
fn flow_yaml_on_several_lines() {
    let text = "a: {\n  b: 1, # one\n  # above two\n  'c': 2, # two\n  d: [\n    e, # e\n    f # f\n  ],\n}\ng: [h, i,]\n";
    assert_snapshot!(one_each(text, |root| vec![
        remove(root, "a.c"),
        insert(root, "a.b", "x", 1i64),
        append(root, "a.d.0", "y"),
        append(root, "g.0", "z"),
    ]), @"
    @@ -3,8 +3,9 @@
       # above two
    -  'c': 2, # two
       d: [
         e, # e
    -    f # f
    +    f, # f
    +    'y'
       ],
    +  x: 1,
     }
    -g: [h, i,]
    +g: [h, i, z,]
    ");
    assert_snapshot!(one_each(text, |root| vec![remove(root, "a.d"), remove(root, "a.b")]), @"
    @@ -1,9 +1,4 @@
     a: {
    -  b: 1, # one
       # above two
       'c': 2, # two
    -  d: [
    -    e, # e
    -    f # f
    -  ],
     }
    ");
}

#[test]
fn line_ends_and_a_byte_order_mark_are_preserved() {
    let text = "\u{feff}a: é # ü\r\nb:\r\n  - c: 1\r\n    d: |\r\n      x\r\n      y\r\n";
    assert_snapshot!(one_each(text, |root| vec![
        replace(root, "a", list(["x"])),
        insert(root, "b.0.c", "e", list(["y"])),
        append(root, "b.0", "z"),
        remove(root, "b.0.d"),
    ]), @"
    @@ -1,2 +1,2 @@
    -﻿a: é # ü␍
    +﻿a: [x] # ü␍
     b:␍
    @@ -6 +6,4 @@
           y␍
    +    e:␍
    +      - 'y'␍
    +  - z␍
    left: [3]
    ");
}

#[test]
fn a_missing_last_line_end_is_not_added() {
    assert_snapshot!(one_each("a: 1\nb: 2", |root| vec![remove(root, "b")]), @r"
    @@ -1,2 +1 @@
    -a: 1
    -b: 2
    \ No newline at end of file
    +a: 1
    \ No newline at end of file
    ");
    assert_snapshot!(one_each("a: 1\nb: 2", |root| vec![insert(root, "b", "c", 3i64)]), @r"
    @@ -1,2 +1,3 @@
     a: 1
    -b: 2
    \ No newline at end of file
    +b: 2
    +c: 3
    \ No newline at end of file
    ");
}

#[test]
fn an_edit_that_cannot_be_written_safely_is_skipped() {
    // An alias repeats the content of its anchor, so a change there also changes the alias.
    let text = "a: &x {b: 1}\nc: *x\nd: &y 1\ne: *y\n";
    assert_snapshot!(one_each(text, |root| vec![
        replace(root, "a.b", 2i64),
        replace(root, "c", 2i64),
        replace(root, "d", 2i64),
        replace(root, "e", 3i64),
    ]), @"
    @@ -1,4 +1,4 @@
     a: &x {b: 1}
    -c: *x
    -d: &y 1
    -e: *y
    +c: 2
    +d: 2
    +e: 3
    left: [0]
    ");
    // The attribute of a function is part of its text.
    let text = "a: !GetAtt B.C\nd: 1\n";
    let attribute = |root: &Node| Edit::Replace {
        value: at(root, "a").as_call().unwrap().argument.as_list().unwrap()[1].span,
        with: "D".into(),
    };
    assert_snapshot!(one_each(text, |root| vec![attribute(root), replace(root, "a", r#ref("B"))]), @"
    @@ -1,2 +1,2 @@
    -a: !GetAtt B.C
    +a: !Ref B
     d: 1
    left: [0]
    ");
}

#[test]
fn the_first_of_two_overlapping_fixes_wins() {
    let text = "a:\n  b: 1\n  c: 2\n";
    assert_snapshot!(one_each(text, |root| vec![
        replace(root, "a.b", 2i64),
        replace(root, "a.b", 3i64),
        remove(root, "a"),
        insert(root, "a.b", "c", 4i64),
        insert(root, "a.c", "d", 5i64),
        insert(root, "a.c", "d", 6i64),
    ]), @"
    @@ -1,3 +1,4 @@
     a:
    -  b: 1
    +  b: 2
       c: 2
    +  d: 5
    left: [1, 2, 3, 5]
    ");
}

#[test]
fn all_edits_of_a_fix_are_applied_or_none() {
    let text = "a: &x 1\nb: *x\nc: 3\n";
    let done = fixed(text, |root| {
        vec![vec![replace(root, "c", 4i64), replace(root, "a", 2i64)]]
    });
    assert_eq!((done.text.as_str(), done.left), (text, vec![0]));
}

#[test]
fn an_edit_of_another_file_is_skipped() {
    let other = parse("a: 1");
    let done = fixed("a: 1", |_| {
        vec![vec![Edit::Replace {
            value: Span::default(),
            with: other.clone(),
        }]]
    });
    assert_eq!(done.left, [0]);
}
