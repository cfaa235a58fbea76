//! Whole probes: sending, waiting, holding, measuring, closing, and checking expectations.

use std::future::pending;
use std::time::Duration;

use stackgen_probe::{
    ClientClose, ClosedBy, Expectation, HandshakeOutcome, LoadPlan, ObservationKind, ProbeCaller,
    ProbeEvent, ProbePlan, ProbeReport, ProbeTarget, run,
};

use tokio::sync::Notify;

use crate::server::{Peer, serve, serve_refusal};

fn plan() -> ProbePlan {
    ProbePlan {
        caller: ProbeCaller::Anonymous,
        expected_status: 101,
        sends: Vec::new(),
        expects: Vec::new(),
        timeout: Duration::from_secs(10),
        hold: None,
        ping_every: None,
        expected_close: None,
        load: None,
        close: ClientClose::NORMAL,
    }
}

async fn probe(url: &str, plan: &ProbePlan) -> ProbeReport {
    let mut observed = 0;
    let mut on_event =
        |event: ProbeEvent<'_>| observed += usize::from(matches!(event, ProbeEvent::Observed(_)));
    let report = run(
        &ProbeTarget::new(url).unwrap(),
        plan,
        pending(),
        &mut on_event,
    )
    .await;
    assert_eq!(observed, report.observations.len());
    report
}

/// Accepts the handshake and echoes every message until the client closes.
async fn echo(mut peer: Peer) {
    peer.accept("").await;
    while let Some(frame) = peer.next().await {
        peer.frame(0x80 | frame.opcode, &frame.payload).await;
        if frame.opcode == 8 {
            return;
        }
    }
}

fn expectations(report: &ProbeReport) -> Vec<(String, bool)> {
    let checks = report.checks.iter();
    checks
        .map(|check| (check.expected.clone(), check.met))
        .collect()
}

#[tokio::test]
async fn the_probe_waits_for_expected_messages_and_each_message_meets_one_expectation() {
    let url = serve(echo).await;
    let mut plan = plan();
    plan.sends = vec![r#"{"n":1}"#.to_owned(), r#"{"n":2}"#.to_owned()];
    plan.expects = [r#"{"n":2}"#, "1"].map(Expectation::parse).to_vec();
    let report = probe(&url, &plan).await;
    assert!(report.passed(), "{:?}", report.checks);
    assert_eq!(
        report.close.as_ref().map(|close| (close.code, close.by)),
        Some((1000, ClosedBy::Client))
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
    let report = probe(&url, &plan).await;
    assert!(!report.passed());
    insta::assert_debug_snapshot!(expectations(&report), @r#"
    [
        (
            "the handshake is answered with 101",
            true,
        ),
        (
            "a message with one arrives",
            true,
        ),
        (
            "a message with one arrives",
            false,
        ),
        (
            "the connection stays open until the client closes it",
            false,
        ),
    ]
    "#);
}

#[tokio::test]
async fn a_probe_passes_only_with_the_expected_status() {
    let url = serve_refusal("401 Unauthorized", "", "").await;
    assert!(!probe(&url, &plan()).await.passed());
    let refused = ProbePlan {
        expected_status: 401,
        ..plan()
    };
    assert!(probe(&url, &refused).await.passed());
    let open = serve(echo).await;
    assert!(!probe(&open, &refused).await.passed());
}

#[tokio::test]
async fn row_m7_silence_after_a_message_is_observed() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        while peer.next().await.is_some_and(|frame| frame.opcode != 8) {}
        peer.frame(0x88, b"").await;
    })
    .await;
    let mut plan = plan();
    plan.sends = vec!["{}".to_owned()];
    plan.timeout = Duration::from_millis(50);
    let report = probe(&url, &plan).await;
    assert!(report.passed(), "no answer was expected");
    let is_silence = |kind: &ObservationKind| {
        *kind
            == ObservationKind::Silence {
                waited: plan.timeout,
            }
    };
    assert!(report.observations.iter().any(|it| is_silence(&it.kind)));
}

#[tokio::test]
async fn row_m13_a_close_while_holding_is_observed_and_may_be_expected() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        peer.close(1001, "Going away").await;
    })
    .await;
    let mut plan = plan();
    plan.hold = Some(Duration::from_secs(60));
    assert!(!probe(&url, &plan).await.passed());
    plan.expected_close = Some(1001);
    let report = probe(&url, &plan).await;
    assert!(report.passed(), "{:?}", report.checks);
    plan.expected_close = Some(1006);
    assert!(!probe(&url, &plan).await.passed());
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
    let report = probe(&url, &plan).await;
    let pongs = report
        .observations
        .iter()
        .filter(|it| matches!(it.kind, ObservationKind::Pong { .. }));
    assert_eq!(pongs.count(), 2);
}

#[tokio::test]
async fn exchanges_are_measured_over_several_connections() {
    let url = serve(echo).await;
    let mut plan = plan();
    plan.load = Some(LoadPlan {
        text: "ping".to_owned(),
        answer: None,
        count: 50,
        concurrency: 5,
        timeout: Duration::from_secs(10),
    });
    let report = probe(&url, &plan).await;
    let latency = report.latency.as_ref().unwrap();
    assert_eq!(
        (latency.connections, latency.answered, latency.failed),
        (5, 50, 0)
    );
    assert!(latency.p50 <= latency.p99 && latency.p99 <= latency.max);
    assert!(report.passed());
}

#[tokio::test]
async fn exchanges_answered_with_error_frames_count_as_failed() {
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
    plan.load = Some(LoadPlan {
        text: "ping".to_owned(),
        answer: None,
        count: 3,
        concurrency: 1,
        timeout: Duration::from_secs(10),
    });
    let report = probe(&url, &plan).await;
    assert_eq!(
        report.latency.as_ref().map(|latency| latency.failed),
        Some(3)
    );
    assert!(!report.passed());
}

#[tokio::test]
async fn a_stopped_probe_closes_cleanly_and_reports() {
    let (frame_sender, frame_receiver) = tokio::sync::oneshot::channel();
    let frame_sender = std::sync::Mutex::new(Some(frame_sender));
    let url = serve(move |mut peer| {
        let frame_sender = frame_sender.lock().unwrap().take().unwrap();
        async move {
            peer.accept("").await;
            let frame = peer.next().await.unwrap();
            peer.frame(0x88, &frame.payload).await;
            frame_sender.send(frame).unwrap();
        }
    })
    .await;
    let mut plan = plan();
    plan.hold = Some(Duration::from_secs(3600));
    let connected = Notify::new();
    let report = run(
        &ProbeTarget::new(&url).unwrap(),
        &plan,
        connected.notified(),
        &mut |_| connected.notify_one(),
    )
    .await;
    assert_eq!(
        frame_receiver.await.unwrap().payload,
        1000_u16.to_be_bytes()
    );
    assert!(report.interrupted);
    assert_eq!(report.close.map(|close| close.by), Some(ClosedBy::Client));
}

#[tokio::test]
async fn a_probe_that_is_stopped_during_the_handshake_reports() {
    let url = serve(|mut peer| async move {
        peer.next().await;
    })
    .await;
    let report = run(
        &ProbeTarget::new(&url).unwrap(),
        &plan(),
        async {},
        &mut |_| {},
    )
    .await;
    assert!(report.interrupted && matches!(report.outcome, HandshakeOutcome::Error(_)));
}

#[tokio::test]
async fn a_probe_can_be_stopped_while_it_sends() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        pending::<()>().await;
    })
    .await;
    let plan = ProbePlan {
        sends: vec!["x".repeat(64 * 1024 * 1024)],
        ..plan()
    };
    let target = ProbeTarget::new(&url).unwrap();
    let connected = Notify::new();
    let mut on_event = |event: ProbeEvent<'_>| {
        if matches!(event, ProbeEvent::Handshake(_)) {
            // From here on, timeouts expire at once.
            tokio::time::pause();
            connected.notify_one();
        }
    };
    let report = run(&target, &plan, connected.notified(), &mut on_event).await;
    assert!(report.interrupted);
    assert_eq!(report.close.map(|close| close.clean), Some(false));
}
