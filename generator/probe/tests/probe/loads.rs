//! Loads of scripted servers.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use stackgen_probe::{
    LoadMessage, LoadTestPlan, LoadTestReport, ProbeTarget, Secret, SendPacing, TokenPlacement,
    run_load,
};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::server::{Peer, serve};

/// Returns a load of one connection that sends a message and waits for its answer.
fn plan(url: &str, timeout: Duration) -> LoadTestPlan {
    let token = Secret::new("t0ken-of-mine");
    let target = ProbeTarget::new(url).unwrap();
    let target = target.token(&token, &TokenPlacement::Query("token".to_owned()));
    LoadTestPlan {
        targets: vec![target.unwrap()],
        senders: 1,
        listeners: 0,
        ramp: 10.0,
        duration: Duration::from_secs(2),
        messages: vec![LoadMessage {
            name: "ping".to_owned(),
            weight: 1.0,
            text: "<number>".to_owned(),
            has_answer: true,
        }],
        pacing: SendPacing::Think(Duration::ZERO),
        in_flight: 1,
        timeout,
    }
}

/// Returns the numbers of messages that were sent, answered, lost and refused.
fn counts(report: &LoadTestReport) -> (u64, Option<u64>, Option<u64>, u64) {
    let message = &report.messages[0];
    (
        message.sent,
        message.answered,
        message.lost,
        message.refused,
    )
}

/// Answers a message after a time.
async fn answer_after(mut peer: Peer, time: Duration) {
    peer.accept("").await;
    while let Some(frame) = peer.next().await {
        if frame.opcode == 8 {
            return peer.frame(0x88, &frame.payload).await;
        }
        sleep(time).await;
        peer.frame(0x81, &frame.payload).await;
    }
}

#[tokio::test]
async fn an_answer_within_the_timeout_is_not_lost_at_the_end() {
    let url = serve(|peer| answer_after(peer, Duration::from_millis(7_500))).await;
    let plan = plan(&url, Duration::from_secs(30));
    let report = run_load(plan, pending(), &mut |_| {}).await;
    assert_eq!(counts(&report), (1, Some(1), Some(0), 0));
}

#[tokio::test]
async fn an_answer_after_the_timeout_is_lost_at_the_end() {
    let url = serve(|peer| answer_after(peer, Duration::from_millis(5_000))).await;
    let plan = plan(&url, Duration::from_millis(3_000));
    let report = run_load(plan, pending(), &mut |_| {}).await;
    assert_eq!(counts(&report), (1, Some(0), Some(1), 0));
}

#[tokio::test]
async fn what_the_user_interrupts_is_not_lost() {
    let arrived = Arc::new(Notify::new());
    let arriving = arrived.clone();
    let url = serve(move |mut peer| {
        let arriving = arriving.clone();
        async move {
            peer.accept("").await;
            while peer.next().await.is_some_and(|frame| frame.opcode != 8) {
                arriving.notify_one();
            }
        }
    })
    .await;
    let plan = LoadTestPlan {
        duration: Duration::from_secs(60),
        ..plan(&url, Duration::from_secs(60))
    };
    let report = run_load(plan, arrived.notified(), &mut |_| {}).await;
    assert_eq!(counts(&report), (1, Some(0), Some(0), 0));
    assert!(report.interrupted);
}

#[tokio::test]
async fn a_server_that_does_not_read_does_not_hold_an_interrupted_load() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        pending::<()>().await;
    })
    .await;
    // A load that waits for the server does not end in the time of a test.
    const HOUR: Duration = Duration::from_secs(3600);
    let mut plan = LoadTestPlan {
        duration: HOUR,
        ..plan(&url, HOUR)
    };
    // More than the buffers of both sides hold.
    plan.messages[0].text = "x".repeat(32 * 1024 * 1024);
    let report = run_load(plan, sleep(Duration::from_millis(500)), &mut |_| {}).await;
    assert_eq!(counts(&report), (0, Some(0), Some(0), 0));
}

#[tokio::test]
async fn error_frames_do_not_show_the_caller_s_token() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        while peer.next().await.is_some_and(|frame| frame.opcode != 8) {
            let frame = r#"{"message":"no t0ken-of-mine","connectionId":"c","requestId":"r"}"#;
            peer.text(frame).await;
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let report = run_load(plan(&url, Duration::from_secs(5)), pending(), &mut |_| {}).await;
    assert_eq!(report.error_frames.len(), 1);
    assert_eq!(report.error_frames[0].message, "no [hidden]");
}
