//! A whole probe: sends, waits, holds, measures, ends, and judges.

use std::future::pending;
use std::time::Duration;

use stackgen_probe::{
    Caller, Closing, Expectation, Load, Outcome, Plan, Report, Seen, Side, Target, Telling, run,
};

use tokio::sync::Notify;

use crate::server::{Peer, refusing, serve};

fn plan() -> Plan {
    Plan {
        caller: Caller::Anonymous,
        status: 101,
        sends: Vec::new(),
        expects: Vec::new(),
        timeout: Duration::from_secs(10),
        hold: None,
        ping_every: None,
        close_code: None,
        load: None,
        closing: Closing::NORMAL,
    }
}

async fn probed(url: &str, plan: &Plan) -> Report {
    let mut told = 0;
    let mut tell = |telling: Telling<'_>| told += usize::from(matches!(telling, Telling::Seen(_)));
    let report = run(&Target::new(url).unwrap(), plan, pending(), &mut tell).await;
    assert_eq!(told, report.observations.len());
    report
}

/// Accepts, answers every text with itself until the client closes.
async fn echo(mut peer: Peer) {
    peer.accept("").await;
    while let Some(frame) = peer.next().await {
        peer.frame(0x80 | frame.opcode, &frame.payload).await;
        if frame.opcode == 8 {
            return;
        }
    }
}

fn wanted(report: &Report) -> Vec<(String, bool)> {
    let checks = report.checks.iter();
    checks
        .map(|check| (check.wanted.clone(), check.met))
        .collect()
}

#[tokio::test]
async fn what_is_expected_is_waited_for_and_each_message_meets_one_expectation() {
    let url = serve(echo).await;
    let mut plan = plan();
    plan.sends = vec![r#"{"n":1}"#.to_owned(), r#"{"n":2}"#.to_owned()];
    plan.expects = [r#"{"n":2}"#, "1"].map(Expectation::parse).to_vec();
    let report = probed(&url, &plan).await;
    assert!(report.passed(), "{:?}", report.checks);
    assert_eq!(
        report.close.as_ref().map(|close| (close.code, close.by)),
        Some((1000, Side::Client))
    );

    let url = serve(|mut peer| async move {
        peer.accept("").await;
        let one = peer.next().await.unwrap();
        peer.frame(0x81, &one.payload).await;
        peer.close(1000, "").await;
    })
    .await;
    plan.sends = vec!["one".to_owned()];
    plan.expects = ["one", "one"].map(Expectation::parse).to_vec();
    let report = probed(&url, &plan).await;
    assert!(!report.passed());
    insta::assert_debug_snapshot!(wanted(&report), @r#"
    [
        (
            "the handshake is answered with 101",
            true,
        ),
        (
            "a message with one",
            true,
        ),
        (
            "a message with one",
            false,
        ),
        (
            "the connection stays open until this side closes it",
            false,
        ),
    ]
    "#);
}

#[tokio::test]
async fn a_refusal_is_what_was_wanted_or_is_not() {
    let url = refusing("401 Unauthorized", "", "").await;
    assert!(!probed(&url, &plan()).await.passed());
    let refused = Plan {
        status: 401,
        ..plan()
    };
    assert!(probed(&url, &refused).await.passed());
    let open = serve(echo).await;
    assert!(!probed(&open, &refused).await.passed());
}

#[tokio::test]
async fn row_m7_silence_after_a_message_is_seen() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        while peer.next().await.is_some_and(|frame| frame.opcode != 8) {}
        peer.frame(0x88, b"").await;
    })
    .await;
    let mut plan = plan();
    plan.sends = vec!["{}".to_owned()];
    plan.timeout = Duration::from_millis(50);
    let report = probed(&url, &plan).await;
    assert!(report.passed(), "nobody asked for an answer");
    let silent = |seen: &Seen| {
        *seen
            == Seen::Silence {
                waited: plan.timeout,
            }
    };
    assert!(report.observations.iter().any(|it| silent(&it.seen)));
}

#[tokio::test]
async fn row_m13_a_close_while_holding_is_found_and_can_be_what_is_wanted() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        peer.close(1001, "Going away").await;
    })
    .await;
    let mut plan = plan();
    plan.hold = Some(Duration::from_secs(60));
    assert!(!probed(&url, &plan).await.passed());
    plan.close_code = Some(1001);
    let report = probed(&url, &plan).await;
    assert!(report.passed(), "{:?}", report.checks);
    plan.close_code = Some(1006);
    assert!(!probed(&url, &plan).await.passed());
}

#[tokio::test]
async fn pings_are_sent_while_holding() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        for _ in 0..2 {
            let ping = peer.next().await.unwrap();
            assert_eq!(ping.opcode, 9);
            peer.frame(0x8a, &ping.payload).await;
        }
        peer.close(1000, "").await;
    })
    .await;
    let mut plan = plan();
    plan.hold = Some(Duration::from_secs(60));
    plan.ping_every = Some(Duration::from_millis(20));
    let report = probed(&url, &plan).await;
    let pongs = report
        .observations
        .iter()
        .filter(|it| matches!(it.seen, Seen::Pong { .. }));
    assert_eq!(pongs.count(), 2);
}

#[tokio::test]
async fn exchanges_are_measured_over_several_connections() {
    let url = serve(echo).await;
    let mut plan = plan();
    plan.load = Some(Load {
        text: "ping".to_owned(),
        answer: None,
        count: 50,
        concurrency: 5,
        timeout: Duration::from_secs(10),
    });
    let report = probed(&url, &plan).await;
    let latency = report.latency.as_ref().unwrap();
    assert_eq!(
        (latency.connections, latency.answered, latency.failed),
        (5, 50, 0)
    );
    assert!(latency.p50 <= latency.p99 && latency.p99 <= latency.max);
    assert!(report.passed());
}

#[tokio::test]
async fn exchanges_without_an_answer_are_found() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        while peer.next().await.is_some_and(|frame| frame.opcode != 8) {
            peer.text(r#"{"message": "Forbidden", "connectionId":"a=", "requestId":"b="}"#)
                .await;
        }
        peer.frame(0x88, b"").await;
    })
    .await;
    let mut plan = plan();
    plan.load = Some(Load {
        text: "ping".to_owned(),
        answer: None,
        count: 3,
        concurrency: 1,
        timeout: Duration::from_secs(10),
    });
    let report = probed(&url, &plan).await;
    assert_eq!(
        report.latency.as_ref().map(|latency| latency.failed),
        Some(3)
    );
    assert!(!report.passed());
}

#[tokio::test]
async fn who_stops_a_probe_gets_a_clean_close_and_a_report() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let url = serve(move |mut peer| {
        let tell = tell.lock().unwrap().take().unwrap();
        async move {
            peer.accept("").await;
            let frame = peer.next().await.unwrap();
            peer.frame(0x88, &frame.payload).await;
            tell.send(frame).unwrap();
        }
    })
    .await;
    let mut plan = plan();
    plan.hold = Some(Duration::from_secs(3600));
    let connected = Notify::new();
    let report = run(
        &Target::new(&url).unwrap(),
        &plan,
        connected.notified(),
        &mut |_| connected.notify_one(),
    )
    .await;
    assert_eq!(told.await.unwrap().payload, 1000_u16.to_be_bytes());
    assert!(report.interrupted);
    assert_eq!(report.close.map(|close| close.by), Some(Side::Client));
}

#[tokio::test]
async fn who_stops_a_handshake_gets_a_report_too() {
    let url = serve(|mut peer| async move {
        peer.next().await;
    })
    .await;
    let report = run(&Target::new(&url).unwrap(), &plan(), async {}, &mut |_| {}).await;
    assert!(report.interrupted && matches!(report.outcome, Outcome::Error(_)));
}

#[tokio::test]
async fn a_probe_that_cannot_send_can_be_stopped() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        pending::<()>().await;
    })
    .await;
    let plan = Plan {
        sends: vec!["x".repeat(64 * 1024 * 1024)],
        ..plan()
    };
    let target = Target::new(&url).unwrap();
    let connected = Notify::new();
    let mut tell = |telling: Telling<'_>| {
        if matches!(telling, Telling::Outcome(_)) {
            // What is waited for from here on is over at once.
            tokio::time::pause();
            connected.notify_one();
        }
    };
    let report = run(&target, &plan, connected.notified(), &mut tell).await;
    assert!(report.interrupted);
    assert_eq!(report.close.map(|close| close.clean), Some(false));
}
