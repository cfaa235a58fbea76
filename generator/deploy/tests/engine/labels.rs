//! What deployments say of themselves.

use proptest::prelude::*;
use stackgen_deploy::{CreatedBy, Deployment, DeploymentMetadata};

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
            full.failed
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
fn templates_name_no_commit_and_redeploying_does() {
    assert_eq!(
        saying(&format!("stackgen sha256:{DIGEST} env:dev")).maker(),
        CreatedBy::Template
    );
    assert_eq!(
        saying(&format!("stackgen sha256:{DIGEST} git:none env:dev")).maker(),
        CreatedBy::Redeploy
    );
    assert_eq!(saying("Deployed by hand").maker(), CreatedBy::Unknown);
    let auto = Deployment {
        auto_deployed: true,
        ..saying("Automatic deployment triggered by changes to the Api configuration")
    };
    assert_eq!(auto.maker(), CreatedBy::AutoDeploy);
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_fits(
        git in prop::option::of("[a-z0-9 -]{1,1200}"), environment in prop::option::of("[a-z]{1,1200}"), failed: bool,
    ) {
        let label = DeploymentMetadata { digest: DIGEST.parse().unwrap(), git, environment, failed };
        let text = label.to_string();
        prop_assert!(text.chars().count() <= 1024);
        let read = DeploymentMetadata::parse(&text).unwrap();
        prop_assert_eq!((&read.digest, read.failed), (&label.digest, label.failed));
        prop_assert_eq!(DeploymentMetadata::parse(&read.to_string()), Some(read));
    }

    #[test]
    fn no_description_panics(text in any::<String>()) {
        let _ = DeploymentMetadata::parse(&text);
        let _ = DeploymentMetadata::parse(&format!("stackgen sha256:{text}"));
    }
}
