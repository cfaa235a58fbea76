use tokio::time::Instant;

use super::{
    SETTINGS, down, handshake, id, listener, minutes, owner, session, session_id, speaker,
    world_with_session,
};
use crate::ports::{ConnectionStore, Refusal, SessionStore};
use crate::protocol::ServerMessage;
use crate::testing::{Reachable, world};
use crate::{Clock, EndError, Ending, JoinSettings, Status, UserId, connect, end};
use stackgen_websocket::PostError;

fn ending(owner: &UserId) -> Ending<'_> {
    // Leaks a few bytes per test, because the request borrows the ID.
    let session_id = Box::leak(Box::new(session_id()));
    Ending {
        session_id,
        owner,
        reason: None,
        said_by: None,
    }
}

#[tokio::test]
async fn everybody_is_told_and_let_out_and_only_then_it_has_ended() {
    let world = world_with_session().await;
    for name in ["one", "two", "three"] {
        listener(&world, name).await;
    }
    speaker(&world, "mic").await;
    world.store.page_size(2);
    let told = end(&world, ending(&owner())).await.unwrap();
    assert!(matches!(
        told,
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
    assert_eq!((session.status, session.listener_count), (Status::Ended, 0));
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
async fn only_the_owner_ends_it_and_only_one_that_is_there() {
    let nothing = world();
    let missing = end(&nothing, ending(&owner())).await;
    assert_eq!(missing, Err(EndError::Refused(Refusal::NoSession)));
    let world = world_with_session().await;
    let eve = UserId::try_from("eve").unwrap();
    assert_eq!(
        end(&world, ending(&eve)).await,
        Err(EndError::Refused(Refusal::NotOwner))
    );
    assert_eq!(session(&world).await.status, Status::Active);
}

#[tokio::test(start_paused = true)]
async fn listeners_whom_the_index_does_not_list_yet_are_let_out_too_and_told_once() {
    let world = world_with_session().await;
    for name in ["one", "late"] {
        listener(&world, name).await;
    }
    world.store.lag(&id("late"), 3);
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await.status, Status::Ended);
    let to: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(to, [id("one"), id("late")]);
}

#[tokio::test(start_paused = true)]
async fn the_index_is_given_time_that_doubles_and_none_where_it_lists_all() {
    for (rounds_behind, waited) in [(0, 0), (1, 50), (3, 50 + 100 + 200)] {
        let world = world_with_session().await;
        listener(&world, "one").await;
        if rounds_behind > 0 {
            world.store.lag(&id("one"), rounds_behind);
        }
        let start = Instant::now();
        end(&world, ending(&owner())).await.unwrap();
        let elapsed = start.elapsed().as_millis();
        // Tokio rounds a pause up to the timer's next millisecond.
        assert!((waited..waited + 5).contains(&elapsed), "{elapsed}");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_who_do_not_answer_do_not_keep_a_session_from_ending_in_time() {
    let world = world_with_session().await;
    let settings = JoinSettings {
        max_listeners: 1500,
        ..SETTINGS
    };
    for number in 0..1500 {
        let name = format!("listener-{number}");
        connect(&world, settings, handshake(&world, &name))
            .await
            .unwrap();
        world.broadcaster.answers(&id(&name), Reachable::Never);
    }
    let start = Instant::now();
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(session(&world).await.status, Status::Ended);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_broke_off_is_taken_up_again() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    world.store.lag(&id("one"), 100);
    assert_eq!(
        end(&world, ending(&owner())).await,
        Err(EndError::Unfinished)
    );
    assert_eq!(session(&world).await.status, Status::Ending);
    world.store.lag(&id("one"), 1);
    world
        .store
        .listeners(&session_id(), None, None)
        .await
        .unwrap();
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await.status, Status::Ended);
}

#[tokio::test]
async fn ending_again_changes_nothing_and_tells_nobody() {
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
async fn a_session_past_its_end_can_be_ended_whatever_it_still_counts() {
    let world = world_with_session().await;
    for name in ["one", "swept"] {
        listener(&world, name).await;
    }
    world.clock.advance(minutes(24 * 60));
    world.store.lag(&id("swept"), 1);
    end(&world, ending(&owner())).await.unwrap();
    let to: Vec<_> = world
        .broadcaster
        .take()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(to, [id("one")]);
    assert_eq!(session(&world).await.status, Status::Ending);
}

#[tokio::test]
async fn listeners_and_speaker_who_are_gone_do_not_stop_it() {
    let world = world_with_session().await;
    listener(&world, "one").await;
    speaker(&world, "mic").await;
    for name in ["one", "mic"] {
        world
            .broadcaster
            .answers(&id(name), Reachable::No(PostError::Gone));
    }
    end(&world, ending(&owner())).await.unwrap();
    assert_eq!(session(&world).await.status, Status::Ended);
}

#[tokio::test]
async fn a_table_that_fails_is_told() {
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
        "nobody began to end it"
    );
}
