//! No text makes the parser or the evaluator panic, and every render ends.

use proptest::prelude::*;
use serde_json::json;
use stackgen_vtl::{RenderLimits, TemplateRequest, TemplateVariables, VtlTemplate};

/// Pieces of templates, which random templates consist of.
const PIECES: &[&str] = &[
    "#if(",
    "#elseif(",
    "#else",
    "#end",
    "#set(",
    "#foreach(",
    "#macro(",
    "#define(",
    "#evaluate(",
    "#break",
    "#stop",
    "#m(",
    "#@m(",
    "#{if}(",
    "#literal()",
    ")",
    "(",
    "$",
    "$!",
    "${",
    "}",
    "$x",
    "$l",
    "$m",
    "$s",
    ".k",
    ".size()",
    ".get(",
    ".add(",
    ".put(",
    "[0]",
    "[-1]",
    "[",
    "]",
    "{",
    ":",
    ",",
    "..",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&&",
    "||",
    "!",
    "<",
    ">",
    " in ",
    "\"",
    "'",
    "1",
    "2147483647",
    "-1",
    "1.5",
    "true",
    " ",
    "\n",
    "\\",
    "\\\\",
    "##",
    "#*",
    "*#",
    "#[[",
    "]]#",
    "text",
    "é😀",
    "$input.path('$.a')",
    "$input.json('$",
    "$util.parseJson(",
    "$foreach.index",
    "$s.split(",
    "$s.replaceAll(",
    "$l.addAll($l)",
    "\\u0041",
    "\\u",
    "#set($s = \"$s$s\")",
    "#foreach($x in [1..1000])",
    ".replace('', $s)",
    "$s.format('%9999s', 1)",
];

fn render(template: &str) {
    let Ok(parsed) = VtlTemplate::parse(template) else {
        return;
    };
    let request = TemplateRequest {
        body: "{\"a\": [1, {\"b\": null}]}".to_owned(),
        ..TemplateRequest::default()
    };
    let mut variables = TemplateVariables::of_request(request, json!({"k": 1}), json!({}));
    variables.set("x", json!(5));
    variables.set("l", json!([1, "two", null]));
    variables.set("m", json!({"k": {"k": "v"}}));
    variables.set("s", json!("some text"));
    let limits = RenderLimits {
        work: 200_000,
        ..RenderLimits::default()
    };
    if let Err(error) = parsed.render(&variables, &limits) {
        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(template in "\\PC{0,200}") {
        render(&template);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        render(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_pieces_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        render(&pieces.concat());
    }

    #[test]
    fn random_pieces_in_a_call_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..8)) {
        let pieces = pieces.concat();
        render(&format!("#set($y = {pieces})$y"));
        render(&format!("#if({pieces})x#end"));
        render(&format!("$s.replaceAll(\"{pieces}\", '{pieces}')"));
        render(&format!("$input.path('{pieces}')"));
    }
}
