//! The load that the stack is made for.

use super::SpecChecker;
use crate::LocatedError;
use crate::spec::Duration;

/// Longest connection (row M14).
const LONGEST_CONNECTION: Duration = Duration::from_millis(2 * 3600 * 1000);

impl SpecChecker<'_> {
    pub(super) fn load(&mut self) {
        let Some(load) = &self.spec.load else {
            return;
        };
        let Some(websocket) = &self.spec.websocket else {
            let span = self.spans.key(&["load"]);
            let error = LocatedError::new(
                span,
                "`load` is the load of a WebSocket API, and the stack has none",
            );
            self.report(error.hint("remove it, or add `websocket`"));
            return;
        };
        if let Some(route) = &load.route
            && !websocket.routes.contains_key(route)
        {
            let known: Vec<&str> = websocket.routes.keys().map(String::as_str).collect();
            self.missing(self.spans.value(&["load", "route"]), "route", route, &known);
        }
        for (key, time) in [
            ("joinWithin", load.join_within),
            ("connectionTime", load.connection_time),
        ] {
            if time.is_some_and(|time| time.millis() == 0) {
                let span = self.spans.value(&["load", key]);
                let error = LocatedError::new(span, format!("`{key}` must be more than 0"));
                self.report(error.hint("write a time such as `1m`, or remove it"));
            }
        }
        if load
            .connection_time
            .is_some_and(|time| time > LONGEST_CONNECTION)
        {
            let span = self.spans.value(&["load", "connectionTime"]);
            let error = LocatedError::new(span, "a connection lasts at most two hours");
            self.report(error.row("M14").hint("write `2h` or less"));
        }
    }
}
