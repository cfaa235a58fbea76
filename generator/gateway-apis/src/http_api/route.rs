//! Selection of a request's route.

use std::sync::Arc;

use http::Method;
use stackgen_gateway_common::RouteKey;

use super::request::decoded;
use crate::apis::StoredRoute;

/// The route of a request.
#[derive(Clone, Debug)]
pub(super) struct RouteMatch {
    pub(super) route: Arc<StoredRoute>,
    /// Path parameters with decoded values.
    pub(super) parameters: Vec<(String, String)>,
}

/// Rank of a matching route; the smallest wins. It compares, in this order: does the route end greedily, the kinds of
/// its segments from the left (literal, parameter, greedy), does it match any method.
type MatchRank = (bool, Vec<u8>, bool);

/// Selects a route as API Gateway does: a full match, then a greedy match, then `$default`. `path` must be as sent,
/// because an encoded slash does not separate segments.
pub(super) fn select<'a>(
    routes: impl Iterator<Item = &'a Arc<StoredRoute>>,
    method: &Method,
    path: &str,
) -> Option<RouteMatch> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let mut default = None;
    let mut best: Option<(MatchRank, RouteMatch)> = None;
    for route in routes {
        if route.route_key == RouteKey::DEFAULT {
            default = Some(route);
            continue;
        }
        let Some((rank, parameters)) = match_route(route.route_key.as_str(), method, &segments)
        else {
            continue;
        };
        if best.as_ref().is_none_or(|(best, _)| rank < *best) {
            let route = Arc::clone(route);
            best = Some((rank, RouteMatch { route, parameters }));
        }
    }
    let best = best.map(|(_, matched)| matched);
    best.or_else(|| {
        Some(RouteMatch {
            route: Arc::clone(default?),
            parameters: Vec::new(),
        })
    })
}

fn match_route(
    key: &str,
    method: &Method,
    segments: &[&str],
) -> Option<(MatchRank, Vec<(String, String)>)> {
    let (verb, template) = key.split_once(' ')?;
    let any = verb == "ANY";
    if !any && verb != method.as_str() {
        return None;
    }
    let mut template = template.strip_prefix('/')?.split('/').peekable();
    let mut rest = segments;
    let (mut kinds, mut parameters) = (Vec::new(), Vec::new());
    let mut greedy = false;
    while let Some(part) = template.next() {
        let (&segment, after) = rest.split_first()?;
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        match name.map(|name| name.strip_suffix('+').ok_or(name)) {
            None if decoded(segment) == part => kinds.push(0),
            None => return None,
            Some(Err(_)) if segment.is_empty() => return None,
            Some(Err(name)) => {
                kinds.push(1);
                parameters.push((name.to_owned(), decoded(segment)));
            }
            Some(Ok(name)) => {
                let all = rest.join("/");
                if all.is_empty() || template.peek().is_some() {
                    return None;
                }
                greedy = true;
                kinds.push(2);
                parameters.push((name.to_owned(), decoded(&all)));
                rest = &[];
                break;
            }
        }
        rest = after;
    }
    rest.is_empty()
        .then_some(((greedy, kinds, any), parameters))
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use proptest::prelude::*;

    use super::*;
    use stackgen_gateway_common::RouteId;

    fn routes(keys: &[&str]) -> Vec<Arc<StoredRoute>> {
        let route = |key: &&str| {
            Arc::new(StoredRoute {
                route_id: RouteId::new(*key),
                route_key: RouteKey::new(*key),
                authorization_type: "NONE".to_owned(),
                authorizer_id: None,
                authorization_scopes: vec![],
                api_key_required: false,
                target: None,
                route_response_selection_expression: None,
                model_selection_expression: None,
                request_models: IndexMap::new(),
                request_parameters: IndexMap::new(),
                operation_name: None,
            })
        };
        keys.iter().map(route).collect()
    }

    fn selected(keys: &[&str], method: &Method, path: &str) -> Option<(String, Vec<String>)> {
        let routes = routes(keys);
        let matched = select(routes.iter(), method, path)?;
        let values = matched.parameters.into_iter().map(|(_, value)| value);
        Some((matched.route.route_key.to_string(), values.collect()))
    }

    /// Routes of the example in the Developer Guide.
    const GUIDE: [&str; 5] = [
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{proxy+}",
        "ANY /{proxy+}",
        "$default",
    ];

    #[test]
    fn a_full_match_precedes_a_greedy_one_and_default_comes_last() {
        for (method, path, route, parameters) in [
            (Method::GET, "/pets/dog/1", GUIDE[0], vec![]),
            (Method::GET, "/pets/dog/2", GUIDE[1], vec!["2"]),
            (Method::GET, "/pets/cat/1", GUIDE[2], vec!["cat/1"]),
            (Method::POST, "/test/5", GUIDE[3], vec!["test/5"]),
            (Method::POST, "/", GUIDE[4], vec![]),
        ] {
            let (key, values) = selected(&GUIDE, &method, path).unwrap();
            assert_eq!(
                (key.as_str(), values),
                (
                    route,
                    parameters.iter().map(|&one| one.to_owned()).collect()
                ),
                "{path}"
            );
        }
    }

    #[test]
    fn a_specific_method_precedes_any() {
        let keys = ["ANY /a", "POST /a", "GET /{x}"];
        assert_eq!(selected(&keys, &Method::POST, "/a").unwrap().0, "POST /a");
        assert_eq!(selected(&keys, &Method::GET, "/a").unwrap().0, "ANY /a");
    }

    #[test]
    fn segments_are_exact_and_parameters_are_not_empty() {
        assert_eq!(selected(&["GET /a"], &Method::GET, "/a/"), None);
        assert_eq!(selected(&["GET /a/{x}"], &Method::GET, "/a/"), None);
        assert_eq!(selected(&["GET /a/{x+}"], &Method::GET, "/a/"), None);
        assert_eq!(selected(&["GET /a/{x}"], &Method::GET, "/a/b/c"), None);
        assert_eq!(selected(&["GET /a"], &Method::POST, "/a"), None);
        assert!(selected(&["GET /"], &Method::GET, "/").is_some());
    }

    #[test]
    fn parameters_are_decoded_after_the_path_is_split() {
        let (_, values) = selected(&["GET /a/{x}"], &Method::GET, "/a/b%2Fc%20d").unwrap();
        assert_eq!(values, ["b/c d"]);
    }

    proptest! {
        #[test]
        fn the_order_of_routes_does_not_matter(path in "(/[ab]){1,3}", seed in 0..24usize) {
            let mut keys = ["GET /a/{x}", "GET /{x}/b", "GET /{p+}", "ANY /a/b"];
            let expected = selected(&keys, &Method::GET, &path);
            keys.rotate_left(seed % 4);
            keys.swap(seed / 8, seed % 3);
            prop_assert_eq!(selected(&keys, &Method::GET, &path), expected);
        }
    }
}
