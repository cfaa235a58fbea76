use tokio::time::Instant;

use super::{
    SETTINGS, down, handshake, id, listener, listener_count, minutes, owner, session, session_id,
    speaker, world_with_session,
};
use crate::ports::{ConnectionStore, SessionRefusal, SessionStore};
use crate::protocol::ServerMessage;
use crate::testing::{PostBehavior, memory_ports};
use crate::{Clock, EndError, EndRequest, JoinSettings, SessionStatus, UserId, connect, end};
use stackgen_websocket::PostError;

fn ending(owner: &UserId) -> EndRequest<'_> {
    // Leaks a few bytes per test, because the request borrows the ID.
    let session_id = Box::leak(Box::new(session_id()));
    EndRequest {
        session_id,
        owner,
        reason: None,
        requested_by: None,
    }
}

#[tokio::test]
async fn all_listeners_are_removed_and_notified_before_the_session_has_ended() {
    let world = world_with_session().await;
    for name in ["one", "two", "three"] {
        listener(&world, name).await;
    }
    speaker(&world, "mic").await;
    world.store.page_size(2);
    let expected = end(&world, ending(&owner())).await.unwrap();
    assert!(matches!(
        expected,
        ServerMessage::SessionEnded { reason: None, .. }
    ));
    let mut to: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    to.sort();
    assert_eq!(to, [id("mic"), id("one"), id("three"), id("two")]);
    let session = session(&world).await;
    assert_eq!(
        (session.status, listener_count(&world).await),
        (SessionStatus::Ended, 0)
    );
    let left: Vec<_> = world
        .store
        .connections()
        .into_iter()
        .map(|c| c.connection_id)
        .collect();
    assert_eq!(
        left,
        [id("mic")],
        "the speaker's record goes with its connection"
    );
}

#[tokio::test]
async fn only_the_owner_ends_an_existing_session() {
    let ports = memory_ports();
    let missing = end(&ports, ending(&owner())).await;
    assert_eq!(missing, Err(EndError::Refused(SessionRefusal::NoSession)));
    let world = world_with_session().await;
    let eve = UserId::try_from("eve").unwrap();
    assert_eq!(
        end(&world, ending(&eve)).await,
        Err(EndError::Refused(SessionRefusal::NotOwner))
    );
    assert_eq!(session(&world).await.status, SessionStatus::Active);
}

#[tokio::test(start_paused = true)]
async fn listeners_missing_from_the_index_are_removed_later_and_notified_once() {
    let world = world_with_session().await;
    for name in ["one", "late"] {
        listener(&world, name).await;
    }
    world.store.hide_from_pages(&id("late"), 3);
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await.status, SessionStatus::Ended);
    let to: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(to, [id("one"), id("late")]);
}

#[tokio::test(start_paused = true)]
async fn pauses_between_passes_double_and_a_complete_index_needs_none() {
    for (rounds_behind, waited) in [(0, 0), (1, 50), (3, 50 + 100 + 200)] {
        let world = world_with_session().await;
        listener(&world, "one").await;
        if rounds_behind > 0 {
            world.store.hide_from_pages(&id("one"), rounds_behind);
        }
        let start = Instant::now();
        end(&world, ending(&owner())).await.unwrap();
        let elapsed = start.elapsed().as_millis();
        // Tokio rounds a pause up to the timer's next millisecond.
        assert!((waited..waited + 5).contains(&elapsed), "{elapsed}");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_hang_do_not_delay_the_end_of_a_session() {
    let world = world_with_session().await;
    let settings = JoinSettings {
        capacity: crate::ports::Capacity {
            listeners: 1500,
            per_address: 1500,
        },
        ..SETTINGS
    };
    for number in 0..1500 {
        let name = format!("listener-{number}");
        connect(&world, settings, handshake(&world, &name))
            .await
            .unwrap();
        world
            .broadcaster
            .set_behavior(&id(&name), PostBehavior::Hangs);
    }
    let start = Instant::now();
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(session(&world).await.status, SessionStatus::Ended);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_end_can_be_continued() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    world.store.hide_from_pages(&id("one"), 100);
    assert_eq!(
        end(&world, ending(&owner())).await,
        Err(EndError::Unfinished)
    );
    assert_eq!(session(&world).await.status, SessionStatus::Ending);
    world.store.hide_from_pages(&id("one"), 1);
    world
        .store
        .listeners(&session_id(), None, None)
        .await
        .unwrap();
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await.status, SessionStatus::Ended);
}

#[tokio::test]
async fn ending_again_changes_and_posts_nothing() {
    let world = world_with_session().await;
    speaker(&world, "mic").await;
    end(&world, ending(&owner())).await.unwrap();
    world.broadcaster.take();
    let before = session(&world).await;
    world.clock.advance(minutes(1));
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await, before);
    assert_eq!(world.broadcaster.take(), []);
}

#[tokio::test]
async fn a_session_past_its_end_can_be_ended_despite_its_count() {
    let world = world_with_session().await;
    for name in ["one", "swept"] {
        listener(&world, name).await;
    }
    world.clock.advance(minutes(24 * 60));
    world.store.hide_from_pages(&id("swept"), 1);
    end(&world, ending(&owner())).await.unwrap();
    let to: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(to, [id("one")]);
    assert_eq!(session(&world).await.status, SessionStatus::Ending);
}

#[tokio::test]
async fn gone_connections_do_not_prevent_the_end() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    for name in ["one", "mic"] {
        world
            .broadcaster
            .set_behavior(&id(name), PostBehavior::Fails(PostError::Gone));
    }
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await.status, SessionStatus::Ended);
}

#[tokio::test]
async fn a_failing_table_is_reported() {
    let world = world_with_session().await;
    world.store.fail(Some(down()));
    assert_eq!(
        end(&world, ending(&owner())).await,
        Err(EndError::Store(down()))
    );
    world.store.fail(None);
    let now = world.clock.now();
    assert!(
        !world.store.finish_end(&session_id(), now).await.unwrap(),
        "no end has begun"
    );
}
