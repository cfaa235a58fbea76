//! Tests that every store passes: DynamoDB, and the tables in memory that the tests of the rules use.

mod admission;
mod exchange;
mod pages;
mod rates;
mod records;
mod removal;
mod sessions;

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
                    let settings = live_session::dynamo::Settings {
                        page: Some(3),
                        ..Default::default()
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
        whose_it_is_not_learns_nothing_else_of_a_session
        a_session_that_is_over_stays_over
        a_session_past_its_end_is_over
        an_unknown_session_refuses_every_change
        the_speakers_state_changes_in_parts
        any_volume_is_kept
        nobody_else_ends_a_session
        ending_twice_is_ending_once
        a_session_past_its_end_can_be_ended
        a_session_has_not_ended_while_there_are_listeners
        a_session_that_nobody_ends_does_not_end;
    admission:
        a_listener_is_recorded_and_counted
        joining_again_counts_once
        a_connection_is_in_one_session_and_role
        a_full_session_lets_nobody_in
        a_session_that_is_not_active_lets_nobody_in
        a_session_lets_people_in_until_its_last_moment
        an_unknown_session_lets_nobody_in
        the_owner_becomes_the_speaker
        nobody_else_becomes_the_speaker
        the_speakers_next_connection_takes_over
        a_speaker_who_joins_again_changes_nothing;
    exchange:
        a_listener_takes_their_own_place_in_a_full_session
        nobody_takes_the_place_of_somebody_else
        a_place_that_is_gone_is_no_place
        nobody_takes_the_place_of_a_listener_elsewhere_or_of_the_speaker
        a_session_that_is_not_active_lets_nobody_exchange
        who_is_there_already_takes_no_second_place
        a_connection_is_no_place_for_itself;
    records:
        changing_the_language_changes_nothing_else
        a_speaker_hears_no_language
        who_has_no_record_changes_nothing
        a_sign_of_life_is_noted
        the_refresh_is_requested_once;
    removal:
        a_listener_who_leaves_is_counted_out_once
        the_speaker_who_leaves_leaves_silence
        an_earlier_connection_of_the_speaker_leaves_unheard
        who_was_never_there_does_not_leave
        who_left_may_come_again
        listeners_are_removed_together
        who_is_gone_already_is_passed_over
        only_listeners_of_the_session_are_removed
        more_listeners_than_a_transaction_takes_are_removed;
    pages:
        an_empty_session_has_one_empty_page
        every_listener_is_on_one_page
        a_language_is_listed_alone
        a_page_goes_on_where_a_removed_listener_was;
    rates:
        a_bucket_is_full_at_first_and_then_empty
        a_bucket_fills_up_evenly
        part_of_a_token_is_not_lost
        a_bucket_holds_no_more_than_its_tokens
        buckets_are_independent
        a_clock_that_goes_back_gives_nothing;
}
