//! Steps that may run.

use std::time::Duration;

use live_session_core::SessionStatus;
use live_session_core::limits::MAX_SESSION;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::faults::Fault;
use crate::support::fixtures::{HOUR, MINUTE};

/// Names of the sessions at one time. When one is over, the next session with its name has the next number.
pub(crate) const SESSIONS: [&str; 2] = ["merciful-truth", "brave-river"];
pub(crate) const CONNECTIONS: [&str; 8] = ["a=", "b=", "c=", "d=", "e=", "f=", "g=", "h="];
pub(crate) const LANGUAGES: [&str; 3] = ["de", "fr", "pt-BR"];

/// Index of one of [`SESSIONS`]; it stands for the current session of that name.
pub(crate) type Slot = usize;
pub(crate) type Name = &'static str;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Create(Slot),
    Listen {
        connection: Name,
        session: Slot,
    },
    Speak {
        connection: Name,
        session: Slot,
        as_owner: bool,
    },
    Exchange {
        previous: Name,
        connection: Name,
        session: Slot,
    },
    ChangeLanguage {
        connection: Name,
        language: Name,
    },
    RequestRefresh(Name),
    Leave(Name),
    SetStatus {
        session: Slot,
        to: SessionStatus,
    },
    Mute(Slot),
    BeginEnd(Slot),
    /// Removes the first page of an ending session's listeners.
    RemovePage(Slot),
    FinishEnd(Slot),
    End(Slot),
    /// Removes listeners because posts found them gone.
    Gone {
        session: Slot,
        connections: [Name; 3],
    },
    /// Compares the counts with the records.
    Audit,
    /// Expires items of one table or of both.
    Expire {
        sessions: bool,
        connections: bool,
    },
}

/// Steps that run at once, after some time has passed.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) after: Duration,
    pub(crate) steps: Vec<Step>,
    pub(crate) faults: Vec<Fault>,
}

fn step() -> impl Strategy<Value = Step> {
    let session = || 0..SESSIONS.len();
    let connection = || select(&CONNECTIONS[..]);
    let to = select(vec![
        SessionStatus::Active,
        SessionStatus::Active,
        SessionStatus::Paused,
    ]);
    prop_oneof![
        4 => session().prop_map(Step::Create),
        12 => (connection(), session())
            .prop_map(|(connection, session)| Step::Listen { connection, session }),
        4 => (connection(), session(), prop::bool::weighted(0.9)).prop_map(
            |(connection, session, as_owner)| Step::Speak { connection, session, as_owner }
        ),
        4 => (connection(), connection(), session()).prop_map(
            |(previous, connection, session)| Step::Exchange { previous, connection, session }
        ),
        2 => (connection(), select(&LANGUAGES[..]))
            .prop_map(|(connection, language)| Step::ChangeLanguage { connection, language }),
        1 => connection().prop_map(Step::RequestRefresh),
        6 => connection().prop_map(Step::Leave),
        2 => (session(), to).prop_map(|(session, to)| Step::SetStatus { session, to }),
        1 => session().prop_map(Step::Mute),
        2 => session().prop_map(Step::BeginEnd),
        3 => session().prop_map(Step::RemovePage),
        4 => session().prop_map(Step::FinishEnd),
        1 => session().prop_map(Step::End),
        2 => (session(), [connection(), connection(), connection()])
            .prop_map(|(session, connections)| Step::Gone { session, connections }),
        3 => Just(Step::Audit),
        2 => any::<(bool, bool)>()
            .prop_map(|(sessions, connections)| Step::Expire { sessions, connections }),
    ]
}

pub(crate) fn batch() -> impl Strategy<Value = Batch> {
    let after = prop_oneof![
        30 => Just(MINUTE),
        2 => Just(HOUR * 5),
        1 => Just(MAX_SESSION),
        1 => Just(HOUR * 28),
        1 => Just(HOUR * 24 * 8),
        1 => Just(HOUR * 24 * 10),
    ];
    let fault = prop_oneof![
        6 => Just(Fault::Through),
        1 => Just(Fault::Unreachable),
        3 => Just(Fault::AnswerLost),
        1 => Just(Fault::ServerError),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::Conflict),
        1 => Just(Fault::Denied),
    ];
    (after, vec(step(), 1..=4), vec(fault, 0..=6)).prop_map(|(after, steps, faults)| Batch {
        after,
        steps,
        faults,
    })
}
