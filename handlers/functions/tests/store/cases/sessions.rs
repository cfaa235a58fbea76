use live_session_core::limits::MAX_SESSION;
use live_session_core::ports::{Admission, BroadcastChange, SessionRefusal, Store};
use live_session_core::{
    Connection, CreationKey, QualityTier, Session, SessionId, SessionStatus, Volume,
};

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

pub(super) async fn a_session_is_read_as_it_was_written(store: &impl Store) {
    assert_eq!(store.session(&session_id(ID)).await, Ok(None));
    let session = Session {
        quality_tier: QualityTier::Premium,
        ..session(ID)
    };
    assert_eq!(store.create(&session).await, Ok(true));
    assert_eq!(store.session(&session_id(ID)).await, Ok(Some(session)));
}

pub(super) async fn a_taken_id_is_not_overwritten(store: &impl Store) {
    let session = created(store, ID).await;
    let other = Session {
        speaker_id: user("bob"),
        ..session.clone()
    };
    assert_eq!(store.create(&other).await, Ok(false));
    assert_eq!(stored(store, &session).await, session);
    // Not even the same session is created twice.
    assert_eq!(store.create(&session).await, Ok(false));
}

pub(super) async fn the_owner_pauses_and_resumes(store: &impl Store) {
    let session = created(store, ID).await;
    let (id, owner, later) = (&session.session_id, user(OWNER), NOW.after(MINUTE));
    for to in [
        SessionStatus::Paused,
        SessionStatus::Paused,
        SessionStatus::Active,
    ] {
        let changed = store
            .set_status(id, &owner, to, later)
            .await
            .unwrap()
            .unwrap();
        let expected = Session {
            status: to,
            updated_at: later,
            ..session.clone()
        };
        assert_eq!(changed, expected);
        assert_eq!(stored(store, &session).await, expected);
    }
}

pub(super) async fn nobody_else_pauses(store: &impl Store) {
    let session = created(store, ID).await;
    let paused = store
        .set_status(
            &session.session_id,
            &user("bob"),
            SessionStatus::Paused,
            NOW,
        )
        .await;
    assert_eq!(paused, Ok(Err(SessionRefusal::NotOwner)));
    assert_eq!(stored(store, &session).await, session);
}

pub(super) async fn a_session_that_is_over_stays_over(store: &impl Store) {
    let session = created(store, ID).await;
    let (id, owner) = (&session.session_id, user(OWNER));
    store.begin_end(id, &owner, NOW).await.unwrap().unwrap();
    let over = SessionRefusal::WrongStatus(SessionStatus::Ending);
    assert_eq!(
        store
            .set_status(id, &owner, SessionStatus::Active, NOW)
            .await,
        Ok(Err(over))
    );
    let change = BroadcastChange::default();
    assert_eq!(
        store.set_broadcast_state(id, change, NOW).await,
        Ok(Err(over))
    );

    assert_eq!(store.finish_end(id, NOW).await, Ok(true));
    let over = SessionRefusal::WrongStatus(SessionStatus::Ended);
    assert_eq!(
        store
            .set_status(id, &owner, SessionStatus::Active, NOW)
            .await,
        Ok(Err(over))
    );
    assert_eq!(
        store.set_broadcast_state(id, change, NOW).await,
        Ok(Err(over))
    );
}

pub(super) async fn other_users_learn_nothing_about_a_session(store: &impl Store) {
    let session = created(store, ID).await;
    let (id, end) = (&session.session_id, NOW.after(MAX_SESSION));
    let theirs = Ok(Err(SessionRefusal::NotOwner));
    let eve = user("eve");
    assert_eq!(
        store.set_status(id, &eve, SessionStatus::Paused, end).await,
        theirs
    );
    assert_eq!(store.begin_end(id, &eve, end).await, theirs);
    let speaker = Connection {
        user_id: Some(eve),
        ..speaker("s=", &session)
    };
    let refused = Admission::Refused(SessionRefusal::NotOwner);
    assert_eq!(store.admit_speaker(&speaker, end).await, Ok(refused));
}

pub(super) async fn a_session_past_its_end_is_over(store: &impl Store) {
    let session = created(store, ID).await;
    let (id, owner, end) = (&session.session_id, user(OWNER), NOW.after(MAX_SESSION));
    let over = SessionRefusal::WrongStatus(SessionStatus::Ended);
    assert_eq!(
        store
            .set_status(id, &owner, SessionStatus::Paused, end)
            .await,
        Ok(Err(over))
    );
    let change = BroadcastChange::default();
    assert_eq!(
        store.set_broadcast_state(id, change, end).await,
        Ok(Err(over))
    );
    assert_eq!(stored(store, &session).await, session);
}

pub(super) async fn an_unknown_session_refuses_every_change(store: &impl Store) {
    let (id, owner) = (session_id(ID), user(OWNER));
    let unknown = SessionRefusal::NoSession;
    assert_eq!(
        store
            .set_status(&id, &owner, SessionStatus::Paused, NOW)
            .await,
        Ok(Err(unknown))
    );
    let change = BroadcastChange::default();
    assert_eq!(
        store.set_broadcast_state(&id, change, NOW).await,
        Ok(Err(unknown))
    );
    assert_eq!(store.begin_end(&id, &owner, NOW).await, Ok(Err(unknown)));
    // The session expired or never existed, so there is nothing to wait for.
    assert_eq!(store.finish_end(&id, NOW).await, Ok(true));
    assert_eq!(store.session(&id).await, Ok(None));
}

pub(super) async fn the_speakers_state_changes_in_parts(store: &impl Store) {
    let session = created(store, ID).await;
    let quiet = Volume::try_from(0.1).unwrap();
    let changes = [
        BroadcastChange {
            is_paused: Some(true),
            ..Default::default()
        },
        BroadcastChange {
            is_muted: Some(true),
            volume: Some(quiet),
            ..Default::default()
        },
        BroadcastChange {
            is_paused: Some(false),
            ..Default::default()
        },
    ];
    let mut expected = session.broadcast_state;
    for (minute, change) in changes.into_iter().enumerate() {
        let now = NOW.after(MINUTE * minute as u32);
        expected.is_paused = change.is_paused.unwrap_or(expected.is_paused);
        expected.is_muted = change.is_muted.unwrap_or(expected.is_muted);
        expected.volume = change.volume.unwrap_or(expected.volume);
        expected.last_state_change = now;
        let state = store
            .set_broadcast_state(&session.session_id, change, now)
            .await;
        assert_eq!(state, Ok(Ok(expected)));
        assert_eq!(stored(store, &session).await.broadcast_state, expected);
    }
}

pub(super) async fn any_volume_is_stored(store: &impl Store) {
    let session = created(store, ID).await;
    for level in [0.0, 1.0, 0.5, 0.1 + 0.2, 1.0 / 3.0, 1e-7, 1e-100] {
        let volume = Volume::try_from(level).unwrap();
        let change = BroadcastChange {
            volume: Some(volume),
            ..Default::default()
        };
        let state = store
            .set_broadcast_state(&session.session_id, change, NOW)
            .await;
        assert_eq!(state.unwrap().unwrap().volume, volume);
    }
}

pub(super) async fn nobody_else_ends_a_session(store: &impl Store) {
    let session = created(store, ID).await;
    let (id, bob) = (&session.session_id, user("bob"));
    assert_eq!(
        store.begin_end(id, &bob, NOW).await,
        Ok(Err(SessionRefusal::NotOwner))
    );
    assert_eq!(stored(store, &session).await, session);
    store
        .begin_end(id, &user(OWNER), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store.begin_end(id, &bob, NOW).await,
        Ok(Err(SessionRefusal::NotOwner))
    );
}

pub(super) async fn ending_twice_changes_nothing(store: &impl Store) {
    let session = created(store, ID).await;
    let (id, owner, later) = (&session.session_id, user(OWNER), NOW.after(MINUTE));
    let ending = store.begin_end(id, &owner, NOW).await.unwrap().unwrap();
    assert_eq!(ending.status, SessionStatus::Ending);
    assert_eq!(store.begin_end(id, &owner, later).await, Ok(Ok(ending)));

    assert_eq!(store.finish_end(id, NOW).await, Ok(true));
    assert_eq!(store.finish_end(id, later).await, Ok(true));
    let ended = stored(store, &session).await;
    assert_eq!(
        (ended.status, ended.updated_at),
        (SessionStatus::Ended, NOW)
    );
    assert_eq!(store.begin_end(id, &owner, later).await, Ok(Ok(ended)));
}

pub(super) async fn a_session_past_its_end_can_be_ended(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let (id, end) = (&session.session_id, NOW.after(MAX_SESSION));
    let ending = store
        .begin_end(id, &user(OWNER), end)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ending.status, SessionStatus::Ending);
    assert_eq!(
        store.remove_listeners(id, &[self::id("a=")], end).await,
        Ok(1)
    );
    assert_eq!(store.finish_end(id, end).await, Ok(true));
}

pub(super) async fn a_session_has_not_ended_while_there_are_listeners(store: &impl Store) {
    let session = with_listeners(store, ID, &["a="]).await;
    let id = &session.session_id;
    store
        .begin_end(id, &user(OWNER), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.finish_end(id, NOW).await, Ok(false));
    assert_eq!(stored(store, &session).await.status, SessionStatus::Ending);
    store.remove(&self::id("a="), NOW).await.unwrap().unwrap();
    assert_eq!(store.finish_end(id, NOW).await, Ok(true));
}

pub(super) async fn a_session_that_nobody_ends_does_not_end(store: &impl Store) {
    let session = created(store, ID).await;
    assert_eq!(store.finish_end(&session.session_id, NOW).await, Ok(false));
    assert_eq!(stored(store, &session).await, session);
}

pub(super) async fn a_key_reserves_one_id(store: &impl Store) {
    let key = |text: &str| CreationKey::try_from(text).unwrap();
    let ids = [
        "merciful-truth-455-k7dq2m9x4hw3t",
        "brave-river-123-k7dq2m9x4hw3t",
    ]
    .map(session_id);
    let reserve = async |owner: &str, name: &str, id: &SessionId| {
        store.reserve_id(&user(owner), &key(name), id, NOW).await
    };
    assert_eq!(reserve("ada", "k", &ids[0]).await, Ok(ids[0].clone()));
    assert_eq!(reserve("ada", "k", &ids[1]).await, Ok(ids[0].clone()));
    assert_eq!(reserve("bob", "k", &ids[1]).await, Ok(ids[1].clone()));
    assert_eq!(reserve("ada", "l", &ids[1]).await, Ok(ids[1].clone()));
}
