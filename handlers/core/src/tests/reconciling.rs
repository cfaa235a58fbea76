//! The reconciler, on simulated time.

use std::collections::BTreeSet;
use std::time::Duration;

use stackgen_websocket::PostError;

use super::{SETTINGS, down, id, language, minutes, owner, session_id};
use crate::ports::{Capacity, ConnectionStore, Ports, SessionStore, StoreResult};
use crate::testing::{MemoryBroadcaster, MemoryStore, PostBehavior, SimulatedClock};
use crate::{
    Clock, Handshake, JoinSettings, QualityTier, ReconcileReport, ReconcileSettings, Session,
    SessionId, connect, disconnect, reconcile,
};

type World = Ports<MemoryStore, MemoryBroadcaster, SimulatedClock>;

const ROOM: JoinSettings = JoinSettings {
    capacity: Capacity {
        listeners: 10_000,
        per_address: 10_000,
    },
    ..SETTINGS
};

async fn world() -> World {
    let world = World {
        store: MemoryStore::default(),
        broadcaster: MemoryBroadcaster::default(),
        clock: SimulatedClock::default(),
    };
    create(&world, session_id()).await;
    world
}

async fn create(world: &World, id: SessionId) {
    let now = world.clock.now();
    let session = Session::new(id, owner(), language("en"), QualityTier::Standard, now);
    assert!(world.store.create(&session).await.unwrap());
}

fn handshake_of(world: &World, name: &str) -> Handshake {
    Handshake {
        connection_id: id(name),
        connected_at: world.clock.now(),
        ip_address: format!("ip-of-{name}"),
        user_id: None,
        grant: None,
        session_id: Some(session_id().to_string()),
        target_language: Some("de".to_owned()),
        previous_connection_id: None,
    }
}

async fn join(world: &World, name: &str) {
    connect(world, ROOM, handshake_of(world, name))
        .await
        .unwrap();
}

async fn speak(world: &World, name: &str) {
    let handshake = Handshake {
        user_id: Some(owner()),
        ..handshake_of(world, name)
    };
    connect(world, ROOM, handshake).await.unwrap();
}

/// Closes a connection without `$disconnect`.
fn lose(world: &World, name: &str) {
    let gone = PostBehavior::Fails(PostError::Gone);
    world.broadcaster.set_behavior(&id(name), gone);
}

async fn run(world: &World) -> StoreResult<ReconcileReport> {
    reconcile(world, ReconcileSettings::default()).await
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn names(world: &World) -> Vec<String> {
    let records = world.store.connections().into_iter();
    records
        .map(|record| record.connection_id.as_str().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_record_of_a_closed_connection_is_removed_and_uncounted() {
    let world = world().await;
    for name in ["a", "b", "c"] {
        join(&world, name).await;
    }
    lose(&world, "b");
    pass(300).await;
    let start = world.clock.now();
    let report = run(&world).await.unwrap();
    let expected = ReconcileReport {
        records: 3,
        probed: 3,
        removed: 1,
        corrected: 0,
        is_complete: true,
    };
    assert_eq!(report, expected);
    assert_eq!(names(&world), ["a", "c"]);
    let counts = world.store.listener_counts(&session_id()).await.unwrap();
    assert_eq!(counts.total, 2);
    // The two probes are at least a minute apart.
    assert!(world.clock.now().since(start) >= Duration::from_secs(60));
    // Another run finds nothing, and does not wait.
    let start = world.clock.now();
    assert_eq!(run(&world).await.unwrap().removed, 0);
    assert!(world.clock.now().since(start) < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_found_closed_once_stays() {
    let world = world().await;
    join(&world, "a").await;
    lose(&world, "a");
    pass(300).await;
    let (report, ()) = tokio::join!(run(&world), async {
        pass(30).await;
        world
            .broadcaster
            .set_behavior(&id("a"), PostBehavior::Accepts);
    });
    assert_eq!(report.unwrap().removed, 0);
    assert_eq!(names(&world), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn connections_that_open_or_send_heartbeats_are_not_probed() {
    let world = world().await;
    join(&world, "heartbeat").await;
    pass(300).await;
    let now = world.clock.now();
    world.store.touch(&id("heartbeat"), now).await.unwrap();
    pass(60).await;
    join(&world, "opening").await;
    pass(29).await;
    // During the handshake, and with a wrong endpoint, all connections seem closed.
    lose(&world, "opening");
    lose(&world, "heartbeat");
    let report = run(&world).await.unwrap();
    assert_eq!((report.records, report.probed, report.removed), (2, 0, 0));
    assert_eq!(names(&world).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn listeners_learn_that_a_lost_speaker_left() {
    let world = world().await;
    join(&world, "a").await;
    speak(&world, "mic").await;
    lose(&world, "mic");
    pass(300).await;
    assert_eq!(run(&world).await.unwrap().removed, 1);
    let types = world.broadcaster.take_types(&id("a"));
    assert_eq!(types, ["speakerStateChanged"]);
    let session = world.store.session(&session_id()).await.unwrap().unwrap();
    assert_eq!(session.speaker_connection_id, None);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_bounded_and_the_next_one_continues() {
    let world = world().await;
    for number in 0..30 {
        join(&world, &format!("{number}")).await;
    }
    pass(300).await;
    let few = ReconcileSettings {
        max_probes: 10,
        ..ReconcileSettings::default()
    };
    // The first in the table, and the quiet for the shortest time: it is probed last.
    pass(1).await;
    let now = world.clock.now().before(Duration::from_secs(100));
    world.store.touch(&id("0"), now).await.unwrap();
    lose(&world, "0");
    for round in 0..3 {
        let report = reconcile(&world, few).await.unwrap();
        assert_eq!(report.probed, 10, "{round}");
        assert_eq!(report.is_complete, round == 2);
        // Those that are found open come last in the next run.
        assert_eq!(names(&world).contains(&"0".to_owned()), round < 2);
    }
    let fewer = ReconcileSettings {
        max_records: 5,
        ..few
    };
    let report = reconcile(&world, fewer).await.unwrap();
    assert_eq!((report.records, report.is_complete), (5, false));
}

#[tokio::test(start_paused = true)]
async fn probes_keep_their_rate_and_their_time() {
    let world = world().await;
    for number in 0..200 {
        join(&world, &format!("{number:03}")).await;
    }
    pass(300).await;
    let start = world.clock.now();
    run(&world).await.unwrap();
    let took = world.clock.now().since(start);
    // 20 groups of ten, at 50 per second.
    assert!((3_800..3_900).contains(&took.as_millis()), "{took:?}");
    pass(300).await;
    let short = ReconcileSettings {
        budget: Duration::from_secs(62),
        ..ReconcileSettings::default()
    };
    let report = reconcile(&world, short).await.unwrap();
    assert_eq!((report.probed, report.is_complete), (50, false));
}

#[tokio::test(start_paused = true)]
async fn by_default_a_run_has_time_for_as_many_probes_as_it_may_send() {
    let default = ReconcileSettings::default();
    let seconds = (default.budget - default.confirm_after).as_secs() / 2;
    let in_time = seconds * u64::from(default.probes_per_second);
    assert_eq!(default.max_probes as u64, in_time);
}

#[tokio::test(start_paused = true)]
async fn a_run_on_a_slow_table_ends_in_time_and_is_incomplete() {
    let limit = {
        let default = ReconcileSettings::default();
        default.budget + default.removal_time
    };
    // Listeners who are open, and speakers' connections that are not: a write for each.
    for (open, closed) in [(600, 0), (0, 120), (600, 120)] {
        let world = world().await;
        for number in 0..open {
            join(&world, &format!("open-{number}")).await;
        }
        for number in 0..closed {
            // Slowly enough for the owner's rate of joins.
            pass(10).await;
            speak(&world, &format!("closed-{number}")).await;
            lose(&world, &format!("closed-{number}"));
        }
        pass(300).await;
        world.store.set_write_time(Duration::from_secs(3));
        world.store.set_wrong_counts(200);
        let start = world.clock.now();
        let report = run(&world).await.unwrap();
        let took = world.clock.now().since(start);
        assert!(took <= limit, "{open} open, {closed} closed: {took:?}");
        assert!(!report.is_complete, "{open} open, {closed} closed");
        assert_eq!(report.probed, open + closed);
        assert!((1..200).contains(&report.corrected), "{report:?}");
        // A closed connection is removed nevertheless.
        assert_eq!(report.removed > 0, closed > 0);
        // Later runs do the rest.
        world.store.set_write_time(Duration::ZERO);
        pass(300).await;
        let next = run(&world).await.unwrap();
        assert_eq!(report.corrected + next.corrected, 200);
        assert_eq!(names(&world).len(), open);
    }
}

#[tokio::test(start_paused = true)]
async fn corrections_that_take_too_long_leave_time_for_probes_and_removals() {
    let world = world().await;
    join(&world, "a").await;
    lose(&world, "a");
    pass(300).await;
    world.store.set_write_time(Duration::from_secs(1));
    world.store.set_wrong_counts(1_000);
    let report = run(&world).await.unwrap();
    assert!((1..1_000).contains(&report.corrected), "{report:?}");
    assert_eq!((report.removed, report.is_complete), (1, false));
}

#[tokio::test(start_paused = true)]
async fn whenever_the_time_ends_the_listeners_of_each_removed_speaker_are_notified() {
    for write_seconds in 1..=4 {
        let world = world().await;
        for number in 0..8 {
            let session_id = format!("merciful-truth-{}-k7dq2m9x4hw3t", 100 + number);
            create(&world, SessionId::try_from(session_id.as_str()).unwrap()).await;
            for (name, user_id) in [("mic", Some(owner())), ("ear", None)] {
                let handshake = Handshake {
                    session_id: Some(session_id.clone()),
                    user_id,
                    ..handshake_of(&world, &format!("{name}-{number}"))
                };
                connect(&world, ROOM, handshake).await.unwrap();
            }
            lose(&world, &format!("mic-{number}"));
        }
        pass(300).await;
        let now = world.clock.now();
        for number in 0..8 {
            let ear = id(&format!("ear-{number}"));
            world.store.touch(&ear, now).await.unwrap();
        }
        let write_time = Duration::from_secs(write_seconds);
        world.store.set_write_time(write_time);
        let short = ReconcileSettings {
            budget: Duration::from_secs(62),
            ..ReconcileSettings::default()
        };
        let report = reconcile(&world, short).await.unwrap();
        assert_eq!((report.probed, report.is_complete), (8, false));
        let posts = world.broadcaster.take();
        let told: BTreeSet<_> = posts.iter().map(|(to, _)| to.as_str().to_owned()).collect();
        let left = names(&world);
        let removed = (0..8).filter(|number| !left.contains(&format!("mic-{number}")));
        let audiences: BTreeSet<_> = removed.map(|number| format!("ear-{number}")).collect();
        assert_eq!(told, audiences, "{write_time:?} per write");
        assert_eq!(report.removed as usize, audiences.len());
        assert!((1..8).contains(&report.removed), "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_probes_fail_nothing_is_removed() {
    let world = world().await;
    join(&world, "a").await;
    for error in [
        PostError::Busy,
        PostError::TimedOut,
        PostError::Failed("ForbiddenException (403)".to_owned()),
    ] {
        let fails = PostBehavior::Fails(error);
        world.broadcaster.set_behavior(&id("a"), fails);
        pass(300).await;
        let report = run(&world).await.unwrap();
        assert_eq!((report.removed, report.is_complete), (0, false));
    }
    assert_eq!(names(&world), ["a"]);
    // The second probe fails.
    lose(&world, "a");
    pass(300).await;
    let (report, ()) = tokio::join!(run(&world), async {
        pass(30).await;
        let fails = PostBehavior::Fails(PostError::TimedOut);
        world.broadcaster.set_behavior(&id("a"), fails);
    });
    let report = report.unwrap();
    assert_eq!((report.removed, report.is_complete), (0, false));
    // The table fails when the records are to be removed.
    lose(&world, "a");
    pass(300).await;
    let (report, ()) = tokio::join!(run(&world), async {
        pass(30).await;
        world.store.fail(Some(down()));
    });
    let report = report.unwrap();
    assert_eq!((report.removed, report.is_complete), (0, false));
    world.store.fail(None);
    assert_eq!(names(&world), ["a"]);
    world.store.fail(Some(down()));
    assert_eq!(run(&world).await, Err(down()));
}

#[tokio::test(start_paused = true)]
async fn after_24_hours_with_lost_disconnects_one_run_makes_the_counts_right() {
    let world = world().await;
    let mut random = fastrand::Rng::with_seed(24);
    let mut open = BTreeSet::new();
    let mut number = 0;
    let mut lost = 0;
    let start = world.clock.now();
    // The session admits connections until its 24 hours are over.
    let mut minute = 0;
    while world.clock.now().since(start) < minutes(24 * 60 - 10) {
        minute += 1;
        for _ in 0..random.u32(0..4) {
            number += 1;
            let name = format!("{number:05}");
            // Every third client sends no heartbeats.
            join(&world, &name).await;
            open.insert(name);
        }
        let leaving: Vec<String> = open
            .iter()
            .filter(|_| random.u32(0..40) == 0)
            .cloned()
            .collect();
        for name in leaving {
            open.remove(&name);
            lose(&world, &name);
            match random.u32(0..10) < 3 {
                true => lost += 1,
                false => drop(disconnect(&world, &id(&name)).await.unwrap()),
            }
        }
        for name in &open {
            if name.as_bytes()[4] % 3 != 0 {
                let now = world.clock.now();
                world.store.touch(&id(name), now).await.unwrap();
            }
        }
        pass(60).await;
        // The reconciler is down for the last six hours.
        if minute % 5 == 0 && world.clock.now().since(start) < minutes(18 * 60) {
            run(&world).await.unwrap();
        }
    }
    pass(120).await;
    let closed = world.store.connections().len() - open.len();
    assert!(lost > 400 && closed > 50, "{lost} lost, {closed} closed");
    let report = run(&world).await.unwrap();
    assert_eq!(
        (report.removed as usize, report.is_complete),
        (closed, true)
    );
    let expected: Vec<String> = open.into_iter().collect();
    assert_eq!(names(&world), expected);
    let counts = world.store.listener_counts(&session_id()).await.unwrap();
    assert_eq!(counts.total as usize, expected.len());
}

#[tokio::test(start_paused = true)]
async fn joins_and_leaves_during_a_run_are_kept() {
    let world = world().await;
    for name in ["a", "b", "c"] {
        join(&world, name).await;
    }
    lose(&world, "a");
    lose(&world, "b");
    pass(300).await;
    let (report, ()) = tokio::join!(run(&world), async {
        pass(30).await;
        // One `$disconnect` comes late, and others join.
        disconnect(&world, &id("b")).await.unwrap().unwrap();
        join(&world, "d").await;
    });
    let report = report.unwrap();
    assert_eq!((report.removed, report.is_complete), (1, true));
    assert_eq!(names(&world), ["c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn throttled_probes_end_the_run_for_this_time() {
    let world = world().await;
    for number in 0..30 {
        join(&world, &format!("{number:02}")).await;
    }
    let throttled = PostBehavior::Fails(PostError::Busy);
    world.broadcaster.set_behavior(&id("05"), throttled);
    pass(300).await;
    let report = run(&world).await.unwrap();
    assert_eq!((report.probed, report.is_complete), (9, false));
}
