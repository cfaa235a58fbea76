//! Runs handlers on AWS's runtime clients and on the gateway's bootstraps, and compares what they do.

mod node;
mod python;
mod recorder;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::process::{Child, Command};

use recorder::{Recorder, TestEvent};

/// Handler, and the events that it gets.
#[derive(Clone, Debug)]
pub(crate) struct HandlerCase {
    name: &'static str,
    /// Paths and texts of the code.
    files: Vec<(&'static str, &'static str)>,
    handler: &'static str,
    events: Vec<TestEvent>,
    end: CaseEnd,
    variables: Vec<(&'static str, &'static str)>,
}

/// End of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CaseEnd {
    /// The client asks for another event.
    Idle,
    /// The process exits.
    Exit,
    /// The invocation is never answered.
    Hang,
}

/// Creates a case of one file and two equal events.
fn case(name: &'static str, file: &'static str, text: &'static str) -> HandlerCase {
    let event = TestEvent {
        body: r#"{"a":1.5}"#,
        headers: &[],
    };
    HandlerCase {
        name,
        files: vec![(file, text)],
        handler: "app.handler",
        events: vec![event.clone(), event],
        end: CaseEnd::Idle,
        variables: Vec::new(),
    }
}

impl HandlerCase {
    fn file(mut self, path: &'static str, text: &'static str) -> Self {
        self.files.push((path, text));
        self
    }

    fn handler(mut self, handler: &'static str) -> Self {
        self.handler = handler;
        self
    }

    fn once(mut self) -> Self {
        self.events.truncate(1);
        self
    }

    fn exits(mut self) -> Self {
        self.end = CaseEnd::Exit;
        self
    }

    fn hangs(mut self) -> Self {
        self.end = CaseEnd::Hang;
        self
    }

    fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.events[0].headers = headers;
        self
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }
}

/// A client of the Runtime API.
#[derive(Clone, Debug)]
struct RuntimeClient {
    program: PathBuf,
    arguments: Vec<String>,
    /// Folders and files of the client, which stand in its stack frames.
    own: Vec<String>,
}

/// Result of a case.
#[derive(Debug, PartialEq, Eq)]
struct CaseResult {
    posts: Vec<String>,
    /// Exit code, or `None` if the test ended the process.
    code: Option<i32>,
    stdout: Vec<String>,
    /// Last line of the standard error.
    stderr: String,
}

/// Runs all cases on both clients. Panics with a list of the differences.
async fn assert_equal(aws: &RuntimeClient, ours: &RuntimeClient, cases: Vec<HandlerCase>) {
    assert!(!cases.is_empty());
    let mut different = Vec::new();
    for some in cases.chunks(2) {
        let compared = join_all(some.iter().map(|case| difference(aws, ours, case)));
        different.extend(compared.await.into_iter().flatten());
    }
    assert!(
        different.is_empty(),
        "{} cases differ:\n{}",
        different.len(),
        different.concat()
    );
}

/// Runs a case on both clients. Returns a description if the results differ.
async fn difference(
    aws: &RuntimeClient,
    ours: &RuntimeClient,
    case: &HandlerCase,
) -> Option<String> {
    let (aws, ours) = tokio::join!(run(aws, case), run(ours, case));
    (aws != ours).then(|| format!("{}\n  AWS's {aws:#?}\n  ours {ours:#?}\n", case.name))
}

/// Starts the client in a folder with the code.
fn start(client: &RuntimeClient, case: &HandlerCase, root: &Path, address: &str) -> Child {
    Command::new(&client.program)
        .args(
            client
                .arguments
                .iter()
                .map(|argument| argument.replace("{handler}", case.handler)),
        )
        .current_dir(root)
        .env_clear()
        .env("TZ", ":UTC")
        .env("LANG", "en_US.UTF-8")
        .env("LAMBDA_TASK_ROOT", root)
        .env("_HANDLER", case.handler)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "worker")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/worker")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .envs(case.variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a process")
}

async fn run(client: &RuntimeClient, case: &HandlerCase) -> CaseResult {
    let folder = tempfile::tempdir().expect("a folder");
    // Node shows the real path.
    let root = folder.path().canonicalize().expect("a folder");
    for (path, text) in &case.files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let recorder = Recorder::start(&case.events).await;
    let mut child = start(client, case, &root, &recorder.address);
    let ended = async {
        match case.end {
            CaseEnd::Idle => recorder.idle().await,
            CaseEnd::Exit => std::future::pending().await,
            CaseEnd::Hang => tokio::time::sleep(Duration::from_secs(2)).await,
        }
    };
    let limit = Duration::from_secs(60);
    let code = tokio::time::timeout(limit, async {
        tokio::select! {
            status = child.wait() => status.expect("a status").code(),
            () = ended => None,
        }
    });
    let code = code.await.unwrap_or_else(|_| {
        panic!(
            "{} neither answers nor exits: {:?}",
            case.name,
            recorder.posts()
        )
    });
    // It may have exited already.
    let _ = child.start_kill();
    let output = child.wait_with_output().await.expect("output");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let plain = |text: &str| without_client(text, client, &root);
    let posts = recorder.posts();
    // The end of a client that hangs aborts its request, and the recorder may notice that later.
    let by_end = |post: &&String| matches!(case.end, CaseEnd::Hang) && post.ends_with(" aborted");
    let posts = posts.iter().filter(|post| !by_end(post));
    CaseResult {
        posts: posts.map(|post| plain(post)).collect(),
        code,
        stdout: text(&output.stdout).lines().map(plain).collect(),
        stderr: plain(text(&output.stderr).lines().last().unwrap_or_default()),
    }
}

/// Replaces times and paths, and removes stack frames of the client and of Node itself.
fn without_client(text: &str, client: &RuntimeClient, root: &Path) -> String {
    let mut text = text.replace(&root.display().to_string(), "<task>");
    for own in &client.own {
        text = text.replace(own, "<client>");
    }
    // Frames are elements of a JSON array, or separated by carriage returns.
    let text = without_times(&text).replace("\",\"", "\r");
    let mut plain = String::new();
    for part in text.split('\r') {
        let is_frame = part.trim_start().starts_with("at ");
        let is_foreign = ["<client>", "node:", "at new Promise (<anonymous>)"]
            .iter()
            .any(|mark| part.contains(mark));
        match is_frame && is_foreign {
            // What follows the last frame of an array.
            true => plain += part.find(['"', '{']).map_or("", |end| &part[end..]),
            false => plain += &format!("{}{part}", if plain.is_empty() { "" } else { "\r" }),
        }
    }
    plain
}

/// Replaces times such as `2024-02-09T10:11:12.345Z` and numbers in `[ERROR] [1700000000000]`.
fn without_times(text: &str) -> String {
    let is_time_part = |c: char| c.is_ascii_digit() || "-T:.".contains(c);
    let mut plain = String::new();
    let mut rest = text;
    while let Some(end) = rest.find(['Z', ']']) {
        let (before, after) = rest.split_at(end);
        let start = before.trim_end_matches(is_time_part).len();
        let is_time = before.len() - start >= 13;
        plain += match is_time {
            true => &before[..start],
            false => before,
        };
        plain += if is_time { "<time>" } else { &after[..1] };
        rest = &after[1..];
    }
    plain + rest
}
