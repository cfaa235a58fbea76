//! `$util`. Its escapes and encodings are compared with Java's in the differential test.

use stackgen_vtl::{RenderProblem, TemplateRequest};

use crate::{render, render_request};

#[test]
fn parsed_json_can_be_read_and_changed() {
    let template = "#set($x = $util.parseJson($input.path('$.text')))$x.a[1].b $x;#set($x.c = 2)$x";
    let body = r#"{"text": "{\"a\": [1, {\"b\": true}]}"}"#;
    assert_eq!(
        render(template, body),
        r#"true {a=[1,{"b":true}]};{a=[1,{"b":true}], c=2}"#
    );
}

#[test]
fn text_that_is_not_json_is_an_error() {
    let error = render_request("$util.parseJson('x')", TemplateRequest::default())
        .expect_err("it is no JSON");
    assert!(
        matches!(error.problem, RenderProblem::Json { .. }),
        "{error}"
    );
}

#[test]
fn encoding_and_decoding_are_inverse() {
    let body = r#"{"t": "héllo & 100% / \"x\" + 😀"}"#;
    let template = "#set($t = $input.path('$.t'))$util.urlDecode($util.urlEncode($t)).equals($t) \
                    $util.base64Decode($util.base64Encode($t)).equals($t)";
    assert_eq!(render(template, body), "true true");
}

#[test]
fn json_in_a_string_is_escaped_for_json() {
    let body = r#"{"a": "x\"y"}"#;
    assert_eq!(
        render("\"$util.escapeJavaScript($input.json('$'))\"", body),
        r#""{\"a\":\"x\\\"y\"}""#
    );
}

#[test]
fn wrong_base64_is_an_error() {
    let error = render_request("$util.base64Decode('%')", TemplateRequest::default())
        .expect_err("it is wrong");
    assert!(
        matches!(error.problem, RenderProblem::Method { .. }),
        "{error}"
    );
}
