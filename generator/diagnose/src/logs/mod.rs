//! Logs of a WebSocket API's stage: its access log, its execution log, and those of its functions and its authorizer.

mod ports;

pub use ports::{
    EventsPage, EventsRequest, ExecutionLevel, FunctionLogSettings, InsightsRequest,
    InsightsResults, InsightsStatus, LiveTailSession, LogGroupSummary, LogService,
    LogSettingsReader, StageLogSettings, StoredEvent, TailEvent, TailUpdate,
};
