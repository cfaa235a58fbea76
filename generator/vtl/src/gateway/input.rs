//! `$input`: payload and parameters of a request.

use super::RequestState;
use crate::error::RenderProblem;
use crate::jsonpath::{JsonPath, evaluate};
use crate::value::{Computed, Heap, ListKind, VtlValue, parse_json, to_json};
use crate::variables::TemplateParameter;

pub(super) fn call(
    heap: &mut Heap,
    state: &mut RequestState<'_>,
    method: &str,
    arguments: &[VtlValue],
) -> Computed<Option<VtlValue>> {
    Ok(Some(match (method, arguments) {
        ("path", [VtlValue::Text(path)]) => select(heap, state, path)?,
        ("json", [VtlValue::Text(path)]) => {
            let value = select(heap, state, path)?;
            let text = match value {
                // API Gateway has an empty string for a path without a value.
                VtlValue::Null => "\"\"".to_owned(),
                value => to_json(heap, &value)?,
            };
            heap.string(text)?
        }
        ("params", []) => params(heap, state)?,
        ("params", [VtlValue::Text(name)]) => parameter(heap, state, name)?,
        ("getBody", []) => body(heap, state)?,
        _ => return Ok(None),
    }))
}

/// Returns the payload as text. API Gateway has `{}` for an empty one.
pub(super) fn body(heap: &mut Heap, state: &RequestState<'_>) -> Computed<VtlValue> {
    let body = state.request.map_or("", |request| &request.body);
    let body = if body.is_empty() { "{}" } else { body };
    heap.string(body.to_owned())
}

/// Returns the values of a path. A payload that is not JSON has none.
fn select(heap: &mut Heap, state: &mut RequestState<'_>, path: &str) -> Computed<VtlValue> {
    let parsed = JsonPath::parse(path)?;
    heap.charge_length(path.len())?;
    let document = document(heap, state)?;
    evaluate(heap, &parsed, &document)
}

fn document(heap: &mut Heap, state: &mut RequestState<'_>) -> Computed<VtlValue> {
    if let Some(document) = &state.document {
        return Ok(document.clone());
    }
    let body = state.request.map_or("", |request| &request.body);
    let document = match parse_json(heap, body, ListKind::Json, "the payload") {
        Err(RenderProblem::Json { .. }) => VtlValue::Null,
        document => document?,
    };
    Ok(state.document.insert(document).clone())
}

/// Returns maps of the parameters, by their places.
fn params(heap: &mut Heap, state: &RequestState<'_>) -> Computed<VtlValue> {
    let mut maps = Vec::new();
    for (place, parameters) in places(state) {
        let entries = parameters.iter();
        let entries =
            entries.map(|entry| (VtlValue::text(&entry.name), VtlValue::text(&entry.value)));
        let map = heap.map(entries.collect())?;
        maps.push((VtlValue::text(place), map));
    }
    heap.map(maps)
}

/// Returns a parameter of the path, the query string or the headers, in this order.
fn parameter(heap: &mut Heap, state: &RequestState<'_>, name: &str) -> Computed<VtlValue> {
    let mut parameters = places(state)
        .into_iter()
        .flat_map(|(_, parameters)| parameters);
    match parameters.find(|parameter| parameter.name == name) {
        Some(parameter) => heap.string(parameter.value.clone()),
        None => Ok(VtlValue::text("")),
    }
}

fn places<'a>(state: &RequestState<'a>) -> [(&'static str, &'a [TemplateParameter]); 3] {
    match state.request {
        Some(request) => [
            ("path", &request.path),
            ("querystring", &request.querystring),
            ("header", &request.header),
        ],
        None => [("path", &[]), ("querystring", &[]), ("header", &[])],
    }
}
