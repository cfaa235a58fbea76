//! Lambda's API: functions, versions, aliases, policies and invocations.

mod function_identifier;
mod functions;
mod invoke;
mod response;
mod versions;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use http::StatusCode;
use stackgen_gateway_common::Grants;

use crate::functions::Functions;

/// Maximum size of a request: a zip of 50 MB in base64 with its JSON.
const MAX_REQUEST_BYTES: usize = 72 * 1024 * 1024;

/// Returns the routes of all supported operations. `grants` gives the roles of callers that invoke functions.
pub fn routes(lambda: Arc<Functions>, grants: Arc<dyn Grants>) -> Router {
    let all = "/2015-03-31/functions";
    let of = |rest: &str| format!("/2015-03-31/functions/{{name}}{rest}");
    let collection = || get(functions::list).post(functions::create);
    Router::new()
        .route(all, collection())
        .route("/2015-03-31/functions/", collection())
        .route(&of(""), get(functions::get).delete(functions::delete))
        .route(
            &of("/configuration"),
            get(functions::get_configuration).put(functions::update_configuration),
        )
        .route(&of("/code"), put(functions::update_code))
        .route(
            &of("/versions"),
            get(versions::list).post(versions::publish),
        )
        .route(
            &of("/aliases"),
            get(versions::list_aliases).post(versions::create_alias),
        )
        .route(
            &of("/aliases/{alias}"),
            get(versions::get_alias)
                .put(versions::update_alias)
                .delete(versions::delete_alias),
        )
        .route(
            &of("/policy"),
            get(versions::get_policy).post(versions::add_permission),
        )
        .route(
            &of("/policy/{statement}"),
            delete(versions::remove_permission),
        )
        .route(&of("/invocations"), post(invoke::invoke))
        .route(
            "/2017-10-31/functions/{name}/concurrency",
            put(functions::put_concurrency).delete(functions::delete_concurrency),
        )
        .route(
            "/2019-09-30/functions/{name}/concurrency",
            get(functions::get_concurrency),
        )
        .route("/2017-03-31/tags/{arn}", get(functions::tags))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .layer(Extension(grants))
        .with_state(lambda)
}

async fn unknown(method: http::Method, uri: http::Uri) -> response::LambdaErrorResponse {
    response::LambdaErrorResponse::new(
        StatusCode::NOT_FOUND,
        "UnknownOperationException",
        format!("The local Lambda does not support {method} {}", uri.path()),
    )
}
