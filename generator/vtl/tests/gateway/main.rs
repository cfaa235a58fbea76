//! `$input` and `$util` of API Gateway.

mod aws;
mod emulator;
mod input;
mod util;

use serde_json::{Value, json};
use stackgen_vtl::{
    RenderError, RenderLimits, TemplateParameter, TemplateRequest, TemplateVariables, VtlTemplate,
};

/// Renders a template for a request.
fn render_request(template: &str, request: TemplateRequest) -> Result<String, RenderError> {
    let context = json!({"connectionId": "c1=", "routeKey": "send", "authorizer": {"principalId": "u1", "numKey": "1"}});
    let variables = TemplateVariables::of_request(request, context, json!({"table": "t1"}));
    let template = VtlTemplate::parse(template).expect("the template is correct");
    template.render(&variables, &RenderLimits::default())
}

/// Renders a template for a payload.
fn render(template: &str, body: &str) -> String {
    let request = TemplateRequest {
        body: body.to_owned(),
        ..TemplateRequest::default()
    };
    render_request(template, request).expect("the template renders")
}

fn parameter(name: &str, value: &str) -> TemplateParameter {
    TemplateParameter {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn fixture(path: &str) -> Value {
    let path = format!("{}/tests/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("it is readable");
    serde_json::from_str(&text).expect("it is JSON")
}
