//! Functions and tables.

use std::collections::BTreeMap;

use super::{Checker, FUNCTION_TIMEOUT};
use crate::Problem;
use crate::names;
use crate::spec::{Function, Table};

/// Lambda's limit on a function's name.
const FUNCTION_NAME_LENGTH: usize = 64;

impl Checker<'_> {
    pub(super) fn function(&mut self, name: &str, function: &Function) {
        let path = ["functions", name];
        let length = names::physical(name, self.environment).len();
        if length > FUNCTION_NAME_LENGTH {
            let message = format!(
                "the function's name with `-{}` has {length} characters; Lambda takes 64",
                self.environment
            );
            self.report(Problem::new(self.places.key(&path), message));
        }
        self.code(name, function);
        if let Some(timeout) = function.timeout {
            let span = self.places.value(&["functions", name, "timeout"]);
            self.timeout(span, "a function's", timeout, FUNCTION_TIMEOUT, None);
            if timeout.seconds().is_none() {
                let problem =
                    Problem::new(span, "Lambda counts a function's time-out in whole seconds");
                self.report(problem.hint("write `5s`"));
            }
        }
        for (table, actions) in &function.tables {
            let path = ["functions", name, "tables", table];
            let known = self.declared("tables");
            if !known.contains(&table.as_str()) {
                self.missing(self.places.key(&path), "table", table, &known);
            } else if actions.is_empty() {
                let problem = Problem::new(
                    self.places.value(&path),
                    format!("no action is given for table `{table}`"),
                );
                self.report(
                    problem
                        .hint("name what the function does to it, such as `[GetItem, UpdateItem]`"),
                );
            }
            self.wired_variable(
                name,
                &format!("{}_TABLE", names::screaming_snake(table)),
                table,
            );
        }
        if !function.manage_connections.is_empty() {
            if !self.has("websocket") {
                let span = self.places.key(&["functions", name, "manageConnections"]);
                self.report(Problem::new(
                    span,
                    "there is no WebSocket API whose connections it could manage",
                ));
            }
            self.wired_variable(name, "MANAGEMENT_ENDPOINT", "manageConnections");
        }
    }

    /// Code comes from a binary or from a zip file, and each has its own keys.
    fn code(&mut self, name: &str, function: &Function) {
        let key = |key: &str| self.places.key(&["functions", name, key]);
        let mut found = Vec::new();
        match (&function.binary, &function.zip) {
            (Some(_), Some(_)) => found.push(
                Problem::new(key("zip"), format!("function `{name}` has both `binary` and `zip`"))
                    .related(key("binary"), "and the other here")
                    .hint("its code comes from one of them"),
            ),
            (None, None) => found.push(
                Problem::new(self.places.key(&["functions", name]), format!("function `{name}` has no code"))
                    .hint(format!("write `binary: {name}` for a cargo binary, or `zip:` and the path of a zip file")),
            ),
            (Some(_), None) if function.handler.is_some() => found.push(
                Problem::new(key("handler"), "a binary is its own handler").hint("`handler` is for zip files"),
            ),
            (Some(_), None) => {}
            (None, Some(_)) => {
                for (word, value) in [("runtime", &function.runtime), ("handler", &function.handler)] {
                    if value.is_none() {
                        found.push(
                            Problem::new(key("zip"), format!("function `{name}` has a zip file and no `{word}`"))
                                .hint("such as `runtime: nodejs22.x` and `handler: index.handler`"),
                        );
                    }
                }
            }
        }
        self.problems.append(&mut found);
    }

    /// A variable that the wiring sets must not be set by hand to something else.
    fn wired_variable(&mut self, function: &str, variable: &str, because: &str) {
        if self.spec.functions[function]
            .environment
            .contains_key(variable)
        {
            let span = self
                .places
                .key(&["functions", function, "environment", variable]);
            let problem = Problem::new(
                span,
                format!("`{variable}` is set by stackgen, for `{because}`"),
            );
            self.report(problem.hint("take it out: the value follows the stack"));
        }
    }

    pub(super) fn table(&mut self, name: &str, table: &Table) {
        let mut types = BTreeMap::new();
        let indexes = table
            .indexes
            .values()
            .flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
        let keys = [Some(&table.partition_key), table.sort_key.as_ref()]
            .into_iter()
            .chain(indexes);
        for key in keys.flatten() {
            let first = *types.entry(key.name.as_str()).or_insert(key.key_type);
            if first != key.key_type {
                let (span, name) = (self.places.key(&["tables", name]), &key.name);
                let message = format!(
                    "attribute `{name}` is a key as `{}` and as `{}`",
                    first.name(),
                    key.key_type.name()
                );
                self.report(
                    Problem::new(span, message)
                        .hint("an attribute has one type in all keys of a table"),
                );
            }
        }
        if table.time_to_live.as_ref() == Some(&table.partition_key.name) {
            let span = self.places.value(&["tables", name, "timeToLive"]);
            self.report(Problem::new(
                span,
                "the partition key cannot be the time to live as well",
            ));
        }
    }
}
