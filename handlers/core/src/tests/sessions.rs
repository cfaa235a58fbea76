use serde_json::json;

use super::{LIMITS, down, language, listener, minutes, owner, session_id, world_with_session};
use crate::ports::{SessionRefusal, SessionStore};
use crate::sessions::{NewSession, SessionError, create, set_open, view};
use crate::testing::memory_ports;
use crate::{
    Clock, CreationKey, QualityTier, RateLimitError, RateLimitFailure, SessionId,
    SessionIdGenerator, SessionStatus, UserId,
};

const IP: &str = "203.0.113.7";

fn new() -> NewSession {
    NewSession {
        source_language: language("en"),
        quality_tier: QualityTier::Premium,
    }
}

#[tokio::test]
async fn a_created_session_is_returned_and_can_be_read() {
    let world = memory_ports();
    let mut names = SessionIdGenerator::seeded(1);
    let created = create(
        &world,
        RateLimitFailure::Closed,
        &mut names,
        &owner(),
        new(),
        None,
    )
    .await
    .unwrap();
    let now = world.clock.now();
    let id = created.public.session_id.clone();
    let expected = json!({"sessionId": id, "sourceLanguage": "en", "status": "active", "listenerCount": 0,
        "qualityTier": "premium", "createdAt": now, "endsAt": now.after(minutes(24 * 60))});
    assert_eq!(serde_json::to_value(&created).unwrap(), expected);
    assert_eq!(view(&world, LIMITS, IP, &id).await.unwrap(), created.public);
    let stored = world.store.session(&id).await.unwrap().unwrap();
    assert_eq!(
        (stored.speaker_id, stored.status),
        (owner(), SessionStatus::Active)
    );
}

#[tokio::test]
async fn an_id_that_is_taken_is_never_written_over() {
    let world = memory_ports();
    let bob = UserId::try_from("bob").unwrap();
    let mut ids = Vec::new();
    for user in [owner(), bob] {
        // The same seed generates the same IDs.
        let mut names = SessionIdGenerator::seeded(1);
        let created = create(
            &world,
            RateLimitFailure::Closed,
            &mut names,
            &user,
            new(),
            None,
        )
        .await
        .unwrap();
        let id = created.public.session_id;
        assert_eq!(
            world.store.session(&id).await.unwrap().unwrap().speaker_id,
            user
        );
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(
        world
            .store
            .session(&ids[0])
            .await
            .unwrap()
            .unwrap()
            .speaker_id,
        owner()
    );
}

#[tokio::test]
async fn creation_fails_when_all_generated_ids_are_in_use() {
    let world = memory_ports();
    let mut results = Vec::new();
    for _ in 0..11 {
        let mut names = SessionIdGenerator::seeded(1);
        results.push(
            create(
                &world,
                RateLimitFailure::Closed,
                &mut names,
                &owner(),
                new(),
                None,
            )
            .await,
        );
    }
    assert!(results[..10].iter().all(Result::is_ok));
    assert_eq!(results[10], Err(SessionError::NoFreeId));
}

#[tokio::test]
async fn a_user_creates_fifty_sessions_an_hour() {
    let world = memory_ports();
    let mut names = SessionIdGenerator::seeded(1);
    let failure = RateLimitFailure::Closed;
    for _ in 0..50 {
        create(&world, failure, &mut names, &owner(), new(), None)
            .await
            .unwrap();
    }
    let refused = create(&world, failure, &mut names, &owner(), new(), None).await;
    let retry_after = std::time::Duration::from_secs(72);
    assert_eq!(
        refused,
        Err(SessionError::RateLimited(RateLimitError::Exceeded {
            retry_after
        }))
    );
    let bob = UserId::try_from("bob").unwrap();
    assert!(
        create(&world, failure, &mut names, &bob, new(), None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn while_the_rate_limit_table_fails_sessions_are_created_only_if_set() {
    let world = memory_ports();
    let mut names = SessionIdGenerator::seeded(1);
    world.store.fail_rates(Some(down()));
    let closed = create(
        &world,
        RateLimitFailure::Closed,
        &mut names,
        &owner(),
        new(),
        None,
    )
    .await;
    assert_eq!(
        closed,
        Err(SessionError::RateLimited(RateLimitError::Unavailable(
            down()
        )))
    );
    assert!(
        create(
            &world,
            RateLimitFailure::Open,
            &mut names,
            &owner(),
            new(),
            None
        )
        .await
        .is_ok()
    );
    world.store.fail(Some(down()));
    let failed = create(
        &world,
        RateLimitFailure::Open,
        &mut names,
        &owner(),
        new(),
        None,
    )
    .await;
    assert_eq!(failed, Err(SessionError::Store(down())));
}

#[tokio::test]
async fn only_the_owner_pauses_and_resumes() {
    let world = world_with_session().await;
    for (open, status) in [(false, "paused"), (false, "paused"), (true, "active")] {
        let seen = set_open(&world, LIMITS, &session_id(), &owner(), open)
            .await
            .unwrap();
        assert_eq!(seen.public.status, status);
    }
    let eve = UserId::try_from("eve").unwrap();
    let refused = set_open(&world, LIMITS, &session_id(), &eve, false).await;
    assert_eq!(
        refused,
        Err(SessionError::Refused(SessionRefusal::NotOwner))
    );
    let missing = SessionId::try_from("no-where-100-k7dq2m9x4hw3t").unwrap();
    let refused = set_open(&world, LIMITS, &missing, &owner(), false).await;
    assert_eq!(
        refused,
        Err(SessionError::Refused(SessionRefusal::NoSession))
    );
}

#[tokio::test]
async fn a_session_that_is_over_stays_over_and_shows_no_listeners() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    assert_eq!(
        view(&world, LIMITS, IP, &session_id())
            .await
            .unwrap()
            .listener_count,
        1
    );
    let begun = world
        .store
        .begin_end(&session_id(), &owner(), world.clock.now())
        .await;
    assert!(begun.unwrap().is_ok());
    let seen = view(&world, LIMITS, IP, &session_id()).await.unwrap();
    assert_eq!((seen.status, seen.listener_count), ("ended", 0));
    let refused = set_open(&world, LIMITS, &session_id(), &owner(), true).await;
    assert_eq!(
        refused,
        Err(SessionError::Refused(SessionRefusal::WrongStatus(
            SessionStatus::Ending
        )))
    );
    world.clock.advance(minutes(24 * 60));
    let refused = set_open(&world, LIMITS, &session_id(), &owner(), true).await;
    assert_eq!(
        refused,
        Err(SessionError::Refused(SessionRefusal::WrongStatus(
            SessionStatus::Ended
        )))
    );
    let missing = view(
        &world,
        LIMITS,
        IP,
        &SessionId::try_from("no-where-100-k7dq2m9x4hw3t").unwrap(),
    )
    .await;
    assert_eq!(
        missing,
        Err(SessionError::Refused(SessionRefusal::NoSession))
    );
}

fn key(text: &str) -> CreationKey {
    CreationKey::try_from(text).unwrap()
}

#[tokio::test]
async fn a_repeated_request_with_the_same_key_creates_one_session() {
    let world = memory_ports();
    let mut ids = SessionIdGenerator::default();
    let failure = RateLimitFailure::Closed;
    let mut created = async |owner: &UserId, new, key: &CreationKey| {
        create(&world, failure, &mut ids, owner, new, Some(key)).await
    };
    let first = created(&owner(), new(), &key("k1")).await.unwrap();
    world.clock.advance(minutes(5));
    let again = created(&owner(), new(), &key("k1")).await.unwrap();
    assert_eq!(again, first);
    // Another key, and the same key of another user, create others.
    let other = created(&owner(), new(), &key("k2")).await.unwrap();
    let bobs = UserId::try_from("bob").unwrap();
    let bobs = created(&bobs, new(), &key("k1")).await.unwrap();
    let ids = [&first, &other, &bobs].map(|view| &view.public.session_id);
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
    let german = NewSession {
        source_language: language("de"),
        ..new()
    };
    let standard = NewSession {
        quality_tier: QualityTier::Standard,
        ..new()
    };
    for other in [german, standard] {
        let reused = created(&owner(), other, &key("k1")).await;
        assert_eq!(reused, Err(SessionError::KeyReused));
    }
}

#[tokio::test]
async fn a_repeated_request_completes_an_interrupted_one() {
    let world = memory_ports();
    let reserved = session_id();
    let now = world.clock.now();
    let id = world
        .store
        .reserve_id(&owner(), &key("k"), &reserved, now)
        .await;
    assert_eq!(id, Ok(reserved.clone()));
    let mut ids = SessionIdGenerator::default();
    let failure = RateLimitFailure::Closed;
    let created = create(&world, failure, &mut ids, &owner(), new(), Some(&key("k")))
        .await
        .unwrap();
    assert_eq!(created.public.session_id, reserved);
}
