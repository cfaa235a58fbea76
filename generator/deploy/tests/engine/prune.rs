//! Deployments that pruning deletes and keeps.

use proptest::prelude::*;
use stackgen_deploy::prune::{PruneDecision, PrunePolicy, decide, earlier};
use stackgen_deploy::{
    CreatedBy, DeploymentId, DeploymentInfo, DeploymentState, StageInfo, StageName,
};

use crate::memory::by_hand;
use crate::support::at;

const DIGEST: &str = "0c646b45934298942649da2370e13bc40395f9fe420b7e61671eabfdffbe9a57";

fn redeployed(id: &str, created: i64) -> DeploymentInfo {
    DeploymentInfo {
        description: Some(format!(
            "stackgen sha256:{DIGEST} format:2 tried:2026-11-22T02:42:52Z by:anonymous git:a env:dev"
        )),
        ..by_hand(id, created)
    }
}

fn template(id: &str, created: i64) -> DeploymentInfo {
    DeploymentInfo {
        description: Some(format!("stackgen sha256:{DIGEST} env:dev")),
        ..by_hand(id, created)
    }
}

fn serving(id: &str) -> Vec<StageInfo> {
    vec![StageInfo {
        name: StageName::new("dev"),
        deployment: Some(DeploymentId::new(id)),
        auto_deploy: false,
        last_deployment_status_message: None,
    }]
}

fn shown(decisions: &[PruneDecision]) -> String {
    let line = |decision: &PruneDecision| {
        let id = &decision.deployment.id;
        match decision.keep {
            Some(reason) => format!("{id} {reason:?}"),
            None => format!("{id} deleted"),
        }
    };
    decisions.iter().map(line).collect::<Vec<_>>().join(
        "
",
    )
}

fn several() -> Vec<DeploymentInfo> {
    vec![
        redeployed("r1", 1),
        by_hand("hand", 2),
        template("t1", 3),
        redeployed("r2", 4),
        template("t2", 5),
        redeployed("r3", 6),
        redeployed("r4", 7),
        redeployed("r5", 8),
    ]
}

#[test]
fn only_deployments_of_redeploys_are_deleted_by_default() {
    let all = several();
    let policy = PrunePolicy {
        keep: 1,
        ..PrunePolicy::default()
    };
    insta::assert_snapshot!(shown(&decide(&all, &serving("r4"), &policy, &[])), @"
    r5 Newest
    r4 Served
    r3 Previous
    t2 InTemplate
    r2 deleted
    t1 OfTemplate
    hand Foreign
    r1 deleted
    ");
    let more = PrunePolicy {
        keep: 0,
        templates: true,
        all: false,
    };
    insta::assert_snapshot!(shown(&decide(&all, &serving("r4"), &more, &[])), @"
    r5 deleted
    r4 Served
    r3 Previous
    t2 InTemplate
    r2 deleted
    t1 deleted
    hand Foreign
    r1 deleted
    ");
    let most = PrunePolicy {
        keep: 0,
        templates: true,
        all: true,
    };
    insta::assert_snapshot!(shown(&decide(&all, &serving("r4"), &most, &[&DeploymentId::new("hand")])), @"
    r5 deleted
    r4 Served
    r3 Previous
    t2 InTemplate
    r2 deleted
    t1 deleted
    hand Previous
    r1 deleted
    ");
}

#[test]
fn rolling_back_skips_failed_and_unknown_deployments() {
    let mut all = several();
    let back = |all: &[DeploymentInfo], from: &str| {
        earlier(all, &DeploymentId::new(from)).map(|one| one.id.to_string())
    };
    assert_eq!(back(&all, "r4").as_deref(), Some("r3"));
    all[5].description = Some(format!("stackgen sha256:{DIGEST} verify:failed git:a"));
    all[4].status = DeploymentState::Failed;
    assert_eq!(back(&all, "r4").as_deref(), Some("r2"));
    assert_eq!(back(&all, "r1"), None);
    assert_eq!(back(&all, "gone"), None);
    assert_eq!(back(&all, "hand").as_deref(), Some("r1"));
}

#[test]
fn rolling_back_skips_unverified_leftovers_and_takes_deployments_known_to_have_served() {
    let describe = |id: &str, created, words: &str| DeploymentInfo {
        description: Some(format!("stackgen sha256:{DIGEST} {words} git:a")),
        ..by_hand(id, created)
    };
    let passed = "format:2 tried:2026-11-22T02:42:52Z";
    let back = |all: &[DeploymentInfo]| earlier(all, &all.last()?.id).map(|one| one.id.to_string());
    let mut all = vec![
        by_hand("hand", 1),
        describe("leftover", 2, "format:2"),
        describe("old-leftover", 3, ""),
        describe("served", 4, passed),
    ];
    assert_eq!(back(&all), None);
    // Its description names the deployment that the stage served before.
    all[3] = describe("served", 4, &format!("{passed} previous:hand"));
    assert_eq!(back(&all).as_deref(), Some("hand"));
    all[3] = describe("served", 4, &format!("{passed} previous:old-leftover"));
    assert_eq!(back(&all).as_deref(), Some("old-leftover"));
    // It served, but it was never verified.
    all[3] = describe("served", 4, &format!("{passed} previous:leftover"));
    assert_eq!(back(&all), None);
    all.insert(1, template("template", 2));
    assert_eq!(back(&all).as_deref(), Some("template"));
}

fn deployments() -> impl Strategy<Value = Vec<DeploymentInfo>> {
    let one = (0..3u8, 0..20i64, any::<bool>());
    prop::collection::vec(one, 1..30).prop_map(|all| {
        let made = all
            .into_iter()
            .enumerate()
            .map(|(index, (origin, created, pending))| {
                let id = format!("d{index}");
                let mut made = match origin {
                    0 => redeployed(&id, created),
                    1 => template(&id, created),
                    _ => by_hand(&id, created),
                };
                if pending {
                    made.status = DeploymentState::Pending;
                }
                made.created = at(created);
                made
            });
        made.collect()
    })
}

proptest! {
    #[test]
    fn served_previous_and_foreign_deployments_are_kept(
        all in deployments(), keep in 0..12usize, templates: bool, every: bool, served in 0..30usize,
    ) {
        let served = &all[served % all.len()].id;
        let policy = PrunePolicy { keep, templates, all: every };
        let decisions = decide(&all, &serving(served.as_str()), &policy, &[]);
        prop_assert_eq!(decisions.len(), all.len());
        let previous = earlier(&all, served).map(|one| one.id.clone());
        let mut kept_redeployed = 0;
        for PruneDecision { deployment, keep } in &decisions {
            let deleted = keep.is_none();
            prop_assert!(!deleted || deployment.id != *served);
            prop_assert!(!deleted || Some(&deployment.id) != previous.as_ref());
            prop_assert!(!deleted || deployment.status != DeploymentState::Pending);
            match deployment.created_by() {
                CreatedBy::Redeploy => kept_redeployed += usize::from(!deleted),
                CreatedBy::Template => prop_assert!(!deleted || templates || every),
                _ => prop_assert!(!deleted || every),
            }
        }
        let redeployed = all.iter().filter(|one| one.created_by() == CreatedBy::Redeploy).count();
        if !every && !templates {
            prop_assert!(kept_redeployed >= keep.min(redeployed));
        }
    }
}
