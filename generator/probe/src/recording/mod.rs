//! Recordings of connections: what a client sent and received, as lines of JSON that people can read and edit.
//!
//! A [`Recorder`] writes the lines while a client is observed, a [`Recording`] is what was read from a file, and
//! [`replay`](crate::replay()) plays it again. Values that differ from run to run are placeholders: the same ID is the same
//! placeholder, such as `<id-1>`. Tokens are never written.

mod format;
mod line;
mod matching;
mod normalize;
mod placeholder;
mod recorder;
mod request;
mod secrets;

pub use format::{RecordingError, RecordingProblem};
pub use line::{CloseSide, RecordedAction, RecordedClose, RecordedLine, RecordedOpen, Recording};
pub use recorder::{ObservedRequest, Recorder};
pub use request::{RequestError, now_millis};

pub(crate) use matching::{Bindings, frame_value};
pub(crate) use normalize::{Normalizer, merged};
pub(crate) use placeholder::{Placeholder, PlaceholderKind};
