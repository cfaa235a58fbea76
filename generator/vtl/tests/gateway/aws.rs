//! Outputs that LocalStack has recorded from API Gateway itself.

use crate::{fixture, render};

#[test]
fn outputs_are_those_that_api_gateway_had() {
    let recorded = fixture("aws/localstack.json");
    let cases = recorded["cases"].as_array().expect("there are cases");
    assert!(cases.len() > 20);
    for case in cases {
        let text = |field: &str| case[field].as_str().expect("it is text");
        assert_eq!(
            render(text("template"), text("body")),
            text("output"),
            "{}",
            text("name")
        );
    }
}
