//! `$input`, `$context` and `$stageVariables`.

use stackgen_vtl::{RenderProblem, TemplateRequest};

use crate::{parameter, render, render_request};

const BODY: &str = r#"{"store": {"book": [
    {"title": "Sayings", "price": 8.95, "tags": ["a", "b"]},
    {"title": "Sword", "price": 12.99, "isbn": "0-553"},
    {"title": "Moby Dick", "price": 9, "isbn": "0-395"}
], "bicycle": {"color": "red"}}, "a.b": 1, "n": null}"#;

#[test]
fn paths_select_what_jayway_selects() {
    let cases = [
        ("$.store.bicycle.color", "\"red\""),
        ("$['store']['bicycle']['color']", "\"red\""),
        ("$[\"a.b\"]", "1"),
        ("store.bicycle", "{\"color\":\"red\"}"),
        ("$.store.book[0].title", "\"Sayings\""),
        ("$.store.book[-1].title", "\"Moby Dick\""),
        (
            "$.store.book[*].title",
            "[\"Sayings\",\"Sword\",\"Moby Dick\"]",
        ),
        ("$.store.book.*.price", "[8.95,12.99,9]"),
        ("$.store.book[0,2].price", "[8.95,9]"),
        ("$.store.book[0:2].price", "[8.95,12.99]"),
        ("$.store.book[-2:].price", "[12.99,9]"),
        ("$.store.book[:1].price", "[8.95]"),
        ("$..price", "[8.95,12.99,9]"),
        ("$.store..tags[0]", "[\"a\"]"),
        ("$..book[?(@.isbn)].title", "[\"Sword\",\"Moby Dick\"]"),
        (
            "$..book[?(@.price < 10)].title",
            "[\"Sayings\",\"Moby Dick\"]",
        ),
        (
            "$..book[?(@.price >= 9 && @.isbn)].title",
            "[\"Sword\",\"Moby Dick\"]",
        ),
        (
            "$..book[?(@.title == 'Sword' || @.price == 8.95)].title",
            "[\"Sayings\",\"Sword\"]",
        ),
        ("$..book[?(!(@.isbn))].title", "[\"Sayings\"]"),
        (
            "$..book[?(@.title != 'Sword')].title",
            "[\"Sayings\",\"Moby Dick\"]",
        ),
        (
            "$.store.book[?(@.price > $.store.book[0].price)].price",
            "[12.99,9]",
        ),
        (
            "$.store.book[0]['title','price']",
            "{\"title\":\"Sayings\",\"price\":8.95}",
        ),
        ("$.store.book[*].missing", "[]"),
        ("$.store.book.title", "\"\""),
        ("$.missing", "\"\""),
        ("$.n", "\"\""),
    ];
    for (path, expected) in cases {
        let template = format!(
            "#set($path = '{}')$input.json($path)",
            path.replace('\'', "''")
        );
        assert_eq!(render(&template, BODY), expected, "{path}");
    }
}

#[test]
fn wrong_paths_are_errors_with_the_position_of_the_call() {
    for path in [
        "$.",
        "$[",
        "$.a[x]",
        "$.a[?(@.b]",
        "$.a b",
        "$['a",
        "$..",
        "$.a[?(@.b == )]",
    ] {
        let request = TemplateRequest {
            body: BODY.to_owned(),
            ..TemplateRequest::default()
        };
        let error =
            render_request(&format!("\n  $input.path(\"{path}\")"), request).expect_err(path);
        assert!(
            matches!(error.problem, RenderProblem::JsonPath { .. }),
            "{error}"
        );
        assert_eq!((error.position.line, error.position.column), (2, 10));
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_deep_filter_is_an_error() {
    let path = format!("$[?({}@.a{})]", "(".repeat(10_000), ")".repeat(10_000));
    let request = TemplateRequest {
        body: "[]".to_owned(),
        ..TemplateRequest::default()
    };
    let error =
        render_request(&format!("$input.path('{path}')"), request).expect_err("it is too deep");
    assert!(
        matches!(error.problem, RenderProblem::JsonPath { .. }),
        "{error}"
    );
}

#[test]
fn a_changed_payload_is_what_later_calls_see() {
    let template = "#set($body = $input.path('$'))#set($body.url = \"x/$body.id\")$input.json('$')";
    assert_eq!(
        render(template, "{\"id\": 7}"),
        "{\"id\":7,\"url\":\"x/7\"}"
    );
}

#[test]
fn a_payload_that_is_not_json_has_no_values() {
    assert_eq!(
        render("[$input.path('$.a')] $input.json('$') $input.body", "plain"),
        "[] \"\" plain"
    );
}

#[test]
fn decimals_lose_their_zeros_except_in_the_body() {
    let template = "$input.path('$.price') $input.json('$') $input.body";
    assert_eq!(
        render(template, "{\"price\":10.00}"),
        "10.0 {\"price\":10.0} {\"price\":10.00}"
    );
}

#[test]
fn parameters_come_from_path_query_string_and_header_in_this_order() {
    let request = TemplateRequest {
        path: vec![parameter("id", "p")],
        querystring: vec![parameter("id", "q"), parameter("only", "q2")],
        header: vec![parameter("Host", "h")],
        ..TemplateRequest::default()
    };
    let template = "$input.params('id') $input.params('only') $input.params('Host') [$input.params('none')] \
                    $input.params().querystring.only $input.params().header.get('Host') $input.params()";
    let expected = "p q2 h [] q2 h {path={id=p}, querystring={id=q, only=q2}, header={Host=h}}";
    assert_eq!(render_request(template, request).as_deref(), Ok(expected));
}

#[test]
fn the_template_of_the_console_passes_everything_through() {
    let request = TemplateRequest {
        body: "{\"a\": [1]}".to_owned(),
        querystring: vec![parameter("q", "it's"), parameter("r", "2")],
        ..TemplateRequest::default()
    };
    let template = r#"#set($allParams = $input.params())
{
"body-json" : $input.json('$'),
"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
},
"stage-variables" : {
#foreach($key in $stageVariables.keySet())
"$key" : "$util.escapeJavaScript($stageVariables.get($key))"
    #if($foreach.hasNext),#end
#end
},
"context" : {
    "connection-id" : "$context.connectionId",
    "user" : "$context.authorizer.principalId",
    "missing" : "$context.identity.sourceIp"
    }
}
"#;
    let output = render_request(template, request).expect("it renders");
    let parsed: serde_json::Value = serde_json::from_str(&output.replace("\\'", "'"))
        .unwrap_or_else(|error| panic!("{error} in {output}"));
    let expected = serde_json::json!({
        "body-json": {"a": [1]},
        "params": {"path": {}, "querystring": {"q": "it's", "r": "2"}, "header": {}},
        "stage-variables": {"table": "t1"},
        "context": {"connection-id": "c1=", "user": "u1", "missing": ""},
    });
    assert_eq!(parsed, expected);
}
