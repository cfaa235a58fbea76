//! A proxy between stackgen and the gateway's control endpoint, which counts calls and breaks some.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::fault::{Fault, Kill, Moment, StopSignal};
use crate::operation::Operation;
use crate::wire::{self, Request};

/// Duration of a delayed call: longer than anything that stackgen does between two calls.
const DELAY: Duration = Duration::from_millis(150);

/// Between a signal and what comes after it, so that the process sees them in that order.
pub(crate) const SETTLE: Duration = Duration::from_millis(25);

/// Action on a range of an operation's calls, counted from 1.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) operation: Operation,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Fault(Fault),
    Kill(Kill),
    /// The call takes effect, and the answer is the one that the operation gave before.
    Replay,
    /// An empty page, with the same token for the next one as every other page has.
    EmptyPage,
    /// An empty page, with a token that no other page has.
    EmptyPageOfMany,
    /// A signal, and no answer ever comes.
    KillAndHang(Kill),
}

impl Rule {
    pub(crate) fn new(
        operation: &str,
        calls: impl std::ops::RangeBounds<usize>,
        action: Action,
    ) -> Self {
        use std::ops::Bound;
        let from = match calls.start_bound() {
            Bound::Included(&from) => from,
            _ => 1,
        };
        let to = match calls.end_bound() {
            Bound::Included(&to) => to,
            Bound::Excluded(&to) => to - 1,
            Bound::Unbounded => usize::MAX,
        };
        Rule {
            operation: Operation::new(operation),
            from,
            to,
            action,
        }
    }

    /// A fault of the calls of an operation.
    pub(crate) fn fault(
        operation: &str,
        calls: impl std::ops::RangeBounds<usize>,
        fault: Fault,
    ) -> Self {
        Rule::new(operation, calls, Action::Fault(fault))
    }
}

/// A proxy that listens. It ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

struct Shared {
    upstream: String,
    rules: Vec<Rule>,
    /// The process that gets signals.
    process: watch::Sender<Option<Pid>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Operation>,
    counts: HashMap<Operation, usize>,
    answers: HashMap<Operation, Vec<u8>>,
    rules_met: usize,
    /// Deployments that an answer called `DEPLOYED`.
    deployed: HashSet<String>,
    moved_blindly: Vec<String>,
}

impl Seen {
    /// Learns which deployments are `DEPLOYED`, from an answer about one or several.
    fn learn(&mut self, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(wire::body(answer)).unwrap_or_default();
        let items = answer["items"].as_array();
        let all = items.map_or(std::slice::from_ref(&answer), Vec::as_slice);
        for one in all {
            let id = one["deploymentId"].as_str();
            if let (Some(id), Some("DEPLOYED")) = (id, one["deploymentStatus"].as_str()) {
                self.deployed.insert(id.to_owned());
            }
        }
    }

    /// Notes a move to a deployment of which nothing is known.
    fn check_move(&mut self, request: &[u8]) {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        if let Some(id) = request["deploymentId"].as_str()
            && !self.deployed.contains(id)
        {
            self.moved_blindly.push(id.to_owned());
        }
    }
}

impl Proxy {
    /// Listens on a free port of loopback.
    pub(crate) async fn start(upstream: &str, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            upstream: upstream.trim_start_matches("http://").to_owned(),
            rules,
            process: watch::channel(None).0,
            seen: Mutex::default(),
        });
        let serving = shared.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                // A client that is gone gets no answer.
                tokio::spawn(async move { drop(shared.serve(stream).await) });
            }
        });
        Proxy {
            endpoint,
            shared,
            listening: listening.abort_handle(),
        }
    }

    /// Names the process that gets signals.
    pub(crate) fn watch(&self, process: Pid) {
        self.shared.process.send_replace(Some(process));
    }

    /// All calls, in order.
    pub(crate) fn calls(&self) -> Vec<Operation> {
        self.shared.seen.lock().unwrap().calls.clone()
    }

    /// Deployments that the stage was moved to before any answer called them `DEPLOYED`.
    pub(crate) fn moved_blindly(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().moved_blindly.clone()
    }

    /// Number of calls that a rule applied to.
    pub(crate) fn rules_met(&self) -> usize {
        self.shared.seen.lock().unwrap().rules_met
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let Some(request) = wire::read(&mut stream).await? else {
            return Ok(());
        };
        let operation = Operation::of_request(&request.method, &request.target);
        match self.count(&operation) {
            None => {
                let answer = self.forward(&request, &operation).await?;
                stream.write_all(&answer).await
            }
            Some(Action::Fault(fault)) => self.fault(stream, &request, &operation, fault).await,
            Some(Action::Kill(kill)) => self.kill(stream, &request, &operation, kill).await,
            Some(Action::Replay) => {
                let before = self.seen.lock().unwrap().answers.get(&operation).cloned();
                let now = self.forward(&request, &operation).await?;
                let answer = before.unwrap_or(now);
                self.remember(&operation, &answer);
                stream.write_all(&answer).await
            }
            Some(Action::EmptyPage) => stream.write_all(&empty_page("more")).await,
            Some(Action::EmptyPageOfMany) => {
                let token = self.seen.lock().unwrap().calls.len().to_string();
                stream.write_all(&empty_page(&token)).await
            }
            Some(Action::KillAndHang(kill)) => {
                self.signal(kill).await;
                stream.read(&mut [0]).await.map(drop)
            }
        }
    }

    /// Counts a call, and returns what is to be done to it.
    fn count(&self, operation: &Operation) -> Option<Action> {
        let mut seen = self.seen.lock().unwrap();
        seen.calls.push(operation.clone());
        let count = seen.counts.entry(operation.clone()).or_default();
        *count += 1;
        let count = *count;
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.operation == *operation && (rule.from..=rule.to).contains(&count))?;
        seen.rules_met += 1;
        Some(rule.action.clone())
    }

    async fn forward(&self, request: &Request, operation: &Operation) -> io::Result<Vec<u8>> {
        if operation.as_str() == "UpdateStage" {
            let mut seen = self.seen.lock().unwrap();
            seen.check_move(request.body());
        }
        let answer = wire::forward(&self.upstream, request).await?;
        self.remember(operation, &answer);
        Ok(answer)
    }

    fn remember(&self, operation: &Operation, answer: &[u8]) {
        let mut seen = self.seen.lock().unwrap();
        seen.learn(answer);
        seen.answers.insert(operation.clone(), answer.to_vec());
    }

    async fn fault(
        &self,
        mut stream: TcpStream,
        request: &Request,
        operation: &Operation,
        fault: Fault,
    ) -> io::Result<()> {
        match fault {
            Fault::DelayBefore => tokio::time::sleep(DELAY).await,
            Fault::ResetBefore => return stream.set_zero_linger(),
            Fault::Refused(status) => {
                return stream.write_all(&wire::refusal(operation, status)).await;
            }
            _ => {}
        }
        let answer = self.forward(request, operation).await?;
        let html = wire::html();
        let empty = wire::answer(200, "", "");
        let refusal;
        let answer = match fault {
            Fault::DelayAfter => {
                tokio::time::sleep(DELAY).await;
                &answer
            }
            // Dropped with nothing to linger for, the connection is reset.
            Fault::ResetAfter => return stream.set_zero_linger(),
            Fault::CutAfter => wire::cut(&answer),
            Fault::HtmlAfter => &html,
            Fault::EmptyAfter => &empty,
            Fault::RefusedAfter(status) => {
                refusal = wire::refusal(operation, status);
                &refusal
            }
            Fault::DelayBefore | Fault::ResetBefore | Fault::Refused(_) => &answer,
        };
        stream.write_all(answer).await
    }

    async fn kill(
        &self,
        mut stream: TcpStream,
        request: &Request,
        operation: &Operation,
        kill: Kill,
    ) -> io::Result<()> {
        if kill.moment == Moment::Before {
            self.signal(kill).await;
            if kill.signal == StopSignal::Kill {
                return Ok(());
            }
        }
        let answer = self.forward(request, operation).await?;
        if kill.moment == Moment::After {
            self.signal(kill).await;
        }
        stream.write_all(&answer).await
    }

    async fn signal(&self, kill: Kill) {
        let mut process = self.process.subscribe();
        let process = process.wait_for(Option::is_some).await;
        let process = process.unwrap().unwrap();
        send(process, kill).await;
    }
}

fn empty_page(token: &str) -> Vec<u8> {
    let page = serde_json::json!({ "items": [], "nextToken": token }).to_string();
    wire::answer(200, "content-type: application/json\r\n", &page)
}

/// Sends a signal, and a second one if there is one.
pub(crate) async fn send(process: Pid, kill: Kill) {
    for _ in 0..=usize::from(kill.twice) {
        // A process that has ended gets none.
        let _ = kill_process(process, kill.signal.raw());
        tokio::time::sleep(SETTLE).await;
    }
}
