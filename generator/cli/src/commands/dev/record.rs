//! Recording of all connections, with `--record`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stackgen_gateway::apis::{Apis, ProtocolType};
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway::{ClientEvent, ClientEventKind, ClientHandshake, ConnectionId};
use stackgen_probe::{
    CloseSide, ObservedRequest, RecordedClose, RecordedLine, Recorder, Recording, now_millis,
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
        let file = TapeFile::open(path).map_err(|error| failed(&error))?;
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
        let path = self.path.display();
        ui.aside(&match written {
            0 => format!("no connection was recorded in {path}"),
            1 => format!("recorded 1 connection in {path}"),
            _ => format!("recorded {written} connections in {path}"),
        });
        Ok(())
    }
}

/// File of a recording. An older recording in it stays until there is an event.
struct TapeFile {
    file: BufWriter<File>,
    /// True while the file contains an older recording.
    is_older: bool,
}

impl TapeFile {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let is_older = file.metadata()?.len() > 0;
        let mut file = TapeFile {
            file: BufWriter::new(file),
            is_older,
        };
        if !is_older {
            file.begin()?;
            file.flush()?;
        }
        Ok(file)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.is_older = false;
        self.file.get_ref().set_len(0)?;
        self.file.write_all(Recording::heading().as_bytes())
    }

    fn write_line(&mut self, line: &RecordedLine) -> io::Result<()> {
        if self.is_older {
            self.begin()?;
        }
        writeln!(self.file, "{}", line.to_text())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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
    file: TapeFile,
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
            Some(line) => self.file.write_line(&line),
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

#[cfg(test)]
mod tests {
    use stackgen_probe::RecordedAction;

    use super::*;

    #[test]
    fn an_older_recording_stays_until_there_is_an_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let read = || std::fs::read_to_string(&path).unwrap();
        TapeFile::open(&path).unwrap();
        assert_eq!(read(), Recording::heading());
        let older = Recording::heading() + "an older line that is longer than the new one\n";
        std::fs::write(&path, &older).unwrap();
        let mut file = TapeFile::open(&path).unwrap();
        file.flush().unwrap();
        assert_eq!(read(), older);
        let line = RecordedLine {
            at: 0.0,
            connection: 1,
            action: RecordedAction::SendBinary(3),
        };
        file.write_line(&line).unwrap();
        file.flush().unwrap();
        assert_eq!(read(), Recording { lines: vec![line] }.to_text());
    }
}
