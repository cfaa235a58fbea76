//! SAM's policies: templates such as `DynamoDBCrudPolicy: {TableName: …}`, and names of AWS's managed policies.

use std::collections::HashMap;
use std::sync::LazyLock;

use stackgen_cfn::{Map, Node, map, sub};

use super::sub_with;

/// The statements of SAM's policy templates; the file describes its format.
const TEMPLATES: &str = include_str!("policy_templates.txt");

/// The managed policies of AWS whose ARNs have a path.
const MANAGED: &str = include_str!("managed_policies.txt");

/// The statements of each template.
static STATEMENTS: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut statements: HashMap<_, Vec<_>> = HashMap::new();
    for (name, statement) in lines(TEMPLATES) {
        statements.entry(name).or_default().push(statement);
    }
    statements
});

/// The paths of managed policies by name.
static PATHS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = lines(MANAGED);
    let paths = lines.flat_map(|(path, names)| names.split(' ').map(move |name| (name, path)));
    paths.collect()
});

/// Returns the lines of a table, each with its first word and the rest.
pub(super) fn lines(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' '))
}

/// Returns the policy document of a policy template, or the node itself for anything else.
pub(super) fn expanded(policy: &Node) -> Node {
    let statements = policy.as_map().and_then(statements);
    match statements {
        Some(statements) => map([("Statement", Node::from(statements))]).at(policy.span),
        None => policy.clone(),
    }
}

/// Returns the ARN of a managed policy that is given by its name, as SAM does, or the node itself for anything else.
pub(super) fn managed_arn(policy: &Node) -> Node {
    let is_name = |text: &&str| {
        let mut letters = text.chars();
        !text.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
    };
    let Some(name) = policy.as_str().filter(is_name) else {
        return policy.clone();
    };
    let path = PATHS.get(name).map(|path| format!("{path}/"));
    let path = path.unwrap_or_default();
    sub(format!(
        "arn:${{AWS::Partition}}:iam::aws:policy/{path}{name}"
    ))
    .at(policy.span)
}

fn statements(policy: &Map) -> Option<Vec<Node>> {
    let (name, arguments) = policy.iter().next().filter(|_| policy.len() == 1)?;
    let statements = STATEMENTS.get(name)?.iter();
    statements.map(|line| statement(line, arguments)).collect()
}

/// Returns a statement with the arguments of the template, or `None` if an argument is missing.
fn statement(line: &'static str, arguments: &Node) -> Option<Node> {
    let mut words = line.split(' ');
    let mut statement = Map::new();
    statement.insert("Effect", "Allow");
    statement.insert("Action", actions(words.next()?)?);
    let (conditions, resources): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with("if:"));
    let resources = resources.into_iter().map(|arn| resource(arn, arguments));
    statement.insert("Resource", resources.collect::<Option<Vec<Node>>>()?);
    for condition in conditions {
        let (operator, rest) = condition.strip_prefix("if:")?.split_once(':')?;
        let (key, value) = rest.split_once('=')?;
        let condition = map([(operator, map([(key, resource(value, arguments)?)]))]);
        statement.insert("Condition", condition);
    }
    Some(Node::from(statement).at(arguments.span))
}

/// Returns the actions of `dynamodb:GetItem,PutItem`.
pub(super) fn actions(text: &str) -> Option<Vec<Node>> {
    let (service, names) = text.split_once(':')?;
    let names = names.split(',');
    Some(
        names
            .map(|name| format!("{service}:{name}").into())
            .collect(),
    )
}

/// Returns a resource with the arguments of the template, or `None` if an argument is missing.
fn resource(arn: &'static str, arguments: &Node) -> Option<Node> {
    let mut variables = Vec::new();
    for part in arn.split("${").skip(1) {
        let (name, _) = part.split_once('}')?;
        if !name.starts_with("AWS::") {
            variables.push((name, arguments.get(name)?.clone()));
        }
    }
    Some(match arn.contains("${") {
        true => sub_with(arn, variables),
        false => arn.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_expands_with_its_arguments() {
        assert_eq!(STATEMENTS.len(), 81);
        for (name, lines) in STATEMENTS.iter() {
            let arguments = lines.iter().flat_map(|line| line.split("${").skip(1));
            let arguments = arguments.filter_map(|part| {
                let (name, _) = part.split_once('}')?;
                (!name.starts_with("AWS::")).then(|| (name, Node::from("x")))
            });
            let policy = map([(*name, map(arguments))]);
            let statements = policy.as_map().and_then(statements);
            let statements = statements.unwrap_or_else(|| panic!("{name}"));
            assert_eq!(statements.len(), lines.len(), "{name}");
            for (statement, line) in statements.iter().zip(lines) {
                let has_condition = statement.get("Condition").is_some();
                assert_eq!(has_condition, line.contains(" if:"), "{name}");
            }
        }
    }

    #[test]
    fn a_template_with_a_condition_takes_its_arguments() {
        let arguments = map([("FunctionName", Node::from("rotate"))]);
        let policy = map([("AWSSecretsManagerRotationPolicy", arguments)]);
        let document = crate::resolve::json(&expanded(&policy)).to_string();
        let condition =
            r#""Condition":{"StringEquals":{"secretsmanager:resource/AllowRotationLambdaArn":"#;
        assert!(document.contains(condition), "{document}");
        assert!(
            document.contains(r#""FunctionName":"rotate""#),
            "{document}"
        );
    }

    #[test]
    fn a_managed_policy_by_name_gets_its_arn() {
        let arn = |name: &str| crate::resolve::json(&managed_arn(&Node::from(name))).to_string();
        for (name, path) in [
            ("AWSLambdaRole", "service-role/AWSLambdaRole"),
            ("ViewOnlyAccess", "job-function/ViewOnlyAccess"),
            ("AmazonS3ReadOnlyAccess", "AmazonS3ReadOnlyAccess"),
        ] {
            let expected = format!("iam::aws:policy/{path}\"");
            assert!(arn(name).contains(&expected), "{}", arn(name));
        }
        let given = Node::from("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
        assert_eq!(managed_arn(&given), given);
    }

    #[test]
    fn a_policy_that_is_no_known_template_stays() {
        for policy in [
            map([("NoSuchPolicy", map([("TableName", "t".into())]))]),
            map([("DynamoDBCrudPolicy", map([("Table", "t".into())]))]),
            map([("Statement", Node::from("x"))]),
            Node::from("AmazonS3ReadOnlyAccess"),
        ] {
            assert_eq!(expanded(&policy), policy);
        }
    }
}
