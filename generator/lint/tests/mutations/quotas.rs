//! Values over API Gateway's quotas.

use serde_json::json;

use crate::authorizers::set;
use crate::routes::add;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "301 routes",
        "too-many-routes",
        &[|it| {
            let route = it.message_route()?;
            (0..301).try_for_each(|at| {
                let key = json!(format!("r{at}"));
                add(it, &format!("Route{at}"), &route, &[("RouteKey", key)])
            })
        }],
    ),
    mistake(
        "a name of 129 characters",
        "text-too-long",
        &[|it| {
            let api = it.api();
            set(it, &api, "Name", json!("n".repeat(129)));
            Some(())
        }],
    ),
];
