//! Functions.

use stackgen_cfn::{Node, Value};

use super::{FUNCTION_TIMEOUT, NameQuota, SpecChecker};
use crate::LocatedError;
use crate::names;
use crate::spec::FunctionSpec;
use crate::wording::{nearest, use_one_of};

const FUNCTION_NAME: NameQuota = NameQuota {
    subject: "function",
    service: "Lambda",
    length: 64,
};

/// Keys of a statement in a role's policy.
const STATEMENT_KEYS: [&str; 7] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl SpecChecker<'_> {
    pub(super) fn function(&mut self, name: &str, function: &FunctionSpec) {
        let path = ["functions", name];
        self.physical_name(self.spans.key(&path), name, FUNCTION_NAME);
        self.code(name, function);
        self.policy_statements(name);
        if let Some(timeout) = function.timeout {
            let span = self.spans.value(&["functions", name, "timeout"]);
            self.timeout(span, "a function's", timeout, FUNCTION_TIMEOUT, None);
            if timeout.seconds().is_none() {
                let error =
                    LocatedError::new(span, "a function's timeout must be in whole seconds");
                self.report(error.hint("write `5s`"));
            }
        }
        for (table, actions) in &function.tables {
            let path = ["functions", name, "tables", table];
            let known = self.declared("tables");
            if !known.contains(&table.as_str()) {
                self.missing(self.spans.key(&path), "table", table, &known);
            } else if actions.is_empty() {
                let error = LocatedError::new(
                    self.spans.value(&path),
                    format!("the list of actions for table `{table}` is empty"),
                );
                self.report(error.hint(
                    "list the actions that the function needs, such as `[GetItem, UpdateItem]`",
                ));
            }
            self.reject_variable(
                name,
                &format!("{}_TABLE", names::screaming_snake(table)),
                table,
            );
        }
        if !function.manage_connections.is_empty() {
            if !self.has("websocket") {
                let span = self.spans.key(&["functions", name, "manageConnections"]);
                self.report(LocatedError::new(
                    span,
                    "`manageConnections` needs a WebSocket API, which the stack does not have",
                ));
            }
            self.reject_variable(name, "MANAGEMENT_ENDPOINT", "manageConnections");
        }
        let authorizer = self.spec.authorizer();
        if authorizer.is_some_and(|authorizer| authorizer.function == name) {
            self.reject_variable(name, "AUTHORIZER_CALLERS", "callers");
        }
        self.invoke(name, function);
        self.invocations(name, function);
        self.attachments(name, function);
    }

    /// Checks that code comes from a binary or a zip file, with the keys that belong to it.
    fn code(&mut self, name: &str, function: &FunctionSpec) {
        let key = |key: &str| self.spans.key(&["functions", name, key]);
        let mut found = Vec::new();
        match (&function.binary, &function.zip) {
            (Some(_), Some(_)) => found.push(
                LocatedError::new(key("zip"), format!("function `{name}` has both `binary` and `zip`"))
                    .related(key("binary"), "`binary` is here")
                    .hint("remove one of them"),
            ),
            (None, None) => found.push(
                LocatedError::new(self.spans.key(&["functions", name]), format!("function `{name}` has no code"))
                    .hint(format!("write `binary: {name}` for a cargo binary, or `zip:` and the path of a zip file")),
            ),
            (Some(_), None) if function.handler.is_some() => found.push(
                LocatedError::new(key("handler"), "`handler` does not apply to a binary").hint("remove it; only zip files \
                    need a handler"),
            ),
            (Some(_), None) => {}
            (None, Some(_)) => {
                for (word, value) in [("runtime", &function.runtime), ("handler", &function.handler)] {
                    if value.is_none() {
                        found.push(
                            LocatedError::new(key("zip"), format!("function `{name}` has a zip file but no `{word}`"))
                                .hint("write, for example, `runtime: nodejs22.x` and `handler: index.handler`"),
                        );
                    }
                }
            }
        }
        self.errors.append(&mut found);
    }

    /// Checks the keys of IAM policy statements.
    fn policy_statements(&mut self, name: &str) {
        let statements = self
            .document
            .at_path(&["functions", name, "policyStatements"]);
        for statement in statements.and_then(Node::as_list).unwrap_or_default() {
            let Some(map) = statement.as_map() else {
                continue;
            };
            let mut found = Vec::new();
            for (key, entry) in map.entries() {
                if !STATEMENT_KEYS.contains(&key) && !key.starts_with("Fn::") {
                    let error = LocatedError::new(
                        entry.key_span,
                        format!("unknown key `{key}` in a policy statement"),
                    );
                    found.push(match nearest(key, STATEMENT_KEYS) {
                        Some(near) => error.hint(format!("did you mean `{near}`?")),
                        None => error.hint(use_one_of(&STATEMENT_KEYS)),
                    });
                }
            }
            match map.get("Effect").map(|node| (&node.value, node.span)) {
                None => found.push(
                    LocatedError::new(statement.span, "the statement lacks `Effect`")
                        .hint("write `Effect: Allow` or `Effect: Deny`"),
                ),
                Some((Value::String(effect), _)) if matches!(effect.as_str(), "Allow" | "Deny") => {
                }
                Some((Value::Call(_), _)) => {}
                Some((_, span)) => {
                    found.push(
                        LocatedError::new(span, "`Effect` must be `Allow` or `Deny`")
                            .hint("begin with a capital letter"),
                    );
                }
            }
            for (one, other) in [("Action", "NotAction"), ("Resource", "NotResource")] {
                match (map.get(one), map.get(other)) {
                    (None, None) => found.push(
                        LocatedError::new(statement.span, format!("the statement lacks `{one}`"))
                            .hint(format!(
                                "write `{one}`, or `{other}` for everything except its values"
                            )),
                    ),
                    (Some(_), Some(node)) => found.push(
                        LocatedError::new(
                            node.span,
                            format!("`{one}` and `{other}` are mutually exclusive"),
                        )
                        .hint("remove one of them"),
                    ),
                    _ => {}
                }
            }
            self.errors.append(&mut found);
        }
    }

    /// Checks that the file does not set a variable that stackgen sets.
    pub(super) fn reject_variable(&mut self, function: &str, variable: &str, reason: &str) {
        if self.spec.functions[function]
            .environment
            .contains_key(variable)
        {
            let span = self
                .spans
                .key(&["functions", function, "environment", variable]);
            let error = LocatedError::new(
                span,
                format!("`{variable}` cannot be set here: stackgen sets it because of `{reason}`"),
            );
            self.report(error.hint("remove the variable"));
        }
    }
}
