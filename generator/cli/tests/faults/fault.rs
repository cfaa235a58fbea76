//! Faults of a call, and signals at a call.

use std::fmt;
use std::str::FromStr;

use rustix::process::Signal;

/// The fault is injected into one call. `After` faults let the call take effect first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    DelayBefore,
    DelayAfter,
    ResetBefore,
    ResetAfter,
    /// The answer ends before its Content-Length.
    CutAfter,
    HtmlAfter,
    /// Status 200 with an empty body.
    EmptyAfter,
    /// A refusal, although the call took effect.
    RefusedAfter(u16),
    /// A refusal of a call that is not forwarded.
    Refused(u16),
}

/// A signal to stackgen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kill {
    pub(crate) signal: StopSignal,
    pub(crate) moment: Moment,
    /// The same signal is sent again a moment later.
    pub(crate) twice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StopSignal {
    Int,
    Term,
    Hup,
    Kill,
}

/// Time of a signal, relative to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Moment {
    /// Before the call takes effect. A call of a process that SIGKILL ended takes none.
    Before,
    /// After the call took effect, and before its answer.
    After,
}

/// One of all the things that a case may do to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Event {
    /// The fault is injected into one call.
    Once(Fault),
    /// The fault is injected into a call and into every later call of the same operation.
    Always(Fault),
    /// A signal.
    Kill(Kill),
}

impl StopSignal {
    pub(crate) const ALL: [StopSignal; 4] = [
        StopSignal::Int,
        StopSignal::Term,
        StopSignal::Hup,
        StopSignal::Kill,
    ];

    pub(crate) fn raw(self) -> Signal {
        match self {
            StopSignal::Int => Signal::INT,
            StopSignal::Term => Signal::TERM,
            StopSignal::Hup => Signal::HUP,
            StopSignal::Kill => Signal::KILL,
        }
    }

    fn name(self) -> &'static str {
        match self {
            StopSignal::Int => "int",
            StopSignal::Term => "term",
            StopSignal::Hup => "hup",
            StopSignal::Kill => "kill",
        }
    }
}

impl Event {
    /// Every event of the matrix, at calls.
    pub(crate) fn all() -> Vec<Event> {
        let faults = [
            Fault::DelayBefore,
            Fault::DelayAfter,
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::CutAfter,
            Fault::HtmlAfter,
            Fault::EmptyAfter,
            Fault::RefusedAfter(403),
            Fault::RefusedAfter(404),
        ];
        let refusals = [400, 403, 404, 409, 429, 500, 503].map(Fault::Refused);
        let once = faults.into_iter().chain(refusals).map(Event::Once);
        // Those that are not repeated for a minute.
        let always = [
            Fault::Refused(400),
            Fault::Refused(403),
            Fault::Refused(404),
            Fault::Refused(409),
            Fault::HtmlAfter,
            Fault::RefusedAfter(403),
        ];
        let always = always.map(Event::Always);
        once.chain(always).chain(Event::signals()).collect()
    }

    /// Every signal, before and after a call.
    pub(crate) fn signals() -> Vec<Event> {
        let mut kills = Vec::new();
        for moment in [Moment::Before, Moment::After] {
            for signal in StopSignal::ALL {
                for twice in [false, true] {
                    // The first SIGKILL is the last one.
                    if !(twice && signal == StopSignal::Kill) {
                        kills.push(Event::Kill(Kill {
                            signal,
                            moment,
                            twice,
                        }));
                    }
                }
            }
        }
        kills
    }

    /// A kind of events, for the choice of cases.
    pub(crate) fn family(self) -> &'static str {
        match self {
            Event::Kill(Kill {
                signal: StopSignal::Kill,
                ..
            }) => "kill",
            Event::Kill(Kill { twice: true, .. }) => "signals",
            Event::Kill(_) => "signal",
            Event::Once(Fault::DelayBefore | Fault::DelayAfter) => "delay",
            Event::Once(Fault::ResetBefore | Fault::ResetAfter | Fault::CutAfter) => "lost",
            Event::Once(Fault::HtmlAfter | Fault::EmptyAfter) => "garbage",
            Event::Once(Fault::RefusedAfter(_)) => "false-refusal",
            Event::Once(Fault::Refused(429 | 500 | 503)) => "transient",
            Event::Once(Fault::Refused(_)) => "refusal",
            Event::Always(_) => "always",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::DelayBefore => f.write_str("delay-before"),
            Fault::DelayAfter => f.write_str("delay-after"),
            Fault::ResetBefore => f.write_str("reset-before"),
            Fault::ResetAfter => f.write_str("reset-after"),
            Fault::CutAfter => f.write_str("cut-after"),
            Fault::HtmlAfter => f.write_str("html-after"),
            Fault::EmptyAfter => f.write_str("empty-after"),
            Fault::RefusedAfter(status) => write!(f, "{status}-after"),
            Fault::Refused(status) => write!(f, "{status}"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Once(fault) => write!(f, "{fault}"),
            Event::Always(fault) => write!(f, "always-{fault}"),
            Event::Kill(kill) => {
                let twice = if kill.twice { "-twice" } else { "" };
                let moment = match kill.moment {
                    Moment::Before => "before",
                    Moment::After => "after",
                };
                write!(f, "{}{twice}-{moment}", kill.signal.name())
            }
        }
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Event::all()
            .into_iter()
            .find(|event| event.to_string() == text);
        found.ok_or_else(|| {
            let all: Vec<_> = Event::all().iter().map(ToString::to_string).collect();
            format!("there is no fault {text}; there are: {}", all.join(", "))
        })
    }
}
