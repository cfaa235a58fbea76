//! Roles that are assumed.

use stackgen_aws::{AccessKey, AccessOptions, AssumedRole, Aws, CallerIdentity};
use stackgen_deploy::AccountErrorKind as Kind;
use stackgen_test_tools::FakeAws;

use crate::replay::options;

fn assuming(account: &FakeAws, role: &str) -> AccessOptions {
    AccessOptions {
        access_key: Some(AccessKey {
            id: "AKIDALICE".to_owned(),
            secret: "secret".to_owned(),
        }),
        assume_role: Some(format!("arn:aws:iam::111122223333:role/{role}")),
        ..options(&format!("http://{}", account.address()))
    }
}

#[tokio::test]
async fn calls_are_made_as_the_role_that_the_options_name() {
    let account = FakeAws::start().await;
    let aws = Aws::connect(&assuming(&account, "deployer")).await.unwrap();
    let expected = CallerIdentity {
        arn: "arn:aws:sts::111122223333:assumed-role/deployer/session".to_owned(),
        assumed: Some(AssumedRole {
            role: "arn:aws:iam::111122223333:role/deployer".to_owned(),
            by: "arn:aws:iam::111122223333:user/alice".to_owned(),
        }),
    };
    assert_eq!(aws.identity().await.unwrap(), expected);
    let requests = account.requests();
    let assumed: Vec<_> = requests
        .iter()
        .filter(|request| request.get("Action") == "AssumeRole")
        .collect();
    assert_eq!(assumed.len(), 1, "{requests:?}");
    assert_eq!(assumed[0].access_key, "AKIDALICE");
    let session = assumed[0].get("RoleSessionName");
    assert!(session.starts_with("stackgen-"), "{session}");
}

#[tokio::test]
async fn a_role_that_must_not_be_assumed_names_the_missing_permission() {
    let account = FakeAws::start().await;
    let refused = Aws::connect(&assuming(&account, "forbidden")).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, Kind::AccessDenied, "{refused}");
    assert_eq!(
        refused.hint().unwrap(),
        "the caller needs sts:AssumeRole on arn:aws:iam::111122223333:role/forbidden"
    );
}

#[tokio::test]
async fn the_identity_without_a_role_is_that_of_the_credentials() {
    let account = FakeAws::start().await;
    let options = AccessOptions {
        assume_role: None,
        ..assuming(&account, "deployer")
    };
    let identity = Aws::connect(&options).await.unwrap().identity().await;
    let expected = CallerIdentity {
        arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
        assumed: None,
    };
    assert_eq!(identity.unwrap(), expected);
}
