//! Small stacks as plain data, rendered to templates in any order and with any logical IDs.

use proptest::prelude::*;
use stackgen_cfn::{Map, Node, get_att, join, map, r#ref, sub};
use stackgen_model::{Inputs, Model};

/// A WebSocket API with functions `f0` to `f2`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stack {
    pub(crate) routes: Vec<Route>,
    pub(crate) authorizer: bool,
    pub(crate) timeout: i64,
    pub(crate) memory: i64,
    pub(crate) throttle: i64,
    pub(crate) api_name: String,
    pub(crate) selection: String,
    pub(crate) auto_deploy: bool,
    pub(crate) deployment: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    pub(crate) key: String,
    pub(crate) function: usize,
    pub(crate) two_way: bool,
}

impl Stack {
    pub(crate) fn small() -> Stack {
        let route = |key: &str, function| Route {
            key: key.to_owned(),
            function,
            two_way: false,
        };
        Stack {
            routes: vec![route("$connect", 0), route("send", 1)],
            authorizer: true,
            timeout: 10_000,
            memory: 256,
            throttle: 100,
            api_name: "chat".to_owned(),
            selection: "$request.body.action".to_owned(),
            auto_deploy: false,
            deployment: "DeploymentA".to_owned(),
        }
    }

    pub(crate) fn model(&self) -> Model {
        Model::from_template(&self.template("", false), &Inputs::none())
    }

    /// Returns the template. `salt` is part of the irrelevant logical IDs, and `reversed` reverses the order.
    pub(crate) fn template(&self, salt: &str, reversed: bool) -> Node {
        let mut resources = vec![self.api(), self.stage(), self.deployment()];
        for index in 0..3 {
            let properties = [
                ("FunctionName", Node::from(format!("f{index}"))),
                ("Role", get_att("Role", "Arn")),
                ("MemorySize", self.memory.into()),
            ];
            resources.push(resource(
                &format!("Function{index}"),
                "AWS::Lambda::Function",
                map(properties),
            ));
        }
        resources.push(resource(
            "Role",
            "AWS::IAM::Role",
            map([("RoleName", Node::from("chat"))]),
        ));
        for (index, route) in self.routes.iter().enumerate() {
            resources.extend(self.route(route, &format!("{salt}R{index}"), salt));
        }
        if self.authorizer {
            let properties = [
                ("ApiId", r#ref("Api")),
                ("Name", "auth".into()),
                ("AuthorizerType", "REQUEST".into()),
                ("AuthorizerUri", invocation(0)),
            ];
            resources.push(resource(
                &format!("{salt}Auth"),
                "AWS::ApiGatewayV2::Authorizer",
                map(properties),
            ));
        }
        if reversed {
            resources.reverse();
        }
        map([(
            "Resources",
            Node::from(resources.into_iter().collect::<Map>()),
        )])
    }

    fn api(&self) -> (String, Node) {
        let properties = [
            ("Name", Node::from(self.api_name.as_str())),
            ("ProtocolType", "WEBSOCKET".into()),
            ("RouteSelectionExpression", self.selection.as_str().into()),
        ];
        resource("Api", "AWS::ApiGatewayV2::Api", map(properties))
    }

    fn stage(&self) -> (String, Node) {
        let throttle = map([("ThrottlingBurstLimit", Node::from(self.throttle))]);
        let pointer = match self.auto_deploy {
            true => ("AutoDeploy", Node::from(true)),
            false => ("DeploymentId", r#ref(&self.deployment)),
        };
        let properties = [
            ("ApiId", r#ref("Api")),
            ("StageName", "dev".into()),
            ("DefaultRouteSettings", throttle),
            pointer,
        ];
        resource("Stage", "AWS::ApiGatewayV2::Stage", map(properties))
    }

    fn deployment(&self) -> (String, Node) {
        resource(
            &self.deployment,
            "AWS::ApiGatewayV2::Deployment",
            map([("ApiId", r#ref("Api"))]),
        )
    }

    fn route(&self, route: &Route, id: &str, salt: &str) -> Vec<(String, Node)> {
        let integration = format!("{id}Integration");
        let mut properties = vec![
            ("ApiId", r#ref("Api")),
            ("RouteKey", Node::from(route.key.as_str())),
            (
                "Target",
                join("/", ["integrations".into(), r#ref(&integration)]),
            ),
        ];
        if self.authorizer && route.key == "$connect" {
            properties.push(("AuthorizationType", "CUSTOM".into()));
            properties.push(("AuthorizerId", r#ref(format!("{salt}Auth"))));
        }
        let mut resources = Vec::new();
        if route.two_way {
            properties.push(("RouteResponseSelectionExpression", "$default".into()));
            let response = [
                ("ApiId", r#ref("Api")),
                ("RouteId", r#ref(id)),
                ("RouteResponseKey", "$default".into()),
            ];
            resources.push(resource(
                &format!("{id}Response"),
                "AWS::ApiGatewayV2::RouteResponse",
                map(response),
            ));
        }
        resources.push(resource(id, "AWS::ApiGatewayV2::Route", map(properties)));
        let properties = [
            ("ApiId", r#ref("Api")),
            ("IntegrationType", "AWS_PROXY".into()),
            ("IntegrationUri", invocation(route.function)),
            ("TimeoutInMillis", self.timeout.into()),
        ];
        resources.push(resource(
            &integration,
            "AWS::ApiGatewayV2::Integration",
            map(properties),
        ));
        resources
    }
}

/// Returns the model of a stack with more resources, or replacements of its own.
pub(crate) fn with(stack: &Stack, extra: impl IntoIterator<Item = (String, Node)>) -> Model {
    let mut template = stack.template("", false);
    let resources = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Resources"))
        .and_then(Node::as_map_mut)
        .expect("there are resources");
    for (id, node) in extra {
        resources.insert(id, node);
    }
    Model::from_template(&template, &Inputs::none())
}

pub(crate) fn resource(id: &str, kind: &str, properties: Node) -> (String, Node) {
    (
        id.to_owned(),
        map([("Type", Node::from(kind)), ("Properties", properties)]),
    )
}

fn invocation(function: usize) -> Node {
    sub(format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{Function{function}.Arn}}/invocations"
    ))
}

/// Small stacks that often differ in one thing only.
pub(crate) fn stacks() -> impl Strategy<Value = Stack> {
    let key = prop::sample::select(vec!["$connect", "$default", "send", "join"]);
    let route = (key, 0..3_usize, any::<bool>());
    let routes = prop::collection::vec(route, 1..4).prop_map(|routes| {
        let mut routes: Vec<Route> = routes
            .into_iter()
            .map(|(key, function, two_way)| Route {
                key: key.to_owned(),
                function,
                two_way,
            })
            .collect();
        routes.sort_by(|left, right| left.key.cmp(&right.key));
        routes.dedup_by(|left, right| left.key == right.key);
        routes
    });
    let few = |values: [i64; 2]| prop::sample::select(values.to_vec());
    let names = prop::sample::select(vec!["chat".to_owned(), "talk".to_owned()]);
    let selections = prop::sample::select(vec![
        "$request.body.action".to_owned(),
        "$request.body.type".to_owned(),
    ]);
    let settings = (
        any::<bool>(),
        few([5_000, 10_000]),
        few([128, 256]),
        few([1, 2]),
        any::<bool>(),
    );
    (routes, names, selections, settings).prop_map(|(routes, api_name, selection, settings)| {
        let (authorizer, timeout, memory, throttle, auto_deploy) = settings;
        let deployment = "DeploymentA".to_owned();
        Stack {
            routes,
            authorizer,
            timeout,
            memory,
            throttle,
            api_name,
            selection,
            auto_deploy,
            deployment,
        }
    })
}
