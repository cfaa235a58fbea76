//! Descriptions of deployments.

use proptest::prelude::*;
use stackgen_deploy::{CreatedBy, DeploymentId, DeploymentInfo, DeploymentMetadata, VerifyRecord};

use crate::memory::by_hand;
use crate::support::at;

const DIGEST: &str = "0c646b45934298942649da2370e13bc40395f9fe420b7e61671eabfdffbe9a57";

fn described(description: &str) -> DeploymentInfo {
    DeploymentInfo {
        description: Some(description.to_owned()),
        ..by_hand("d", 0)
    }
}

#[test]
fn descriptions_are_parsed_whatever_surrounds_the_words() {
    let full =
        DeploymentMetadata::parse(&format!("stackgen sha256:{DIGEST} git:abc-dirty env:prod"))
            .unwrap();
    assert_eq!(full.digest.to_string(), DIGEST);
    assert_eq!(
        (
            full.git.as_deref(),
            full.environment.as_deref(),
            full.is_failed()
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
    assert_eq!((failed.format, failed.is_failed()), (1, true));
    let passed = format!(
        "stackgen sha256:{DIGEST} format:2 digest:1 tried:2026-11-29T03:15:21Z by:speaker,listener run:a \
         previous:old git:abc"
    );
    let passed = DeploymentMetadata::parse(&passed).unwrap();
    let callers = vec!["speaker".to_owned(), "listener".to_owned()];
    let at = "2026-11-29T03:15:21Z".to_owned();
    assert_eq!(
        passed.verification,
        Some(VerifyRecord::Verified { at, callers })
    );
    assert_eq!(passed.previous, Some(DeploymentId::new("old")));
    for newer in ["format:3 digest:1", "format:2 digest:2", "format:x"] {
        let newer = described(&format!("stackgen sha256:{DIGEST} {newer} git:abc"));
        assert_eq!(newer.created_by(), CreatedBy::Unknown);
    }
}

#[test]
fn a_failed_verification_outweighs_an_earlier_one_that_passed() {
    let both = format!("stackgen sha256:{DIGEST} format:2 tried:a by:b failed:c");
    assert!(DeploymentMetadata::parse(&both).unwrap().is_failed());
}

#[test]
fn templates_name_no_commit_and_redeploys_do() {
    assert_eq!(
        described(&format!("stackgen sha256:{DIGEST} env:dev")).created_by(),
        CreatedBy::Template
    );
    assert_eq!(
        described(&format!("stackgen sha256:{DIGEST} git:none env:dev")).created_by(),
        CreatedBy::Redeploy
    );
    assert_eq!(
        described("Deployed by hand").created_by(),
        CreatedBy::Unknown
    );
    let auto = DeploymentInfo {
        auto_deployed: true,
        ..described("Automatic deployment triggered by changes to the Api configuration")
    };
    assert_eq!(auto.created_by(), CreatedBy::AutoDeploy);
}

proptest! {
    #[test]
    fn written_descriptions_parse_again_and_fit(
        git in prop::option::of("[a-z0-9 -]{1,1200}"), environment in prop::option::of("[a-z]{1,1200}"),
        verified in prop::option::of(any::<bool>()), seconds in 0..2_000_000_000i64,
    ) {
        let verification = verified.map(|verified| match verified {
            true => VerifyRecord::verified(at(seconds), ["speaker", "listener"]),
            false => VerifyRecord::failed(at(seconds)),
        });
        let metadata = DeploymentMetadata {
            git, environment, verification, ..DeploymentMetadata::new(DIGEST.parse().unwrap())
        };
        let text = metadata.to_string();
        prop_assert!(text.chars().count() <= 1024);
        let read = DeploymentMetadata::parse(&text).unwrap();
        prop_assert_eq!((&read.digest, &read.verification), (&metadata.digest, &metadata.verification));
        prop_assert_eq!(DeploymentMetadata::parse(&read.to_string()), Some(read));
    }

    #[test]
    fn no_description_panics(text in any::<String>()) {
        let _ = DeploymentMetadata::parse(&text);
        let _ = DeploymentMetadata::parse(&format!("stackgen sha256:{text}"));
    }
}
