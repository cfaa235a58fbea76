//! SAM's policy templates, such as `DynamoDBCrudPolicy: {TableName: …}`.

use stackgen_cfn::{Map, Node, map};

use super::sub_with;

/// The statements of the policy templates in AWS's documentation, one per line: the template, the actions, and the
/// resources. Templates with conditions are left out.
const TEMPLATES: &str = include_str!("policy_templates.txt");

/// Returns the policy document of a policy template, or the node itself for anything else.
pub(super) fn expanded(policy: &Node) -> Node {
    let statements = policy.as_map().and_then(statements);
    match statements {
        Some(statements) => map([("Statement", Node::from(statements))]).at(policy.span),
        None => policy.clone(),
    }
}

fn statements(policy: &Map) -> Option<Vec<Node>> {
    let (name, arguments) = policy.iter().next().filter(|_| policy.len() == 1)?;
    let lines = TEMPLATES.lines().map(|line| line.split(' '));
    let of_template = lines.filter_map(|mut words| (words.next()? == name).then_some(words));
    let statements: Option<Vec<Node>> = of_template
        .map(|mut words| {
            let actions = actions(words.next()?)?;
            let resources: Option<Vec<Node>> = words.map(|arn| resource(arn, arguments)).collect();
            let entries = [
                ("Effect", Node::from("Allow")),
                ("Action", actions.into()),
                ("Resource", resources?.into()),
            ];
            Some(map(entries).at(arguments.span))
        })
        .collect();
    statements.filter(|statements| !statements.is_empty())
}

/// Returns the actions of `dynamodb:GetItem,PutItem`.
fn actions(text: &str) -> Option<Vec<Node>> {
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
        for line in TEMPLATES.lines() {
            let name = line.split(' ').next().unwrap();
            let arguments = line.split("${").skip(1).filter_map(|part| {
                let (name, _) = part.split_once('}')?;
                (!name.starts_with("AWS::")).then(|| (name, Node::from("x")))
            });
            let policy = map([(name, map(arguments))]);
            // Other statements of the template may need other arguments.
            let all = TEMPLATES
                .lines()
                .filter(|other| other.starts_with(&format!("{name} ")));
            if let Some(statements) = policy.as_map().and_then(statements) {
                assert_eq!(statements.len(), all.count(), "{name}");
            } else {
                assert!(all.count() > 1, "{name}");
            }
        }
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
