//! Whatever happens in whatever order, the tables stay right.
//!
//! People come, come again, change their language, replace a connection and leave; sessions are paused, ended, left half
//! ended and ended again; posts find connections gone; requests fail before and after they happen; time passes, and the
//! tables forget what has expired, up to two days late and in any order. Up to four of these at once, again and again.
//!
//! After each of these batches, by scans past the adapter:
//!
//! - A session's count is the number of its listeners' records, until the table may forget records (three hours after
//!   the session's end, when none of its connections can be open any more). After that it may be more, never less.
//! - A session never has more listeners than places.
//! - No record is without its session's item, ever: records are forgotten before their session is.
//! - No listener is in a session that has ended, ever.
//! - A session's speaker connection has a speaker's record in this session, unless the table may have forgotten that; and
//!   the session is active in its broadcast state exactly as long as it has one.
//!
//! `PROPTEST_CASES` says how many stories are told.

mod check;
mod steps;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::database;
use world::World;

#[test]
fn the_tables_stay_right() {
    let cases = std::env::var("PROPTEST_CASES").map_or(24, |cases| cases.parse().unwrap());
    // No file of earlier failures: what happens at once falls out differently every time.
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
