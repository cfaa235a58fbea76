//! Tests that every store passes: DynamoDB, and the tables in memory that the tests of the rules use.

mod admission;
mod exchange;
mod pages;
mod rates;
mod records;
mod removal;
mod sessions;
mod tickets;

/// Runs each case on both stores, with at most three listeners per page.
macro_rules! on_every_store {
    ($($module:ident: $($case:ident)+;)+) => {
        mod memory {
            $(mod $module {
                $(#[tokio::test]
                async fn $case() {
                    let store = live_session_core::testing::MemoryStore::default();
                    store.page_size(3);
                    super::super::$module::$case(&store).await;
                })+
            })+
        }
        mod dynamodb {
            $(mod $module {
                $(#[tokio::test]
                async fn $case() {
                    let database = crate::support::database::Database::start().await;
                    let settings = live_session::dynamo::StoreSettings {
                        page: Some(3),
                        ..crate::support::database::patient_settings()
                    };
                    super::super::$module::$case(&database.store(settings)).await;
                })+
            })+
        }
    };
}

on_every_store! {
    sessions:
        a_session_is_read_as_it_was_written
        a_taken_id_is_not_overwritten
        the_owner_pauses_and_resumes
        nobody_else_pauses
        other_users_learn_nothing_about_a_session
        a_session_that_is_over_stays_over
        a_session_past_its_end_is_over
        an_unknown_session_refuses_every_change
        the_speakers_state_changes_in_parts
        any_volume_is_stored
        nobody_else_ends_a_session
        ending_twice_changes_nothing
        a_session_past_its_end_can_be_ended
        a_session_has_not_ended_while_there_are_listeners
        a_session_that_nobody_ends_does_not_end
        a_key_reserves_one_id;
    admission:
        a_listener_is_recorded_and_counted
        joining_again_counts_once
        a_connection_is_in_one_session_and_role
        a_full_session_admits_nobody
        one_address_takes_a_limited_number_of_places
        listeners_are_counted_by_language
        an_inactive_session_admits_nobody
        a_session_admits_connections_until_its_end
        an_unknown_session_admits_nobody
        the_owner_becomes_the_speaker
        nobody_else_becomes_the_speaker
        the_speakers_next_connection_becomes_the_speaker_connection
        a_speaker_who_joins_again_changes_nothing;
    exchange:
        a_listener_replaces_their_own_connection_in_a_full_session
        a_listener_does_not_replace_another_users_connection
        a_removed_connection_cannot_be_replaced
        connections_of_other_sessions_and_roles_are_not_replaced
        an_inactive_session_replaces_no_connection
        a_paused_session_replaces_a_connection
        a_connection_that_has_joined_replaces_no_other
        a_connection_does_not_replace_itself;
    records:
        changing_the_language_changes_nothing_else
        a_speaker_hears_no_language
        a_connection_without_a_record_changes_nothing
        a_heartbeat_is_recorded
        the_refresh_is_requested_once;
    removal:
        a_listener_who_leaves_is_uncounted_once
        a_speaker_who_leaves_makes_the_session_inactive
        an_earlier_connection_of_the_speaker_leaves_the_session_unchanged
        an_earlier_connection_becomes_the_speaker_connection_again
        an_earlier_connection_without_a_record_does_not_become_the_speaker_connection
        an_unknown_connection_does_not_leave
        a_listener_who_left_may_join_again
        listeners_are_removed_together
        removed_listeners_are_skipped
        only_listeners_of_the_session_are_removed
        more_listeners_than_a_transaction_takes_are_removed;
    tickets:
        a_ticket_is_redeemed_by_one_of_many
        another_session_does_not_use_a_ticket_up
        a_ticket_expires_even_if_its_item_is_still_there;
    pages:
        an_empty_session_has_one_empty_page
        every_listener_is_on_one_page
        listeners_can_be_listed_by_language
        a_page_continues_after_a_removed_listener;
    rates:
        a_bucket_is_full_at_first_and_then_empty
        a_bucket_fills_up_evenly
        part_of_a_token_is_not_lost
        a_bucket_holds_no_more_than_its_tokens
        buckets_are_independent
        a_clock_that_goes_back_adds_no_tokens
        peeking_takes_nothing;
}
