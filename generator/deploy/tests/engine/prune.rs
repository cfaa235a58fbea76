//! Which deployments may go.

use proptest::prelude::*;
use stackgen_deploy::prune::{Kept, Policy, earlier, prunable};
use stackgen_deploy::{
    CreatedBy, Deployment, DeploymentId, DeploymentStatus, Stage, StageName, Timestamp,
};

use crate::account::by_hand;

const DIGEST: &str = "0c646b45934298942649da2370e13bc40395f9fe420b7e61671eabfdffbe9a57";

fn redeployed(id: &str, created: i64) -> Deployment {
    Deployment {
        description: Some(format!(
            "stackgen sha256:{DIGEST} format:2 tried:2026-11-22T02:42:52Z by:anonymous git:a env:dev"
        )),
        ..by_hand(id, created)
    }
}

fn template(id: &str, created: i64) -> Deployment {
    Deployment {
        description: Some(format!("stackgen sha256:{DIGEST} env:dev")),
        ..by_hand(id, created)
    }
}

fn serving(id: &str) -> Vec<Stage> {
    vec![Stage {
        name: StageName::new("dev"),
        deployment: Some(DeploymentId::new(id)),
        auto_deploy: false,
    }]
}

fn shown(judged: &[(&Deployment, Option<Kept>)]) -> String {
    let line = |(deployment, kept): &(&Deployment, Option<Kept>)| {
        format!(
            "{} {}",
            deployment.id,
            kept.map_or("deleted".to_owned(), |kept| format!("{kept:?}"))
        )
    };
    judged.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn several() -> Vec<Deployment> {
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
fn only_redeployed_ones_go_unless_more_is_wanted() {
    let all = several();
    let policy = Policy {
        keep: 1,
        ..Policy::default()
    };
    insta::assert_snapshot!(shown(&prunable(&all, &serving("r4"), &policy, None)), @"
    r5 Newest
    r4 Served
    r3 Previous
    t2 InTemplate
    r2 deleted
    t1 OfTemplate
    hand Foreign
    r1 deleted
    ");
    let more = Policy {
        keep: 0,
        templates: true,
        all: false,
    };
    insta::assert_snapshot!(shown(&prunable(&all, &serving("r4"), &more, None)), @"
    r5 deleted
    r4 Served
    r3 Previous
    t2 InTemplate
    r2 deleted
    t1 deleted
    hand Foreign
    r1 deleted
    ");
    let most = Policy {
        keep: 0,
        templates: true,
        all: true,
    };
    insta::assert_snapshot!(shown(&prunable(&all, &serving("r4"), &most, Some(&DeploymentId::new("hand")))), @"
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
fn going_back_leaves_out_what_failed_and_what_is_not_known() {
    let mut all = several();
    let back = |all: &[Deployment], from: &str| {
        earlier(all, &DeploymentId::new(from)).map(|one| one.id.to_string())
    };
    assert_eq!(back(&all, "r4").as_deref(), Some("r3"));
    all[5].description = Some(format!("stackgen sha256:{DIGEST} verify:failed git:a"));
    all[4].status = DeploymentStatus::Failed;
    assert_eq!(back(&all, "r4").as_deref(), Some("r2"));
    assert_eq!(back(&all, "r1"), None);
    assert_eq!(back(&all, "gone"), None);
    assert_eq!(back(&all, "hand").as_deref(), Some("r1"));
}

#[test]
fn going_back_leaves_out_leftovers_that_were_never_tried_and_takes_what_is_known_to_have_served() {
    let describe = |id: &str, created, words: &str| Deployment {
        description: Some(format!("stackgen sha256:{DIGEST} {words} git:a")),
        ..by_hand(id, created)
    };
    let passed = "format:2 tried:2026-11-22T02:42:52Z";
    let back = |all: &[Deployment]| earlier(all, &all.last()?.id).map(|one| one.id.to_string());
    let mut all = vec![
        by_hand("hand", 1),
        describe("leftover", 2, "format:2"),
        describe("old-leftover", 3, ""),
        describe("served", 4, passed),
    ];
    assert_eq!(back(&all), None);
    // Its description names what the stage served before.
    all[3] = describe("served", 4, &format!("{passed} previous:hand"));
    assert_eq!(back(&all).as_deref(), Some("hand"));
    all[3] = describe("served", 4, &format!("{passed} previous:old-leftover"));
    assert_eq!(back(&all).as_deref(), Some("old-leftover"));
    // It served, and nobody knows how.
    all[3] = describe("served", 4, &format!("{passed} previous:leftover"));
    assert_eq!(back(&all), None);
    all.insert(1, template("template", 2));
    assert_eq!(back(&all).as_deref(), Some("template"));
}

fn deployments() -> impl Strategy<Value = Vec<Deployment>> {
    let one = (0..3u8, 0..20i64, any::<bool>());
    prop::collection::vec(one, 1..30).prop_map(|all| {
        let made = all
            .into_iter()
            .enumerate()
            .map(|(index, (maker, created, pending))| {
                let id = format!("d{index}");
                let mut made = match maker {
                    0 => redeployed(&id, created),
                    1 => template(&id, created),
                    _ => by_hand(&id, created),
                };
                if pending {
                    made.status = DeploymentStatus::Pending;
                }
                made.created = Timestamp(created);
                made
            });
        made.collect()
    })
}

proptest! {
    #[test]
    fn what_is_served_what_is_before_it_and_what_is_others_stays(
        all in deployments(), keep in 0..12usize, templates: bool, every: bool, served in 0..30usize,
    ) {
        let served = &all[served % all.len()].id;
        let policy = Policy { keep, templates, all: every };
        let judged = prunable(&all, &serving(served.as_str()), &policy, None);
        prop_assert_eq!(judged.len(), all.len());
        let previous = earlier(&all, served).map(|one| one.id.clone());
        let mut kept_redeployed = 0;
        for (deployment, kept) in &judged {
            let deleted = kept.is_none();
            prop_assert!(!deleted || deployment.id != *served);
            prop_assert!(!deleted || Some(&deployment.id) != previous.as_ref());
            prop_assert!(!deleted || deployment.status != DeploymentStatus::Pending);
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
