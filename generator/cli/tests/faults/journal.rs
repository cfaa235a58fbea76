//! Events of a gateway, in order.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use stackgen_gateway::{ApiId, DeploymentId, Event, Events};
use tokio::sync::broadcast::error::RecvError;

/// No test waits longer for an event.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name of the API of [`Journal::flush`].
const FLUSH: &str = "flush";

/// All events of a gateway.
#[derive(Clone)]
pub(crate) struct Journal {
    events: Events,
    heard: Arc<(Mutex<Vec<Event>>, Condvar)>,
}

impl Journal {
    /// Follows a gateway's events from now on.
    pub(crate) fn start(events: &Events) -> Self {
        let journal = Journal {
            events: events.clone(),
            heard: Arc::default(),
        };
        let mut receiver = events.subscribe();
        let heard = journal.heard.clone();
        tokio::spawn(async move {
            loop {
                match receiver.recv().await {
                    Ok(event) => {
                        heard.0.lock().unwrap().push(event);
                        heard.1.notify_all();
                    }
                    Err(RecvError::Lagged(lost)) => panic!("{lost} events were lost"),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        journal
    }

    /// The number of events so far.
    pub(crate) fn len(&self) -> usize {
        self.heard.0.lock().unwrap().len()
    }

    /// Returns once all earlier events are in the journal. Not for asynchronous code.
    pub(crate) fn flush(&self) {
        let mark = self.len();
        self.events.send(Event::Undeployed {
            api: ApiId::new(FLUSH),
            what: mark.to_string(),
        });
        let is_it = |event: &Event| matches!(event, Event::Undeployed { api, what } if api.as_str() == FLUSH && *what == mark.to_string());
        assert!(self.wait_for(mark, PATIENCE, is_it), "events are not heard");
    }

    /// Waits for an event after a number of events. Not for asynchronous code.
    pub(crate) fn wait_for(
        &self,
        mark: usize,
        patience: Duration,
        is_it: impl Fn(&Event) -> bool,
    ) -> bool {
        let (heard, more) = &*self.heard;
        let missing = |heard: &mut Vec<Event>| !heard[mark..].iter().any(&is_it);
        let guard = heard.lock().unwrap();
        let waited = more.wait_timeout_while(guard, patience, missing).unwrap();
        !waited.1.timed_out()
    }

    /// The moves and handshakes of an API after a number of events.
    pub(crate) fn moves(&self, mark: usize, of: &ApiId) -> Vec<Move> {
        let heard = self.heard.0.lock().unwrap();
        let moves = heard[mark..].iter().filter_map(|event| match event {
            Event::Activated {
                api, deployment, ..
            } if api == of => Some(Move::Activated(deployment.clone())),
            Event::Connected { api, .. } if api == of => Some(Move::Connected),
            Event::Refused { api, status, .. } if api == of => Some(Move::Refused(*status)),
            _ => None,
        });
        moves.collect()
    }
}

/// The relevant part of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// The stage serves another deployment.
    Activated(Option<DeploymentId>),
    /// A handshake was answered with 101.
    Connected,
    /// A handshake was refused.
    Refused(u16),
}

/// Returns true if a handshake succeeded after the last move.
pub(crate) fn is_proven(moves: &[Move]) -> bool {
    let last = moves
        .iter()
        .rposition(|one| matches!(one, Move::Activated(_)));
    let after = &moves[last.map_or(0, |index| index + 1)..];
    after.contains(&Move::Connected)
}

/// Returns the deployments under which a handshake ever succeeded.
pub(crate) fn proven(moves: &[Move]) -> Vec<DeploymentId> {
    let (mut serves, mut proven) = (None, Vec::new());
    for one in moves {
        match one {
            Move::Activated(deployment) => serves = deployment.clone(),
            Move::Connected => proven.extend(serves.clone()),
            Move::Refused(_) => {}
        }
    }
    proven
}

#[test]
fn a_move_needs_a_handshake_of_its_own() {
    let id = |id: &str| Some(DeploymentId::new(id));
    let moves = [
        Move::Activated(id("a")),
        Move::Connected,
        Move::Activated(id("b")),
        Move::Refused(502),
    ];
    assert!(is_proven(&moves[..2]));
    assert!(!is_proven(&moves));
    assert_eq!(proven(&moves), [DeploymentId::new("a")]);
}
