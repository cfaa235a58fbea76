//! Tests with failing requests.

use std::time::Duration;

use live_session::dynamo::{Retry, Settings};
use live_session_core::ports::{
    Admission, BroadcastChange, Bucket, ConnectionStore, Rate, RateLimiter, SessionStore, Store,
    StoreError, Stored, Taken,
};
use live_session_core::{Session, Status};
use tokio::time::Instant;

use crate::support::database::{Database, unreachable_store};
use crate::support::faults::Fault::{self, *};
use crate::support::faults::Faults;
use crate::support::people::*;

const ID: &str = "merciful-truth-455";
const RATE: Rate = Rate {
    tokens: 2,
    per: MINUTE,
};

/// Runs every operation of the ports. Returns their names and results.
async fn every_operation(store: &impl Store) -> Vec<(&'static str, Stored<()>)> {
    let (session, owner, a) = (session(ID), user(OWNER), id("a="));
    let (session_id, speaker) = (&session.session_id, speaker("s=", &session));
    let listener = listener("a=", &session);
    let change = BroadcastChange::default();
    let bucket = Bucket::new("join", "ip", "a");
    let ids = std::slice::from_ref(&a);
    macro_rules! outcomes {
        ($($operation:ident($($argument:expr),*))+) => {
            vec![$((stringify!($operation), store.$operation($($argument),*).await.map(drop))),+]
        };
    }
    outcomes! {
        create(&session)
        session(session_id)
        set_status(session_id, &owner, Status::Paused, NOW)
        set_broadcast_state(session_id, change, NOW)
        begin_end(session_id, &owner, NOW)
        finish_end(session_id, NOW)
        connection(&a)
        admit_listener(&listener, 500, NOW)
        exchange_listener(&id("z="), &listener, NOW)
        admit_speaker(&speaker, NOW)
        change_language(&a, &language("fr"), NOW)
        touch(&a, NOW)
        request_refresh(&a, NOW)
        remove(&a, NOW)
        listeners(session_id, None, None)
        remove_listeners(session_id, ids, NOW)
        take(&bucket, RATE, NOW)
    }
}

/// Checks that each operation fails with this error. Returns the number of requests per operation.
async fn each_fails(fault: Fault, expected: impl Fn(&'static str) -> StoreError) -> usize {
    let faults = Faults::default();
    let store = unreachable_store(Settings::default(), &faults);
    faults.always(fault);
    let start = Instant::now();
    let outcomes = every_operation(&store).await;
    let operations = outcomes.len() as u32;
    for (operation, outcome) in outcomes {
        assert_eq!(outcome, Err(expected(operation)));
    }
    // Measured with Tokio's paused clock, which advances when all tasks wait.
    assert!(
        start.elapsed() <= Retry::default().budget * operations,
        "{:?}",
        start.elapsed()
    );
    faults.requests() / operations as usize
}

fn unavailable(reason: &str) -> impl Fn(&'static str) -> StoreError {
    move |operation| StoreError::Unavailable {
        operation,
        reason: reason.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_table_is_asked_again_and_then_given_up() {
    let throttled = |operation| StoreError::Throttled { operation };
    let requests = each_fails(Throttled, throttled).await;
    assert!((10..100).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_contended_item_is_asked_again_and_then_given_up() {
    let throttled = |operation| StoreError::Throttled { operation };
    let requests = each_fails(Conflict, throttled).await;
    assert!((10..100).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_failing_table_is_unavailable() {
    let requests = each_fails(ServerError, unavailable("InternalServerError")).await;
    assert!((10..100).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_table_out_of_reach_is_unavailable() {
    let reason = "dispatch failure: io error: the connection broke";
    let requests = each_fails(Unreachable, unavailable(reason)).await;
    assert!((10..100).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_table_is_unavailable_before_the_function_runs_out_of_time() {
    let requests = each_fails(Silence, unavailable("no response in time")).await;
    assert!((2..=4).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn rates_are_given_up_long_before_audio_is_worth_nothing() {
    let faults = Faults::default();
    let store = unreachable_store(Settings::default(), &faults);
    for fault in [Silence, Throttled, Unreachable] {
        faults.always(fault);
        let start = Instant::now();
        let bucket = Bucket::new("audio", "user", "ada");
        assert!(store.take(&bucket, RATE, NOW).await.is_err());
        assert!(start.elapsed() <= Duration::from_secs(1), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_permitted_is_not_asked_again() {
    let requests = each_fails(Denied, unavailable("AccessDeniedException: ")).await;
    assert_eq!(requests, 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_underneath_asks_again() {
    // No retry fits into the budget after such a pause, so only the SDK could send more requests.
    let long = Duration::from_secs(1_000_000);
    let retry = Retry {
        first_pause: long,
        longest_pause: long,
        ..Retry::default()
    };
    let faults = Faults::default();
    let store = unreachable_store(
        Settings {
            retry,
            rate_retry: retry,
            page: None,
        },
        &faults,
    );
    for fault in [Throttled, ServerError, Unreachable] {
        faults.always(fault);
        let before = faults.requests();
        let operations = every_operation(&store).await.len();
        assert_eq!(faults.requests() - before, operations, "{fault:?}");
    }
}

/// Returns settings with short pauses.
fn quick() -> Settings {
    let retry = Retry {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        ..Retry::default()
    };
    Settings {
        retry,
        rate_retry: retry,
        page: None,
    }
}

/// Runs every operation with these faults before the request that succeeds. Each takes effect once.
async fn each_succeeds_after(faults: &[Fault]) {
    let database = Database::start().await;
    let plan = Faults::default();
    let store = database.faulty_store(quick(), &plan);
    let planned = || plan.plan(faults.iter().copied());
    let session = session(ID);
    people_come(&store, &session, planned).await;
    people_stay(&store, &session, planned).await;
    tokens_are_taken(&store, planned).await;
    people_leave(&store, &session, planned).await;
    assert!(database.scan(&database.tables.connections).await.is_empty());
}

async fn people_come(store: &impl Store, session: &Session, planned: impl Fn()) {
    planned();
    assert_eq!(store.create(session).await, Ok(true));
    planned();
    assert_eq!(
        store.session(&session.session_id).await,
        Ok(Some(session.clone()))
    );
    planned();
    let speaker = speaker("s=", session);
    assert_eq!(
        store.admit_speaker(&speaker, NOW).await,
        Ok(Admission::Admitted)
    );
    for connection in ["a=", "b=", "c="] {
        planned();
        let admission = store
            .admit_listener(&listener(connection, session), 3, NOW)
            .await;
        assert_eq!(admission, Ok(Admission::Admitted));
    }
    planned();
    let admission = store
        .exchange_listener(&id("a="), &listener("d=", session), NOW)
        .await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(count(store, session).await, 3);
}

async fn people_stay(store: &impl Store, session: &Session, planned: impl Fn()) {
    let (session_id, owner, b) = (&session.session_id, user(OWNER), id("b="));
    planned();
    assert!(store.connection(&b).await.unwrap().is_some());
    planned();
    assert!(
        store
            .change_language(&b, &language("fr"), NOW)
            .await
            .unwrap()
            .is_some()
    );
    planned();
    assert!(store.touch(&b, NOW).await.unwrap().is_some());
    planned();
    assert_eq!(store.request_refresh(&b, NOW).await, Ok(true));
    assert_eq!(store.request_refresh(&b, NOW).await, Ok(false));
    planned();
    let paused = store
        .set_status(session_id, &owner, Status::Paused, NOW)
        .await;
    assert_eq!(paused.unwrap().unwrap().status, Status::Paused);
    planned();
    let change = BroadcastChange {
        is_muted: Some(true),
        ..Default::default()
    };
    let state = store.set_broadcast_state(session_id, change, NOW).await;
    assert!(state.unwrap().unwrap().is_muted);
}

/// Takes tokens one after the other. After a lost response, a bucket cannot tell two attempts in the same millisecond
/// apart.
async fn tokens_are_taken(store: &impl Store, planned: impl Fn()) {
    let bucket = Bucket::new("join", "ip", "a");
    let now = |millis| NOW.after(Duration::from_millis(millis));
    for millis in 1..=u64::from(RATE.tokens) {
        planned();
        assert_eq!(store.take(&bucket, RATE, now(millis)).await, Ok(Taken::Yes));
    }
    planned();
    let taken = store.take(&bucket, RATE, now(9)).await;
    assert!(matches!(taken, Ok(Taken::No { .. })), "{taken:?}");
}

async fn people_leave(store: &impl Store, session: &Session, planned: impl Fn()) {
    let session_id = &session.session_id;
    planned();
    assert!(
        store
            .remove(&id("s="), NOW)
            .await
            .unwrap()
            .unwrap()
            .was_speaking
    );
    planned();
    assert!(store.remove(&id("d="), NOW).await.unwrap().is_some());
    assert_eq!(count(store, session).await, 2);
    planned();
    let ending = store
        .begin_end(session_id, &user(OWNER), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ending.status, Status::Ending);
    planned();
    let page = store.listeners(session_id, None, None).await.unwrap();
    let ids: Vec<_> = page
        .listeners
        .into_iter()
        .map(|one| one.connection_id)
        .collect();
    planned();
    assert_eq!(store.remove_listeners(session_id, &ids, NOW).await, Ok(2));
    assert_eq!(count(store, session).await, 0);
    planned();
    assert_eq!(store.finish_end(session_id, NOW).await, Ok(true));
}

#[tokio::test]
async fn what_did_not_arrive_is_done_at_the_next_try() {
    each_succeeds_after(&[Unreachable, ServerError, Throttled, Conflict]).await;
}

#[tokio::test]
async fn what_was_done_and_not_answered_is_done_once_and_told_so() {
    each_succeeds_after(&[AnswerLost]).await;
    each_succeeds_after(&[AnswerLost, AnswerLost, Throttled]).await;
}

#[tokio::test]
async fn a_removal_whose_answer_is_lost_half_way_is_told() {
    // The listener's session is gone, so that the transaction fails and the record is deleted alone.
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(quick(), &faults);
    with_listeners(&store, ID, &["a="]).await;
    database
        .sweep(&database.tables.sessions, "sessionId", ID)
        .await;
    faults.plan([Through, Through, AnswerLost]);
    assert!(store.remove(&id("a="), NOW).await.unwrap().is_some());
    assert_eq!(store.remove(&id("a="), NOW).await, Ok(None));
}

#[tokio::test]
async fn who_takes_an_id_between_two_tries_keeps_it() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(quick(), &faults);
    let theirs = created(&store, ID).await;
    let mine = Session {
        speaker_id: user("bob"),
        ..theirs.clone()
    };
    // The lost response reports that the ID is in use.
    faults.plan([AnswerLost]);
    assert_eq!(store.create(&mine).await, Ok(false));
    assert_eq!(stored(&store, &theirs).await, theirs);
}

#[tokio::test]
async fn an_admission_that_meets_another_transaction_after_its_answer_was_lost_happened_once() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(quick(), &faults);
    let session = created(&store, ID).await;
    let listener = listener("a=", &session);
    faults.plan([AnswerLost, Conflict]);
    let admission = store.admit_listener(&listener, 500, NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(count(&store, &session).await, 1);
}

#[tokio::test]
async fn a_removal_that_meets_another_transaction_after_its_answer_was_lost_is_told() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(quick(), &faults);
    let session = created(&store, ID).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    faults.plan([Through, AnswerLost, Conflict]);
    let removed = store.remove(&id("s="), NOW).await.unwrap().unwrap();
    assert!(removed.was_speaking);
    assert_eq!(stored(&store, &session).await.speaker_connection_id, None);
    // A read whose response is lost removes nothing.
    faults.plan([AnswerLost]);
    assert_eq!(store.remove(&id("s="), NOW).await, Ok(None));
}
