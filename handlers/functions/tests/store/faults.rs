//! Tests with failing requests.

use std::time::Duration;

use live_session::dynamo::{RetryPolicy, StoreSettings};
use live_session_core::limits::Rate;
use live_session_core::ports::{
    Admission, BroadcastChange, Bucket, ConnectionStore, RateLimiter, SessionStore, Store,
    StoreError, StoreResult, TakeResult, TicketStore,
};
use live_session_core::{CreationKey, Role, Session, SessionStatus, Ticket, TicketHash};
use tokio::time::Instant;

use crate::support::database::{Database, patient_settings, unreachable_store};
use crate::support::faults::Fault::{self, *};
use crate::support::faults::Faults;
use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";
const RATE: Rate = Rate {
    tokens: 2,
    per: MINUTE,
};

/// Runs every operation of the ports. Returns their names and results.
async fn every_operation(store: &impl Store) -> Vec<(&'static str, StoreResult<()>)> {
    let (session, owner, a) = (session(ID), user(OWNER), id("a="));
    let (session_id, speaker) = (&session.session_id, speaker("s=", &session));
    let listener = listener("a=", &session);
    let change = BroadcastChange::default();
    let bucket = Bucket::new("join", "ip", "a");
    let ids = std::slice::from_ref(&a);
    let key = CreationKey::try_from("k").unwrap();
    let hash = TicketHash::of("secret");
    let ticket = Ticket {
        session_id: session_id.clone(),
        role: Role::Listener,
        user_id: owner.clone(),
        valid_until: NOW,
        expires_at: 0,
    };
    macro_rules! outcomes {
        ($($operation:ident($($argument:expr),*))+) => {
            vec![$((stringify!($operation), store.$operation($($argument),*).await.map(drop))),+]
        };
    }
    outcomes! {
        create(&session)
        session(session_id)
        set_status(session_id, &owner, SessionStatus::Paused, NOW)
        set_broadcast_state(session_id, change, NOW)
        begin_end(session_id, &owner, NOW)
        finish_end(session_id, NOW)
        connection(&a)
        admit_listener(&listener, capacity(500), NOW)
        exchange_listener(&id("z="), &listener, NOW)
        admit_speaker(&speaker, NOW)
        change_language(&a, &language("fr"), NOW)
        touch(&a, NOW)
        request_refresh(&a, NOW)
        remove(&a, NOW)
        listeners(session_id, None, None)
        remove_listeners(session_id, ids, NOW)
        reserve_id(&owner, &key, session_id, NOW)
        put_ticket(&hash, &ticket)
        redeem_ticket(&hash, session_id, NOW)
        take(&bucket, RATE, NOW)
        peek(&bucket, RATE, NOW)
    }
}

/// Checks that each operation fails with this error. Returns the number of requests per operation.
async fn each_fails(fault: Fault, expected: impl Fn(&'static str) -> StoreError) -> usize {
    let faults = Faults::default();
    let store = unreachable_store(StoreSettings::default(), &faults);
    faults.always(fault);
    let start = Instant::now();
    let outcomes = every_operation(&store).await;
    let operations = outcomes.len() as u32;
    for (operation, outcome) in outcomes {
        assert_eq!(outcome, Err(expected(operation)));
    }
    // Measured with Tokio's paused clock, which advances when all tasks wait.
    assert!(
        start.elapsed() <= RetryPolicy::default().budget * operations,
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
async fn requests_to_a_throttled_table_are_retried_and_then_fail() {
    let throttled = |operation| StoreError::Throttled { operation };
    let requests = each_fails(Throttled, throttled).await;
    assert!((10..100).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn conflicting_requests_are_retried_and_then_fail() {
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
async fn an_unreachable_table_is_unavailable() {
    let reason = "dispatch failure: io error: the connection broke";
    let requests = each_fails(Unreachable, unavailable(reason)).await;
    assert!((10..100).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_hangs_is_unavailable_before_the_function_times_out() {
    let requests = each_fails(Silence, unavailable("no response in time")).await;
    assert!((2..=4).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn rate_limits_fail_long_before_audio_is_too_old() {
    let faults = Faults::default();
    let store = unreachable_store(StoreSettings::default(), &faults);
    for fault in [Silence, Throttled, Unreachable] {
        faults.always(fault);
        let start = Instant::now();
        let bucket = Bucket::new("audio", "user", "ada");
        assert!(store.take(&bucket, RATE, NOW).await.is_err());
        assert!(start.elapsed() <= Duration::from_secs(1), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_permissions_are_not_retried() {
    let requests = each_fails(Denied, unavailable("AccessDeniedException: ")).await;
    assert_eq!(requests, 1);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_does_not_retry() {
    // No retry fits into the budget after such a pause, so only the SDK could send more requests.
    let long = Duration::from_secs(1_000_000);
    let retry = RetryPolicy {
        first_pause: long,
        longest_pause: long,
        ..RetryPolicy::default()
    };
    let faults = Faults::default();
    let store = unreachable_store(
        StoreSettings {
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

/// Returns settings with short pauses, and with time for a busy machine.
fn short_pauses() -> StoreSettings {
    let retry = RetryPolicy {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
        ..patient_settings().retry
    };
    StoreSettings {
        retry,
        rate_retry: retry,
        page: None,
    }
}

/// Runs every operation with these faults before the request that succeeds. Each takes effect once.
async fn each_succeeds_after(faults: &[Fault]) {
    let database = Database::start().await;
    let plan = Faults::default();
    let store = database.faulty_store(short_pauses(), &plan);
    let planned = || plan.plan(faults.iter().copied());
    let session = session(ID);
    check_joining(&store, &session, planned).await;
    check_changes(&store, &session, planned).await;
    check_tokens(&store, planned).await;
    check_leaving(&store, &session, planned).await;
    assert!(database.scan(&database.tables.connections).await.is_empty());
}

async fn check_joining(store: &impl Store, session: &Session, planned: impl Fn()) {
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
            .admit_listener(&listener(connection, session), capacity(3), NOW)
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

async fn check_changes(store: &impl Store, session: &Session, planned: impl Fn()) {
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
        .set_status(session_id, &owner, SessionStatus::Paused, NOW)
        .await;
    assert_eq!(paused.unwrap().unwrap().status, SessionStatus::Paused);
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
async fn check_tokens(store: &impl Store, planned: impl Fn()) {
    let bucket = Bucket::new("join", "ip", "a");
    let now = |millis| NOW.after(Duration::from_millis(millis));
    for millis in 1..=u64::from(RATE.tokens) {
        planned();
        assert_eq!(
            store.take(&bucket, RATE, now(millis)).await,
            Ok(TakeResult::Taken)
        );
    }
    planned();
    let taken = store.take(&bucket, RATE, now(9)).await;
    assert!(matches!(taken, Ok(TakeResult::Empty { .. })), "{taken:?}");
}

async fn check_leaving(store: &impl Store, session: &Session, planned: impl Fn()) {
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
    assert_eq!(ending.status, SessionStatus::Ending);
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
async fn failed_requests_are_retried() {
    each_succeeds_after(&[Unreachable, ServerError, Throttled, Conflict]).await;
}

#[tokio::test]
async fn requests_with_a_lost_response_take_effect_once_and_succeed() {
    each_succeeds_after(&[AnswerLost]).await;
    each_succeeds_after(&[AnswerLost, AnswerLost, Throttled]).await;
}

#[tokio::test]
async fn a_removal_with_a_lost_response_is_reported() {
    // The listener's session is gone, so that the transaction fails and the record is deleted alone.
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(short_pauses(), &faults);
    with_listeners(&store, ID, &["a="]).await;
    database.expire_session(ID).await;
    faults.plan([Through, Through, AnswerLost]);
    assert!(store.remove(&id("a="), NOW).await.unwrap().is_some());
    assert_eq!(store.remove(&id("a="), NOW).await, Ok(None));
}

#[tokio::test]
async fn an_id_taken_between_two_attempts_is_not_overwritten() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(short_pauses(), &faults);
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
async fn an_admission_with_a_lost_response_and_a_conflict_happens_once() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(short_pauses(), &faults);
    let session = created(&store, ID).await;
    let listener = listener("a=", &session);
    faults.plan([AnswerLost, Conflict]);
    let admission = store.admit_listener(&listener, capacity(500), NOW).await;
    assert_eq!(admission, Ok(Admission::Admitted));
    assert_eq!(count(&store, &session).await, 1);
}

#[tokio::test]
async fn a_removal_with_a_lost_response_and_a_conflict_is_reported() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(short_pauses(), &faults);
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

#[tokio::test]
async fn a_chunk_takes_its_token_with_one_write() {
    let database = Database::start().await;
    let faults = Faults::default();
    let rate = live_session_core::limits::audio_rate(4);
    let bucket = Bucket::new("audio", "user", "ada");
    // Two execution environments take turns, because a chunk is spread over its time.
    let stores = [(); 2].map(|()| database.faulty_store(patient_settings(), &faults));
    let mut random = fastrand::Rng::with_seed(4);
    for (chunk, store) in (0..40).zip(stores.iter().cycle()) {
        // Four chunks per second, up to 30 ms late.
        let now = NOW.after(Duration::from_millis(chunk * 250 + random.u64(0..30)));
        let taken = store.take(&bucket, rate, now).await;
        assert_eq!(taken, Ok(TakeResult::Taken));
    }
    let requests = faults.requests();
    assert!(requests <= 44, "{requests} writes for 40 chunks");
}

#[tokio::test]
async fn a_ticket_whose_deletion_got_no_response_is_no_wrong_ticket() {
    let database = Database::start().await;
    let faults = Faults::default();
    let store = database.faulty_store(patient_settings(), &faults);
    let session = session_id(ID);
    let ticket = Ticket {
        session_id: session.clone(),
        role: Role::Listener,
        user_id: user(OWNER),
        valid_until: NOW.after(MINUTE),
        expires_at: 0,
    };
    let hash = TicketHash::of("secret");
    faults.plan([AnswerLost]);
    assert_eq!(store.put_ticket(&hash, &ticket).await, Ok(()));
    faults.plan([AnswerLost]);
    let lost = store.redeem_ticket(&hash, &session, NOW).await;
    assert!(
        matches!(lost, Err(StoreError::Unavailable { .. })),
        "{lost:?}"
    );
    assert_eq!(store.redeem_ticket(&hash, &session, NOW).await, Ok(None));
}
