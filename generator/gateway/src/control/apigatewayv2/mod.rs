//! apigatewayv2: the REST and JSON protocol over [`Apis`].

use std::sync::Arc;

use axum::Router;

use crate::apis::Apis;

/// All operations that are answered here.
pub fn routes(apis: Arc<Apis>) -> Router {
    let _ = apis;
    Router::new()
}
