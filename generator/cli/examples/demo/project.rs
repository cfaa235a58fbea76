//! A copy of the flagship that the demo changes.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::print::{DemoError, WithContext};
use crate::stackgen::binary;

/// Text of the flagship before and after the function `ping` is added.
const FUNCTION: (&str, &str) = (
    "\nfunctions:\n",
    "\nfunctions:\n  ping:\n    zip: ping.zip\n    runtime: provided.al2023\n    handler: bootstrap\n\n",
);

/// Text of the flagship before and after the route is added.
const ROUTE: (&str, &str) = (
    "    $disconnect: session-disconnect-handler\n",
    "    $disconnect: session-disconnect-handler\n    ping: { function: ping, twoWay: true }\n",
);

/// The default route. Without it, unknown messages get an error frame.
const DEFAULT: &str = "    $default: session-connection-handler\n";

/// A project under `target`, so that cargo builds its functions in this workspace.
pub(crate) struct DemoProject {
    pub(crate) folder: PathBuf,
}

impl DemoProject {
    /// Copies the flagship, without `$default`.
    pub(crate) fn new() -> Result<DemoProject, DemoError> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let folder = root.join("target/demo");
        fs::create_dir_all(&folder).context("the demo's folder")?;
        let spec = fs::read_to_string(root.join("templates/live-session/stackgen.yaml"));
        let project = DemoProject { folder };
        project.write(&spec.context("the flagship")?.replace(DEFAULT, ""))?;
        Ok(project)
    }

    /// Adds the function `ping` and its route.
    pub(crate) fn add_ping(&self) -> Result<(), DemoError> {
        let spec = fs::read_to_string(self.spec()).context("stackgen.yaml")?;
        let added = spec.replacen(FUNCTION.0, FUNCTION.1, 1);
        let added = added.replacen(ROUTE.0, ROUTE.1, 1);
        self.write(&added)
    }

    /// Writes the code of `ping`, with its answer.
    pub(crate) fn code(&self, answer: &str) -> Result<(), DemoError> {
        let program = binary().with_file_name("examples").join("ping");
        let program = fs::read(program).context("the function ping")?;
        let path = self.folder.join("ping.zip");
        let partial = self.folder.join("ping.zip.partial");
        let mut zip = ZipWriter::new(File::create(&partial).context("ping.zip")?);
        // Stored: compression takes a minute without optimizations.
        let executable = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .unix_permissions(0o755);
        zip.start_file("bootstrap", executable)
            .context("ping.zip")?;
        zip.write_all(&program).context("ping.zip")?;
        zip.start_file("answer.txt", executable)
            .context("ping.zip")?;
        zip.write_all(answer.as_bytes()).context("ping.zip")?;
        zip.finish().context("ping.zip")?;
        fs::rename(partial, path).context("ping.zip")
    }

    fn spec(&self) -> PathBuf {
        self.folder.join("stackgen.yaml")
    }

    fn write(&self, spec: &str) -> Result<(), DemoError> {
        let partial = self.folder.join("stackgen.yaml.partial");
        fs::write(&partial, spec).context("stackgen.yaml")?;
        fs::rename(partial, self.spec()).context("stackgen.yaml")
    }
}
