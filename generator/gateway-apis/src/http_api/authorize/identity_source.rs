//! Identity sources: `$request.header.Authorization`, `$request.querystring.token`, `$context.routeKey`,
//! `$stageVariables.name`.

use super::super::Exchange;
use super::super::log::variable;
use super::super::route::RouteMatch;

impl Exchange<'_> {
    /// Returns the value of an identity source; `None` if it is missing or empty.
    pub(super) fn identity_value(
        &self,
        source: &str,
        matched: Option<&RouteMatch>,
    ) -> Option<String> {
        let value = if let Some(name) = source.strip_prefix("$request.header.") {
            self.request.header(name)
        } else if let Some(name) = source.strip_prefix("$request.querystring.") {
            self.request.parameter(name)
        } else if let Some(name) = source.strip_prefix("$context.") {
            let route = matched.map(|matched| &matched.route.route_key);
            let (stage, request) = (&self.served.stage, self.request);
            variable(self.api, stage, request, route, name).map(|value| value.into_owned())
        } else {
            let name = source.strip_prefix("$stageVariables.")?;
            self.served.stage.stage_variables.get(name).cloned()
        };
        value.filter(|value| !value.is_empty())
    }
}
