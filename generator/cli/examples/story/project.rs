//! The flagship, in a folder of its own that the story may change.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::stackgen::binary;
use crate::tell::{Failed, Told};

/// Where the function stands that the story adds, and what it adds there.
const FUNCTION: (&str, &str) = (
    "\nfunctions:\n",
    "\nfunctions:\n  ping:\n    zip: ping.zip\n    runtime: provided.al2023\n    handler: bootstrap\n\n",
);

/// The same for its route.
const ROUTE: (&str, &str) = (
    "    $disconnect: session-disconnect-handler\n",
    "    $disconnect: session-disconnect-handler\n    ping: { function: ping, twoWay: true }\n",
);

/// With this route, an unknown message would reach a function; without it, it shows as what it is.
const DEFAULT: &str = "    $default: session-connection-handler\n";

/// A project under `target`, so that its functions are this workspace's own.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
}

impl Project {
    /// The flagship without `$default`.
    pub(crate) fn new() -> Result<Project, Failed> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let folder = root.join("target/story");
        fs::create_dir_all(&folder).told("the story's folder")?;
        let spec = fs::read_to_string(root.join("templates/live-session/stackgen.yaml"));
        let project = Project { folder };
        project.write(&spec.told("the flagship")?.replace(DEFAULT, ""))?;
        Ok(project)
    }

    /// Adds the function `ping` and the route that leads to it.
    pub(crate) fn add_ping(&self) -> Result<(), Failed> {
        let spec = fs::read_to_string(self.spec()).told("stackgen.yaml")?;
        let added = spec.replacen(FUNCTION.0, FUNCTION.1, 1);
        let added = added.replacen(ROUTE.0, ROUTE.1, 1);
        self.write(&added)
    }

    /// Writes the code of `ping`, which answers this.
    pub(crate) fn code(&self, answer: &str) -> Result<(), Failed> {
        let program = binary().with_file_name("examples").join("ping");
        let program = fs::read(program).told("the function ping")?;
        let path = self.folder.join("ping.zip");
        let partial = self.folder.join("ping.zip.partial");
        let mut zip = ZipWriter::new(File::create(&partial).told("ping.zip")?);
        // Not compressed: that takes an unoptimised build a minute.
        let executable = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .unix_permissions(0o755);
        zip.start_file("bootstrap", executable).told("ping.zip")?;
        zip.write_all(&program).told("ping.zip")?;
        zip.start_file("answer.txt", executable).told("ping.zip")?;
        zip.write_all(answer.as_bytes()).told("ping.zip")?;
        zip.finish().told("ping.zip")?;
        fs::rename(partial, path).told("ping.zip")
    }

    fn spec(&self) -> PathBuf {
        self.folder.join("stackgen.yaml")
    }

    fn write(&self, spec: &str) -> Result<(), Failed> {
        let partial = self.folder.join("stackgen.yaml.partial");
        fs::write(&partial, spec).told("stackgen.yaml")?;
        fs::rename(partial, self.spec()).told("stackgen.yaml")
    }
}
