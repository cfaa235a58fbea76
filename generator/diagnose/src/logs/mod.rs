//! Logs of a WebSocket API's stage: its access log, its execution log, and those of its functions and its authorizer.
//!
//! [`find_sources`] finds the log groups, [`read_range`] reads them, and [`connection_lives`] joins their lines by connection.

mod access_format;
mod access_record;
mod close_cause;
mod diagnosis;
mod entry;
mod evidence;
mod execution_line;
mod fetch;
mod field;
mod follow;
mod function_line;
mod gap;
mod handshake_cause;
mod insights;
mod join;
mod json_line;
mod life;
mod life_builder;
mod life_filter;
mod line;
mod parse;
mod ports;
mod problem;
mod reorder;
mod scan;
mod seen;
mod sources;
mod timestamp;

pub use access_format::AccessFormat;
pub use access_record::{AccessEvent, AccessRecord};
pub use close_cause::duration_text;
pub use entry::{LineLevel, LogLine, LogSource, SourceKind};
pub use fetch::{ReadLogs, TimeRange, read_range, sort_entries};
pub use field::LineField;
pub use follow::{FollowEvent, FollowOptions, LIVE_TAIL_USD_PER_MINUTE, follow};
pub use gap::{GapKind, LogGap, no_close_codes};
pub use insights::{LogSearchRequest, SearchedLogs, search};
pub use join::{Joiner, LineLinks};
pub use life::{
    AuthorizerStep, ConnectionClose, ConnectionLife, ConnectionLives, LineFailure, RequestStep,
};
pub use life_builder::connection_lives;
pub use life_filter::{FieldFilter, FilteredField, LifeFilter};
pub use line::{CloseFact, LineFact, ParsedLine, ReportedInvocation};
pub use parse::parse_line;
pub use ports::{
    EventsPage, EventsRequest, ExecutionLevel, FunctionLogSettings, InsightsRequest,
    InsightsResults, InsightsStatus, LiveTailSession, LogGroupSummary, LogService,
    LogSettingsReader, StageLogSettings, StoredEvent, TailEvent, TailUpdate,
};
pub use problem::{ConnectionProblem, ProblemSeverity};
pub use reorder::{FollowedEntry, ReorderBuffer};
pub use scan::{ScanEstimate, estimate, scan_price};
pub use seen::{PollWindow, SeenEvents};
pub use sources::{LogDiscovery, LogSources, LoggedStage, find_sources};
pub use timestamp::parse_timestamp;
