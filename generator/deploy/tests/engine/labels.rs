//! What deployments say of themselves.

use proptest::prelude::*;
use stackgen_deploy::{
    CreatedBy, Deployment, DeploymentId, DeploymentMetadata, Timestamp, TrialResult,
};

use crate::account::by_hand;

const DIGEST: &str = "0c646b45934298942649da2370e13bc40395f9fe420b7e61671eabfdffbe9a57";

fn saying(description: &str) -> Deployment {
    Deployment {
        description: Some(description.to_owned()),
        ..by_hand("d", 0)
    }
}

#[test]
fn descriptions_are_read_whatever_stands_around() {
    let full =
        DeploymentMetadata::parse(&format!("stackgen sha256:{DIGEST} git:abc-dirty env:prod"))
            .unwrap();
    assert_eq!(full.digest.to_string(), DIGEST);
    assert_eq!(
        (
            full.git.as_deref(),
            full.environment.as_deref(),
            full.failed()
        ),
        (Some("abc-dirty"), Some("prod"), false)
    );
    let odd = format!(
        "  stackgen\tenv:prod  later:word sha256:{} git:abc-dirty",
        DIGEST.to_uppercase()
    );
    assert_eq!(DeploymentMetadata::parse(&odd), Some(full));
    for not in [
        "",
        "stackgen",
        "stackgen sha256:12",
        "by hand",
        &format!("sha256:{DIGEST}"),
        &format!("my stackgen sha256:{DIGEST}"),
    ] {
        assert_eq!(DeploymentMetadata::parse(not), None, "{not}");
    }
}

#[test]
fn descriptions_of_earlier_versions_stay_readable_and_newer_ones_count_as_foreign() {
    let failed = format!("stackgen sha256:{DIGEST} verify:failed git:abc env:prod");
    let failed = DeploymentMetadata::parse(&failed).unwrap();
    assert_eq!((failed.format, failed.failed()), (1, true));
    let passed = format!(
        "stackgen sha256:{DIGEST} format:2 digest:1 tried:2026-11-29T03:15:21Z by:speaker,listener run:a \
         previous:old git:abc"
    );
    let passed = DeploymentMetadata::parse(&passed).unwrap();
    let callers = vec!["speaker".to_owned(), "listener".to_owned()];
    let at = "2026-11-29T03:15:21Z".to_owned();
    assert_eq!(passed.trial, Some(TrialResult::Passed { at, callers }));
    assert_eq!(passed.previous, Some(DeploymentId::new("old")));
    for newer in ["format:3 digest:1", "format:2 digest:2", "format:x"] {
        let newer = saying(&format!("stackgen sha256:{DIGEST} {newer} git:abc"));
        assert_eq!(newer.created_by(), CreatedBy::Unknown);
    }
}

#[test]
fn a_failed_trial_counts_whatever_passed_before() {
    let both = format!("stackgen sha256:{DIGEST} format:2 tried:a by:b failed:c");
    assert!(DeploymentMetadata::parse(&both).unwrap().failed());
}

#[test]
fn templates_name_no_commit_and_redeploying_does() {
    assert_eq!(
        saying(&format!("stackgen sha256:{DIGEST} env:dev")).created_by(),
        CreatedBy::Template
    );
    assert_eq!(
        saying(&format!("stackgen sha256:{DIGEST} git:none env:dev")).created_by(),
        CreatedBy::Redeploy
    );
    assert_eq!(saying("Deployed by hand").created_by(), CreatedBy::Unknown);
    let auto = Deployment {
        auto_deployed: true,
        ..saying("Automatic deployment triggered by changes to the Api configuration")
    };
    assert_eq!(auto.created_by(), CreatedBy::AutoDeploy);
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_fits(
        git in prop::option::of("[a-z0-9 -]{1,1200}"), environment in prop::option::of("[a-z]{1,1200}"),
        trial in prop::option::of(any::<bool>()), at in 0..2_000_000_000i64,
    ) {
        let trial = trial.map(|passed| match passed {
            true => TrialResult::passed(Timestamp(at), ["speaker", "listener"]),
            false => TrialResult::failed(Timestamp(at)),
        });
        let label = DeploymentMetadata {
            git, environment, trial, ..DeploymentMetadata::new(DIGEST.parse().unwrap())
        };
        let text = label.to_string();
        prop_assert!(text.chars().count() <= 1024);
        let read = DeploymentMetadata::parse(&text).unwrap();
        prop_assert_eq!((&read.digest, &read.trial), (&label.digest, &label.trial));
        prop_assert_eq!(DeploymentMetadata::parse(&read.to_string()), Some(read));
    }

    #[test]
    fn no_description_panics(text in any::<String>()) {
        let _ = DeploymentMetadata::parse(&text);
        let _ = DeploymentMetadata::parse(&format!("stackgen sha256:{text}"));
    }
}
