//! Apache Velocity, in one Java process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use stackgen_vtl::UnresolvedReferences;

/// Packages of Debian: velocity and what it needs.
const JARS: [&str; 3] = [
    "velocity.jar",
    "commons-lang.jar",
    "commons-collections3.jar",
];

/// Template with its variables.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) template: String,
    pub(crate) variables: Value,
    pub(crate) unresolved: UnresolvedReferences,
}

/// Output, or the text of an error.
pub(crate) type Outcome = Result<String, String>;

/// Running Velocity.
pub(crate) struct Velocity {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Velocity {
    /// Starts Velocity, or skips the test.
    pub(crate) fn start() -> Option<Self> {
        let java = stackgen_test_tools::on_path("java")?;
        let jars = JARS.map(|jar| format!("/usr/share/java/{jar}"));
        if let Some(missing) = jars.iter().find(|jar| !Path::new(jar).exists()) {
            stackgen_test_tools::skip(&format!(
                "{missing} is missing; on Debian, `apt-get install velocity` installs it"
            ));
            return None;
        }
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/velocity/Driver.java");
        let mut process = Command::new(java)
            .args(["-Xss4m", "-cp", &jars.join(":"), driver])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Java starts");
        let input = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        Some(Velocity {
            process,
            input,
            output,
        })
    }

    /// Renders a case.
    pub(crate) fn render(&mut self, case: &Case) -> Outcome {
        let mode = match case.unresolved {
            UnresolvedReferences::Empty => "empty",
            UnresolvedReferences::Source => "source",
        };
        let template = STANDARD.encode(&case.template);
        let variables = STANDARD.encode(case.variables.to_string());
        writeln!(self.input, "{mode}\t{template}\t{variables}").expect("Java reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("Java answers");
        let fields = line.trim_end_matches('\n').split_once('\t');
        let (status, text) = fields.unwrap_or_else(|| panic!("{line:?} for {case:?}"));
        let text = STANDARD.decode(text).expect("base64");
        let text = String::from_utf8(text).expect("UTF-8");
        if status == "ok" { Ok(text) } else { Err(text) }
    }
}

impl Drop for Velocity {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
