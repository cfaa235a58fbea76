//! A correct template, and functions that find the parts in which to make a mistake.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use stackgen_cfn::{Sources, json as documents};
use stackgen_lint::{Finding, LintInput, Severity, lint};

/// A template as JSON, with intrinsic functions in their long form.
#[derive(Clone)]
pub struct Template(pub Value);

impl Template {
    pub fn read(file: &str) -> Template {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut sources = Sources::new();
        let node = stackgen_cfn::parse(sources.add(file, text)).unwrap();
        let mut template = Template(documents::to_json(&node));
        // Edited wiring in a template that stackgen rendered would be another mistake.
        if let Some(deployment) = template.deployment() {
            template.properties(&deployment).shift_remove("Description");
        }
        template
    }

    /// Returns the findings with their locations as `Resource.Path`.
    pub fn findings(&self, previous: Option<&Template>) -> Vec<(Finding, String)> {
        let mut sources = Sources::new();
        let text = serde_json::to_string_pretty(&self.0).unwrap();
        let source = sources.add("template.json", text);
        let template = stackgen_cfn::parse(source).unwrap();
        let previous = previous.map(|it| documents::from_json(&it.0));
        let report = lint(&LintInput {
            template: &template,
            source: Some(source),
            previous: previous.as_ref(),
        });
        let location = |finding: &Finding| {
            let resource = finding.location.resource.as_ref().map(ToString::to_string);
            let mut parts = vec![resource.unwrap_or_default()];
            parts.extend(finding.location.path.iter().cloned());
            parts.join(".")
        };
        report
            .findings
            .into_iter()
            .map(|finding| (location(&finding), finding))
            .map(|(location, finding)| (finding, location))
            .collect()
    }

    pub fn resources(&self) -> &Map<String, Value> {
        self.0["Resources"].as_object().unwrap()
    }

    pub fn put(&mut self, id: &str, kind: &str, properties: Value) {
        self.0["Resources"][id] = json!({ "Type": kind, "Properties": properties });
    }

    /// Removes a resource with the dependencies on it and references to it.
    pub fn remove(&mut self, id: &str) {
        let resources = self.0["Resources"].as_object_mut().unwrap();
        resources.shift_remove(id);
        for resource in resources.values_mut() {
            if let Some(Value::Array(ids)) = resource.get_mut("DependsOn") {
                ids.retain(|other| other != id);
            }
        }
        if let Some(outputs) = self.0.get_mut("Outputs").and_then(Value::as_object_mut) {
            outputs.retain(|_, output| !mentions(output, id));
        }
    }

    pub fn properties(&mut self, id: &str) -> &mut Map<String, Value> {
        self.0["Resources"][id]["Properties"]
            .as_object_mut()
            .unwrap()
    }

    pub fn kind(&self, id: &str) -> &str {
        self.resources()[id]["Type"].as_str().unwrap()
    }

    pub fn find(&self, fits: impl Fn(&Value) -> bool) -> Option<String> {
        self.find_all(fits).next()
    }

    pub fn find_all(&self, fits: impl Fn(&Value) -> bool) -> impl Iterator<Item = String> {
        let found = self
            .resources()
            .iter()
            .filter(move |(_, resource)| fits(resource));
        found.map(|(id, _)| id.clone())
    }

    /// Returns the WebSocket API.
    pub fn api(&self) -> String {
        self.find(|it| {
            it["Type"] == "AWS::Serverless::WebSocketApi"
                || it["Properties"]["ProtocolType"] == "WEBSOCKET"
        })
        .unwrap()
    }

    /// Returns a resource of the WebSocket API that is in the file.
    pub fn of_api(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Option<String> {
        let (api, kind) = (
            json!({ "Ref": self.api() }),
            format!("AWS::ApiGatewayV2::{kind}"),
        );
        self.find(|it| it["Type"] == kind.as_str() && it["Properties"]["ApiId"] == api && fits(it))
    }

    pub fn route(&self, key: &str) -> Option<String> {
        self.of_api("Route", |it| it["Properties"]["RouteKey"] == key)
    }

    /// Returns a route for messages.
    pub fn message_route(&self) -> Option<String> {
        self.of_api("Route", |it| {
            let key = it["Properties"]["RouteKey"].as_str().unwrap_or_default();
            !key.starts_with('$') && it["Properties"]["RouteResponseSelectionExpression"].is_null()
        })
    }

    pub fn authorizer(&self) -> Option<String> {
        self.of_api("Authorizer", |_| true)
    }

    pub fn stage(&self) -> Option<String> {
        self.of_api("Stage", |_| true)
    }

    pub fn deployment(&self) -> Option<String> {
        self.of_api("Deployment", |_| true)
    }

    /// Returns the integration of a route.
    pub fn integration(&self, route: &str) -> Option<String> {
        let target = &self.resources()[route]["Properties"]["Target"];
        let kind = |id: &String| self.kind(id) == "AWS::ApiGatewayV2::Integration";
        self.mentioned(target).into_iter().find(kind)
    }

    /// Returns the function that a value refers to, also through a version or an alias.
    pub fn function(&self, value: &Value) -> Option<String> {
        self.mentioned(value)
            .into_iter()
            .find_map(|id| match self.kind(&id) {
                "AWS::Lambda::Function" | "AWS::Serverless::Function" => Some(id),
                "AWS::Lambda::Version" | "AWS::Lambda::Alias" => {
                    self.function(&self.resources()[&id]["Properties"]["FunctionName"])
                }
                _ => None,
            })
    }

    /// Returns the function of `$connect`, in every dialect.
    pub fn connect_function(&self) -> Option<String> {
        let api = &self.resources()[&self.api()]["Properties"];
        if let Some(function) = api.pointer("/Routes/$connect/FunctionArn") {
            return self.function(function);
        }
        let integration = self.integration(&self.route("$connect")?)?;
        self.function(&self.resources()[&integration]["Properties"]["IntegrationUri"])
    }

    pub fn authorizer_function(&self) -> Option<String> {
        let api = &self.resources()[&self.api()]["Properties"];
        if let Some(function) = api.pointer("/Auth/AuthArn") {
            return self.function(function);
        }
        self.function(&self.resources()[&self.authorizer()?]["Properties"]["AuthorizerUri"])
    }

    /// Returns the permissions of a function, or `None` if API Gateway invokes it with a role.
    pub fn permissions(&self, function: &str) -> Option<Vec<String>> {
        let ids = self.find_all(|it| {
            it["Type"] == "AWS::Lambda::Permission"
                && self.function(&it["Properties"]["FunctionName"]).as_deref() == Some(function)
        });
        Some(ids.collect()).filter(|ids: &Vec<_>| !ids.is_empty())
    }

    /// Sets a variable in a function's environment.
    pub fn set_variable(&mut self, function: &str, name: &str, value: Value) {
        self.0["Resources"][function]["Properties"]["Environment"]["Variables"][name] = value;
    }

    /// Returns the resources that a value refers to.
    pub fn mentioned(&self, value: &Value) -> Vec<String> {
        let mut words = Vec::new();
        collect(value, &mut words);
        words.retain(|word| self.resources().contains_key(word));
        words
    }

    /// Removes every statement that allows an action. Returns true if there was one.
    pub fn remove_action(&mut self, action: &str) -> bool {
        remove_action(&mut self.0["Resources"], action)
    }

    /// Returns every statement of the template that allows an action.
    pub fn statements(&mut self, action: &str) -> Vec<&mut Value> {
        let mut found = Vec::new();
        statements(&mut self.0["Resources"], action, &mut found);
        found
    }
}

fn collect(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.extend(parts.map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(map) => map.values().for_each(|item| collect(item, words)),
        _ => {}
    }
}

fn mentions(value: &Value, id: &str) -> bool {
    let mut words = Vec::new();
    collect(value, &mut words);
    words.iter().any(|word| word == id)
}

fn allows(value: &Value, action: &str) -> bool {
    match value.get("Action") {
        Some(Value::String(one)) => one == action,
        Some(Value::Array(several)) => several.iter().any(|one| one == action),
        _ => false,
    }
}

fn remove_action(value: &mut Value, action: &str) -> bool {
    match value {
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| !allows(item, action));
            let gone = items.len() < before;
            items
                .iter_mut()
                .fold(gone, |gone, item| remove_action(item, action) | gone)
        }
        Value::Object(map) => map
            .values_mut()
            .fold(false, |gone, item| remove_action(item, action) | gone),
        _ => false,
    }
}

fn statements<'v>(value: &'v mut Value, action: &str, found: &mut Vec<&'v mut Value>) {
    match value {
        _ if allows(value, action) => found.push(value),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|it| statements(it, action, found)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|it| statements(it, action, found)),
        _ => {}
    }
}

/// Returns true for errors and warnings.
pub fn is_reported(finding: &Finding) -> bool {
    finding.severity > Severity::Note
}
