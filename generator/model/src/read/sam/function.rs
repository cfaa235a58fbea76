//! `AWS::Serverless::Function`.

use stackgen_cfn::{Intrinsic, IntrinsicCall, Map, Node, Value, get_att, map, r#ref, sub};

use super::{Expander, Source, Target, copy, events, policy, tag_list};
use crate::digest::sha256_hex;
use crate::resolve::json;

const SAME: &[&str] = &[
    "Architectures",
    "CodeSigningConfigArn",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "FunctionName",
    "Handler",
    "ImageConfig",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "Timeout",
    "VpcConfig",
];

/// Properties that create resources which the model does not contain.
const NOT_MODELLED: &[&str] = &[
    "DeploymentPreference",
    "EventInvokeConfig",
    "FunctionUrlConfig",
    "ProvisionedConcurrencyConfig",
];

impl Expander<'_> {
    pub(super) fn function(&mut self, source: &Source) {
        let properties = &source.properties;
        let mut function = Map::new();
        copy(properties, &mut function, SAME);
        if let Some(code) = code(properties) {
            function.insert("Code", code);
        }
        if let Some(mode) = properties.get("Tracing") {
            function.insert("TracingConfig", map([("Mode", mode.clone())]));
        }
        if let Some(arn) = properties.at_path(&["DeadLetterQueue", "TargetArn"]) {
            function.insert("DeadLetterConfig", map([("TargetArn", arn.clone())]));
        }
        let mut tags = Map::new();
        tags.insert("lambda:createdBy", "SAM");
        for (key, value) in properties
            .get("Tags")
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(Map::iter)
        {
            tags.insert(key, value.clone());
        }
        function.insert("Tags", tag_list(&tags));
        let role = format!("{}Role", source.id);
        let given = properties.get("Role").cloned();
        let has_role = given.is_some();
        function.insert("Role", given.unwrap_or_else(|| get_att(&role, "Arn")));
        self.own(source, "AWS::Lambda::Function", function);
        let target = self
            .published(source)
            .map_or_else(|| Target::Function(source.id.to_owned()), Target::Alias);
        if !has_role {
            let properties = execution_role(source, &role, &tags);
            self.generated(source, role, "AWS::IAM::Role", properties, source.span);
        }
        for key in NOT_MODELLED
            .iter()
            .filter(|key| properties.get(key).is_some())
        {
            self.unrelated_gap(
                format!("{key} of {} is not in the model", source.id),
                source.span,
            );
        }
        self.events(source, &target);
    }

    /// Adds the alias of `AutoPublishAlias`, with its version.
    fn published(&mut self, source: &Source) -> Option<String> {
        let name = source.properties.get("AutoPublishAlias")?;
        let parameter = name.as_call().and_then(IntrinsicCall::as_ref_name);
        let default =
            parameter.and_then(|name| self.template.at_path(&["Parameters", name, "Default"]));
        let Some(literal) = name.as_str().or_else(|| default?.as_str()) else {
            self.gap(
                format!("the name of the alias of {} is unknown", source.id),
                name.span,
            );
            return None;
        };
        let version = format!("{}Version{}", source.id, version_suffix(&source.properties));
        let alias = format!("{}Alias{literal}", source.id);
        let mut properties = Map::new();
        properties.insert("FunctionName", r#ref(source.id));
        self.generated(
            source,
            version.clone(),
            "AWS::Lambda::Version",
            properties,
            name.span,
        );
        if let Some(resource) = self.resources.get_mut(&version).and_then(Node::as_map_mut) {
            let policy = source.properties.get("VersionDeletionPolicy").cloned();
            resource.insert("DeletionPolicy", policy.unwrap_or_else(|| "Retain".into()));
        }
        let mut properties = Map::new();
        properties.insert("Name", literal);
        properties.insert("FunctionName", r#ref(source.id));
        properties.insert("FunctionVersion", get_att(&version, "Version"));
        self.generated(
            source,
            alias.clone(),
            "AWS::Lambda::Alias",
            properties,
            name.span,
        );
        self.aliases
            .insert(format!("{}.Version", source.id), version);
        self.aliases
            .insert(format!("{}.Alias", source.id), alias.clone());
        Some(alias)
    }
}

/// Returns `CodeUri`, `InlineCode` or `ImageUri` as `Code`.
fn code(properties: &Node) -> Option<Node> {
    if let Some(text) = properties.get("InlineCode") {
        return Some(map([("ZipFile", text.clone())]));
    }
    if let Some(uri) = properties.get("ImageUri") {
        return Some(map([("ImageUri", uri.clone())]));
    }
    properties.get("CodeUri").map(location)
}

/// Returns the location of code or of a layer's content. A path that is not packaged yet stays a path.
pub(super) fn location(uri: &Node) -> Node {
    if let Some(s3) = uri.as_str().and_then(|uri| uri.strip_prefix("s3://"))
        && let Some((bucket, key)) = s3.split_once('/')
    {
        return map([("S3Bucket", bucket.into()), ("S3Key", Node::from(key))]);
    }
    let Some(location) = uri.as_map() else {
        return uri.clone();
    };
    let names = [
        ("S3Bucket", "Bucket"),
        ("S3Key", "Key"),
        ("S3ObjectVersion", "Version"),
    ];
    let parts = names
        .into_iter()
        .filter_map(|(to, from)| Some((to, location.get(from)?.clone())));
    map(parts)
}

/// Returns ten digits that change with the location of the code. SAM's translator uses SHA-1, so its IDs differ from
/// these.
fn version_suffix(properties: &Node) -> String {
    let text = match properties
        .get("AutoPublishCodeSha256")
        .and_then(Node::as_str)
    {
        Some(digest) => return digest.chars().take(10).collect(),
        None => code(properties)
            .map(|code| json(&code).to_string())
            .unwrap_or_default(),
    };
    sha256_hex(text.as_bytes())[..10].to_owned()
}

fn execution_role(source: &Source, id: &str, tags: &Map) -> Map {
    let properties = &source.properties;
    let trust = || {
        let statement = map([
            ("Action", Node::from(vec![Node::from("sts:AssumeRole")])),
            ("Effect", "Allow".into()),
            (
                "Principal",
                map([(
                    "Service",
                    Node::from(vec![Node::from("lambda.amazonaws.com")]),
                )]),
            ),
        ]);
        map([
            ("Version", Node::from("2012-10-17")),
            ("Statement", vec![statement].into()),
        ])
    };
    let mut arns = managed_policies(properties);
    let mut policies = Vec::new();
    let given = properties.get("Policies");
    let given = given
        .map(|node| node.as_list().unwrap_or(std::slice::from_ref(node)))
        .unwrap_or_default();
    for (index, given) in given.iter().enumerate() {
        let policy = &policy::expanded(given);
        match &policy.value {
            Value::Map(document) => {
                let name = format!("{id}Policy{index}");
                policies.push(map([
                    ("PolicyName", name.into()),
                    ("PolicyDocument", policy_document(document, policy)),
                ]));
            }
            _ => arns.push(policy::managed_arn(given)),
        }
    }
    arns.extend(events::managed_policies(properties));
    let mut role = Map::new();
    let given = properties.get("AssumeRolePolicyDocument").cloned();
    role.insert("AssumeRolePolicyDocument", given.unwrap_or_else(trust));
    role.insert("ManagedPolicyArns", arns);
    if !policies.is_empty() {
        role.insert("Policies", policies);
    }
    copy(properties, &mut role, &["PermissionsBoundary"]);
    if let Some(path) = properties.get("RolePath") {
        role.insert("Path", path.clone());
    }
    role.insert("Tags", tag_list(tags));
    role
}

/// Returns the managed policies that SAM attaches to every role, and those for networks and traces.
fn managed_policies(properties: &Node) -> Vec<Node> {
    let managed = |name: &str| sub(format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}"));
    let mut arns = vec![managed("service-role/AWSLambdaBasicExecutionRole")];
    if properties.get("VpcConfig").is_some() {
        arns.push(managed("service-role/AWSLambdaVPCAccessExecutionRole"));
    }
    if properties
        .get("Tracing")
        .and_then(Node::as_str)
        .is_some_and(|mode| mode != "Disabled")
    {
        arns.push(managed("AWSXrayWriteOnlyAccess"));
    }
    arns
}

/// Returns a policy. A policy template that the model does not know is an unknown macro result.
fn policy_document(document: &Map, policy: &Node) -> Node {
    if document.get("Statement").is_some() {
        return policy.clone();
    }
    Node::from(IntrinsicCall::new(Intrinsic::Transform, policy.clone())).at(policy.span)
}
