//! Property test of the tables' invariants, under concurrent steps, faults and expiry.
//!
//! Listeners join, join again, change their language, replace a connection and leave. Sessions are paused, ended, left half
//! ended and ended again. Posts find connections gone. Requests fail before and after they take effect. Time passes, and
//! items expire up to two days late and in any order. Up to four steps run at once, in batches.
//!
//! After each batch, the test scans the tables, bypassing the adapter, and checks:
//!
//! - A session's counts, in total, by language and by address, equal the numbers of its listeners' records. From three hours after the session's end, when none of
//!   its connections can be open, records may expire; then the count may be higher.
//! - A session never has more listeners than its capacity.
//! - Every record has its session's item: records expire before their session does.
//! - A session that has ended has no listeners.
//! - A session's speaker connection has a speaker's record in the session, unless it may have expired. `isActive` is true
//!   exactly while there is a speaker connection.
//!
//! `PROPTEST_CASES` sets the number of cases.

mod check;
mod steps;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::database;
use world::World;

#[test]
fn the_invariants_hold() {
    let cases = std::env::var("PROPTEST_CASES").map_or(24, |cases| cases.parse().unwrap());
    // Failures are not saved, because concurrent steps interleave differently in every run.
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let endpoint = runtime.block_on(database::endpoint());
    proptest!(config, |(batches in vec(steps::batch(), 1..=24))| {
        runtime.block_on(async {
            let mut world = World::new(&endpoint).await;
            for batch in &batches {
                world.run(batch).await;
                world.check().await;
            }
        });
    });
}
