//! Every kind of error as text.

use std::fmt::Write as _;

use insta::assert_snapshot;
use stackgen_cfn::parse::MAX_BYTES;

use crate::source;

/// Returns the errors of a text: location, message, the text there, related location, hint.
fn report(text: &str) -> String {
    let (sources, source) = source(text);
    let errors = stackgen_cfn::parse(&source).expect_err("the document is wrong");
    let place = |span| {
        sources
            .location(span)
            .expect("an error has a place")
            .to_string()
    };
    let mut out = String::new();
    for error in errors {
        let there = &text[error.span.start as usize..error.span.end as usize];
        writeln!(out, "{}: {error} {there:?}", place(error.span)).expect("a string takes all");
        if let Some(related) = error.related {
            writeln!(out, "  see {}", place(related)).expect("a string takes all");
        }
        if let Some(hint) = error.hint() {
            writeln!(out, "  {hint}").expect("a string takes all");
        }
    }
    out
}

#[test]
fn yaml_syntax() {
    let texts = [
        "a: !Base64 !Sub x\n",
        "Action: *\n",
        "a: *x\n",
        "a: @b\n",
        "a: b: c\n",
        "a:\n\tb: c\n",
        "a: 'x\n",
        "a: [b\nc: d\n",
        "a: {b: c\nd: e\n",
        "a:\n  b: c\n d: e\n",
        "é: 'é' é\n",
        "a: \"\\q\"\n",
        "- a\nb: c\n",
        "a: b\nc\nd: e\n",
        "}\n",
        "a: \u{0}\n",
    ];
    assert_snapshot!(texts.map(report).concat(), @r#"
    t.yaml:1:12: a value cannot have two tags "!"
      write the outer function in its long form: `Fn::Base64: !Sub …`
    t.yaml:1:9: `*` and `&` begin an alias and an anchor, and a name must follow "*"
      quote the text: '*'
    t.yaml:1:4: no anchor with this name comes before the alias "*"
      quote the text if it should begin with `*`
    t.yaml:1:4: no value can begin with this character "@"
      quote the text if it should begin with this character
    t.yaml:1:5: a `:` is not allowed here ":"
      check the indentation, or quote the text before this if it contains `: `
    t.yaml:2:2: a tab cannot indent YAML "b"
      indent with spaces
    t.yaml:1:4: this quote is never closed "'"
      close it, or double it if it belongs to the text
    t.yaml:2:2: a list in brackets ends before this `:` ":"
      close the bracket, or quote the text that contains it
    t.yaml:2:2: expected `,` or `}` in the mapping ":"
      close the brace, or quote the text that contains it
    t.yaml:3:2: expected a key of the mapping "d"
      check the indentation of this line and the one above
    t.yaml:1:8: text follows the closing quote "é"
      quote the whole value
    t.yaml:1:4: unknown escape in a double-quoted string "\""
      use single quotes, in which `\` is itself
    t.yaml:2:1: expected the next `- ` of the list "b"
      check the indentation of this line and the one above
    t.yaml:3:1: expected a `:` after this key "d"
      check the indentation of this line and the one above
    t.yaml:1:1: this bracket closes nothing "}"
      quote the text if it should begin with this character
    t.yaml:1:4: NUL characters are not allowed "\0"
    "#);
}

#[test]
fn a_bracket_that_is_never_closed() {
    let texts = [
        "a:\n  b: [\n    'c'\n  d: e\n",
        "a:\n  b: [\n    'c'\n  ]\n  d: [\n    'c'\n  e: f\n",
        "a:\n  b: [\n    'c'\n  ]\n  d: 'e\n",
    ];
    assert_snapshot!(texts.map(report).concat(), @r#"
    t.yaml:4:3: this indentation matches no mapping or list above "d"
      check the indentation of this line and the one above
    t.yaml:7:3: this indentation matches no mapping or list above "e"
      check the indentation of this line and the one above
    t.yaml:5:6: this quote is never closed "'"
      close it, or double it if it belongs to the text
    "#);
}

#[test]
fn json_syntax() {
    let texts = [
        "{\"a\": 1 \"b\": 2}",
        "{\"a\": 1",
        "{\"a\": [1",
        "{\"a\" 1}",
        "{\"a\": 1} // no",
        "{\"a\": 1} {}",
        "{\"é\": \"\\ud800\"}",
        "{\"a\": \"x}",
        "{\"a\": 1,\n[]}",
        "{\"a\": \"x\ty\", \"b\": !Ref c: d}",
    ];
    assert_snapshot!(texts.map(report).concat(), @r#"
    t.yaml:1:8: expected `,` here " "
    t.yaml:1:1: this brace is never closed "{"
      add the missing `}`
    t.yaml:1:7: this bracket is never closed "["
      add the missing `]`
    t.yaml:1:6: expected `:` after the key "1"
    t.yaml:1:10: JSON has no comments "/"
      remove it, or write YAML
    t.yaml:1:10: text follows the end of the document "{"
      remove it
    t.yaml:1:8: this escape is not a Unicode character "\\"
      escape both halves of a surrogate pair
    t.yaml:1:7: this string is never closed "\""
      add the missing `"`
    t.yaml:2:1: a key must be a string "["
      quote the key
    t.yaml:1:19: unexpected token "!"
    "#);
}

#[test]
fn empty() {
    assert_snapshot!(["", " \n", "# only a comment\n", "---\n"].map(report).concat(), @r#"
    t.yaml:1:1: the document is empty ""
      write at least one key; `{}` is an empty mapping
    t.yaml:1:1: the document is empty ""
      write at least one key; `{}` is an empty mapping
    t.yaml:1:1: the document is empty ""
      write at least one key; `{}` is an empty mapping
    t.yaml:1:1: the document is empty ""
      write at least one key; `{}` is an empty mapping
    "#);
}

#[test]
fn too_large() {
    assert_snapshot!(report(&" ".repeat(MAX_BYTES + 1)), @r#"
    t.yaml:1:1: the file has 8388609 bytes; the limit is 8388608 ""
      check that this is the right file; CloudFormation accepts at most 1 MB
    "#);
}

#[test]
fn too_deep() {
    let texts = [
        "[".repeat(65),
        "{\"a\":".repeat(65),
        "- ".repeat(65),
        format!("a: {}", "[".repeat(65)),
    ];
    assert_snapshot!(texts.map(|text| report(&text)).concat(), @r#"
    t.yaml:1:65: nested more than 64 levels deep "["
      flatten the document, or look for a bracket that is never closed
    t.yaml:1:321: nested more than 64 levels deep "{"
      flatten the document, or look for a bracket that is never closed
    t.yaml:1:129: nested more than 64 levels deep "-"
      flatten the document, or look for a bracket that is never closed
    t.yaml:1:67: nested more than 64 levels deep "["
      flatten the document, or look for a bracket that is never closed
    "#);
    let closed = "[".repeat(65) + &"]".repeat(65);
    assert_snapshot!(report(&closed), @r#"
    t.yaml:1:65: nested more than 64 levels deep "["
      flatten the document, or look for a bracket that is never closed
    "#);
}

#[test]
fn multiple_documents() {
    assert_snapshot!(report("a: b\n---\nc: d\n"), @r#"
    t.yaml:2:1: a second document begins here "---"
      keep one document in a file and remove the `---` before this one
    "#);
}

#[test]
fn duplicate_keys() {
    assert_snapshot!(report("a: 1\nb:\n  c: 1\n  c: 2\n  'c': 3\na: 2\n"), @r#"
    t.yaml:4:3: the key `c` is already used in this mapping "c"
      see t.yaml:3:3
      remove or rename one of the two; parsers silently keep only one
    t.yaml:5:3: the key `c` is already used in this mapping "'c'"
      see t.yaml:3:3
      remove or rename one of the two; parsers silently keep only one
    t.yaml:6:1: the key `a` is already used in this mapping "a"
      see t.yaml:1:1
      remove or rename one of the two; parsers silently keep only one
    "#);
    assert_snapshot!(report("{\"a\": 1,\n \"b\": 2, \"\\u0061\": 3}"), @r#"
    t.yaml:2:10: the key `a` is already used in this mapping "\"\\u0061\""
      see t.yaml:1:2
      remove or rename one of the two; parsers silently keep only one
    "#);
}

#[test]
fn unknown_tags() {
    let texts = [
        "a: !getatt A.B\n",
        "a: !Fn::Sub x\n",
        "a: !Refs x\n",
        "a: [!Foo , !Foo, !!binary eA==]\n",
        "a: !<tag:x> y\n",
        "a: &b !Jion\n  - x\nc: !Sub: x\n",
    ];
    assert_snapshot!(texts.map(report).concat(), @r#"
    t.yaml:1:4: unknown tag `!getatt` "!getatt"
      did you mean `!GetAtt`?
    t.yaml:1:4: unknown tag `!Fn::Sub` "!Fn::Sub"
      did you mean `!Sub`?
    t.yaml:1:4: unknown tag `!Refs` "!Refs"
      did you mean `!Ref`?
    t.yaml:1:5: unknown tag `!Foo` "!Foo"
      quote the text if it should begin with `!`; only intrinsic functions are tags
    t.yaml:1:12: unknown tag `!Foo` "!Foo"
      quote the text if it should begin with `!`; only intrinsic functions are tags
    t.yaml:1:18: unknown tag `!!binary` "!!binary"
      quote the text if it should begin with `!`; only intrinsic functions are tags
    t.yaml:1:4: unknown tag `!<tag:x>` "!<tag:x>"
      quote the text if it should begin with `!`; only intrinsic functions are tags
    t.yaml:1:7: unknown tag `!Jion` "!Jion"
      did you mean `!Join`?
    t.yaml:3:4: unknown tag `!Sub:` "!Sub:"
      did you mean `!Sub`?
    "#);
}

#[test]
fn core_tags_on_other_types() {
    assert_snapshot!(report("a: !!int x\nb: !!str {}\nc: !!map []\nd: !!bool 1\ne: !!seq\n"), @r#"
    t.yaml:1:4: `!!int` does not match its value, which is a string "!!int x"
      remove the tag, or change the value
    t.yaml:2:4: `!!str` does not match its value, which is a mapping "!!str {}"
      remove the tag, or change the value
    t.yaml:3:4: `!!map` does not match its value, which is a list "!!map []"
      remove the tag, or change the value
    t.yaml:4:4: `!!bool` does not match its value, which is a number "!!bool 1"
      remove the tag, or change the value
    t.yaml:5:4: `!!seq` does not match its value, which is nothing "!!seq"
      remove the tag, or change the value
    "#);
}

#[test]
fn merge_keys() {
    assert_snapshot!(report("a: &a {b: c}\nd:\n  <<: *a\n"), @r#"
    t.yaml:3:3: merge keys (`<<`) are not supported "<<"
      write the merged keys out, as CloudFormation needs them
    "#);
}

#[test]
fn null_keys() {
    assert_snapshot!(report("a:\n  : b\nc:\n  ~: d\n"), @r#"
    t.yaml:2:3: a key cannot be null ""
      write the key before the colon; quote it if it should be the text `null`
    t.yaml:4:3: a key cannot be null "~"
      write the key before the colon; quote it if it should be the text `null`
    "#);
}

#[test]
fn keys_that_are_not_strings() {
    let texts = [
        "? [a]\n: b\n",
        "{{a: b}: c}",
        "!Ref a: b\n",
        "a: &a [b]\n*a : c\n",
    ];
    assert_snapshot!(texts.map(report).concat(), @r#"
    t.yaml:1:3: a key must be a string "["
      quote the key
    t.yaml:1:2: a key must be a string "{"
      quote the key
    t.yaml:1:1: a key must be a string "!Ref a"
      quote the key
    t.yaml:2:1: a key must be a string "*a"
      quote the key
    "#);
}

#[test]
fn aliases() {
    assert_snapshot!(report("a: &a\n  b: *a\n"), @r#"
    t.yaml:2:6: this alias refers to a node that contains it "*a"
      write the value out instead of the alias
    "#);
    let many = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x,".repeat(1000),
        "*a,".repeat(100)
    );
    assert_snapshot!(report(&many), @r#"
    t.yaml:2:299: anchors and aliases expand to more than 100000 values or 8388608 bytes of text "*a"
      write the values out instead of the aliases
    "#);
}

#[test]
fn all_errors_of_a_document_are_reported() {
    assert_snapshot!(report("a: !Foo x\na: 1\n<<: {}\nb: !!int y\nc: 'z\n"), @r#"
    t.yaml:1:4: unknown tag `!Foo` "!Foo"
      quote the text if it should begin with `!`; only intrinsic functions are tags
    t.yaml:2:1: the key `a` is already used in this mapping "a"
      see t.yaml:1:1
      remove or rename one of the two; parsers silently keep only one
    t.yaml:3:1: merge keys (`<<`) are not supported "<<"
      write the merged keys out, as CloudFormation needs them
    t.yaml:4:4: `!!int` does not match its value, which is a string "!!int y"
      remove the tag, or change the value
    t.yaml:5:4: this quote is never closed "'"
      close it, or double it if it belongs to the text
    "#);
}
