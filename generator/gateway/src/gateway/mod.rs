//! A gateway: everything put together, listening on loopback.

mod state;

pub use state::{ApiState, StageState, State};

use std::path::PathBuf;

use crate::Settings;

/// What [`Gateway::start`](self) is told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How it behaves.
    pub settings: Settings,
    /// The control endpoint's port; apis take the next ones. Free ports when left out, and where one is taken.
    pub port: Option<u16>,
    /// Where tables are kept; in memory when left out.
    pub data: Option<PathBuf>,
}
