//! Recording of all connections, with `--record`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stackgen_gateway::apis::{Apis, ProtocolType};
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway::{ClientEvent, ClientEventKind, ClientHandshake, ConnectionId};
use stackgen_probe::{
    CloseSide, ObservedRequest, RecordedClose, RecordedLine, Recorder, Recording,
};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::{CliError, reason};
use crate::recording::check_replaceable;
use crate::ui::Ui;

/// Writer of a recording while the gateway runs.
pub(super) struct DevRecorder {
    path: PathBuf,
    stop: oneshot::Sender<()>,
    writing: JoinHandle<io::Result<u32>>,
}

impl DevRecorder {
    /// Starts to record the connections of a gateway.
    pub(super) fn start(path: &Path, gateway: &Gateway) -> Result<Self, CliError> {
        check_replaceable(path)?;
        let failed = |error: &io::Error| write_failed(path, error);
        let file = File::create(path).map_err(|error| failed(&error))?;
        let mut file = BufWriter::new(file);
        let heading = file.write_all(Recording::heading().as_bytes());
        heading
            .and_then(|()| file.flush())
            .map_err(|error| failed(&error))?;
        let events = gateway.traffic().follow();
        let events = events.ok_or_else(|| CliError::failed("the gateway is recorded already"))?;
        let tape = DevTape {
            apis: gateway.account().apis.clone(),
            recorder: Recorder::new(now_millis()),
            numbers: HashMap::new(),
            last: 0,
            began: None,
            file,
        };
        let (stop, stopped) = oneshot::channel();
        Ok(DevRecorder {
            path: path.to_owned(),
            stop,
            writing: tokio::spawn(tape.write(events, stopped)),
        })
    }

    /// Writes the remaining events.
    pub(super) async fn finish(self, ui: &Ui) -> Result<(), CliError> {
        let _ = self.stop.send(());
        let written = match self.writing.await {
            Ok(written) => written.map_err(|error| write_failed(&self.path, &error))?,
            Err(error) => {
                return Err(CliError::failed(format!(
                    "the recording broke off: {error}"
                )));
            }
        };
        let noun = if written == 1 {
            "connection"
        } else {
            "connections"
        };
        ui.aside(&format!(
            "recorded {written} {noun} in {}",
            self.path.display()
        ));
        Ok(())
    }
}

/// Converts events of a gateway to lines of a recording.
struct DevTape {
    apis: Arc<Apis>,
    recorder: Recorder,
    /// Numbers of open connections.
    numbers: HashMap<ConnectionId, u32>,
    last: u32,
    /// Time of the first event.
    began: Option<Instant>,
    file: BufWriter<File>,
}

impl DevTape {
    /// Writes events until it is stopped. Returns the number of connections.
    async fn write(
        mut self,
        mut events: UnboundedReceiver<ClientEvent>,
        mut stopped: oneshot::Receiver<()>,
    ) -> io::Result<u32> {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                _ = &mut stopped => None,
            };
            let Some(event) = event else { break };
            self.write_event(event)?;
            while let Ok(event) = events.try_recv() {
                self.write_event(event)?;
            }
            // A reader may follow the file.
            self.file.flush()?;
        }
        while let Ok(event) = events.try_recv() {
            self.write_event(event)?;
        }
        self.file.flush()?;
        Ok(self.last)
    }

    fn write_event(&mut self, event: ClientEvent) -> io::Result<()> {
        let at = event.at - *self.began.get_or_insert(event.at);
        match self.line(at, event) {
            Some(line) => writeln!(self.file, "{}", line.to_text()),
            None => Ok(()),
        }
    }

    fn line(&mut self, at: Duration, event: ClientEvent) -> Option<RecordedLine> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let id = event.connection;
        if let ClientEventKind::Handshake(handshake) = event.kind {
            return Some(self.open(at, id, *handshake));
        }
        let number = *self.numbers.get(&id)?;
        let recorder = &mut self.recorder;
        Some(match event.kind {
            ClientEventKind::Handshake(_) => return None,
            ClientEventKind::Sent(bytes) => recorder.sent(at, number, &text(&bytes)),
            ClientEventKind::SentBinary(bytes) => recorder.sent_binary(at, number, bytes),
            ClientEventKind::Received(bytes) => recorder.received(at, number, &text(&bytes)),
            ClientEventKind::Closed {
                by_client,
                code,
                reason,
            } => {
                self.numbers.remove(&id);
                let close = match by_client {
                    // The reason of a client is not replayed.
                    true => RecordedClose {
                        by: CloseSide::Client,
                        code,
                        reason: String::new(),
                    },
                    false => RecordedClose {
                        by: CloseSide::Server,
                        code,
                        reason,
                    },
                };
                recorder.closed(at, number, close)
            }
        })
    }

    fn open(&mut self, at: Duration, id: ConnectionId, handshake: ClientHandshake) -> RecordedLine {
        self.last += 1;
        if handshake.status == 101 {
            self.numbers.insert(id.clone(), self.last);
        }
        self.recorder.declare_id(id.as_str());
        let (status, subprotocol) = (handshake.status, handshake.subprotocol.clone());
        let request = self.request(handshake);
        self.recorder.open(at, request, status, subprotocol)
    }

    /// Returns the request with the names of API and stage, if they are needed to send it again.
    fn request(&self, handshake: ClientHandshake) -> ObservedRequest {
        let apis = self.apis.list_apis();
        let websocket = apis
            .iter()
            .filter(|api| api.protocol_type == ProtocolType::WebSocket);
        let names: BTreeMap<_, _> = websocket.map(|api| (&api.api_id, &api.name)).collect();
        let stages = self.apis.list_stages(&handshake.api).unwrap_or_default();
        let is_only_stage = stages.len() == 1 && stages[0].stage_name == handshake.stage;
        let offered = handshake
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
        let offered = offered.flat_map(|(_, value)| value.split(','));
        ObservedRequest {
            api: (names.len() > 1)
                .then(|| names.get(&handshake.api).map(|name| (*name).clone()))
                .flatten(),
            stage: (!is_only_stage).then(|| handshake.stage.to_string()),
            subprotocols: offered.map(|name| name.trim().to_owned()).collect(),
            query: handshake.query,
            headers: handshake.headers,
            caller: None,
            ..ObservedRequest::default()
        }
    }
}

fn write_failed(path: &Path, error: &io::Error) -> CliError {
    let reason = reason(error);
    CliError::failed(format!("cannot write {}: {reason}", path.display()))
}

fn now_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
