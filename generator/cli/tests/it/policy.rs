//! `stackgen policy`

use serde_json::Value;

use crate::common::{Run, Sandbox, root};

/// Returns the resources on which a policy allows an action.
fn resources(run: &Run, action: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(&run.stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let has_action = |statement: &&Value| {
        let mut actions = statement["Action"].as_array().unwrap().iter();
        actions.any(|found| found == action)
    };
    let allowed = statements.filter(has_action);
    let listed = allowed.flat_map(|statement| statement["Resource"].as_array().unwrap());
    listed.map(|arn| arn.as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_environment_limits_a_policy_to_its_stack_functions_and_bucket() {
    let sandbox = Sandbox::starter("echo");
    let run = sandbox.run("policy --env dev --account 111122223333 --region eu-west-1");
    assert_eq!(run.code, Some(0), "{run}");
    let account = "eu-west-1:111122223333";
    let allowed = |action| resources(&run, action);
    let function = format!("arn:aws:lambda:{account}:function:echo-dev");
    assert_eq!(
        allowed("lambda:UpdateFunctionCode"),
        [function.clone(), format!("{function}:*")]
    );
    let stack = format!("arn:aws:cloudformation:{account}:stack/echo-dev/*");
    assert_eq!(allowed("cloudformation:CreateChangeSet"), [stack]);
    let bucket = "arn:aws:s3:::stackgen-artifacts-111122223333-eu-west-1/*";
    assert_eq!(allowed("s3:PutObject"), [bucket]);
    let stage = "arn:aws:apigateway:eu-west-1::/apis/*/stages/*".to_owned();
    assert!(allowed("apigateway:PATCH").contains(&stage));
    let role = "arn:aws:iam::111122223333:role/echo-dev*";
    assert_eq!(allowed("iam:CreateRole"), [role]);
    assert_eq!(allowed("iam:PassRole"), [role]);
}

#[test]
fn with_a_role_for_cloudformation_the_policy_allows_to_pass_it_and_nothing_else() {
    let sandbox = Sandbox::starter("live-session");
    let role = "arn:aws:iam::111122223333:role/deployer";
    let run = sandbox.run(&format!("policy --env prod --role-arn {role}"));
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(resources(&run, "iam:PassRole"), [role]);
    for action in [
        "iam:CreateRole",
        "lambda:CreateFunction",
        "dynamodb:CreateTable",
    ] {
        assert_eq!(resources(&run, action), [""; 0], "{action}");
    }
}

#[test]
fn the_policy_of_one_api_names_nothing_else() {
    let run = Sandbox::new().run("policy --api-id a1b2c3 --region eu-west-1 --partition aws-cn");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stdout.contains("lambda:"), "{run}");
    assert!(!run.stdout.contains("cloudformation:"), "{run}");
    assert_eq!(
        resources(&run, "apigateway:DELETE"),
        ["arn:aws-cn:apigateway:eu-west-1::/apis/a1b2c3/deployments/*"]
    );
    assert!(!run.stdout.contains("/apis/*"), "{run}");
}

#[test]
fn a_policy_for_diagnosis_names_the_stack_or_one_api() {
    let sandbox = Sandbox::starter("live-session");
    let place = "--account 111122223333 --region eu-west-1";
    let run = sandbox.run(&format!("policy --for doctor --env prod {place}"));
    assert_eq!(run.code, Some(0), "{run}");
    let allowed = |action| resources(&run, action);
    assert_eq!(
        allowed("execute-api:ManageConnections"),
        ["arn:aws:execute-api:eu-west-1:111122223333:*/*/GET/@connections/*"]
    );
    let tables = allowed("dynamodb:Scan");
    let is_of_stack = |arn: &String| arn.contains(":table/") && arn.contains("-prod");
    assert!(
        !tables.is_empty() && tables.iter().all(is_of_stack),
        "{tables:?}"
    );
    let roles = allowed("iam:SimulatePrincipalPolicy");
    assert!(
        !roles.iter().any(|arn| arn.ends_with("role/*")),
        "{roles:?}"
    );
    let run = Sandbox::new().run(&format!("policy --for logs --api-id a1b2c3 {place}"));
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        resources(&run, "logs:FilterLogEvents"),
        ["arn:aws:logs:eu-west-1:111122223333:log-group:*"]
    );
    assert!(!run.stdout.contains("/apis/*"), "{run}");
}

#[test]
fn a_deploy_policy_of_one_api_is_refused() {
    let run = Sandbox::new().run("policy --for deploy --api-id a1b2c3");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr.contains("a deploy takes an environment"),
        "{run}"
    );
}

#[test]
fn resources_of_unknown_types_are_reported() {
    let everything = root().join("generator/synth/tests/it/everything.yaml");
    let sandbox = Sandbox::with(&std::fs::read_to_string(everything).unwrap());
    let run = sandbox.run("policy --env prod");
    assert_eq!(run.code, Some(0), "{run}");
    let note = "note: the policy allows nothing for AWS::Events::EventBus, AWS::Kinesis::Stream, AWS::SNS::Topic\n";
    assert!(run.stderr.contains(note), "{run}");
}
