//! A gateway in this process, and the code of its functions.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use stackgen_gateway::functions::{Code, Configuration, PermissionStatement};
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway::{ApiId, ArnScope};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zip::write::SimpleFileOptions;

use crate::journal::Journal;

/// Version of a function: the one that the stage serves before a redeploy, or the one that it serves afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Old,
    New,
}

impl Label {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Label::Old => "old",
            Label::New => "new",
        }
    }
}

/// A gateway that runs until it is dropped.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    gateway: Option<Gateway>,
    pub(crate) journal: Journal,
    folder: TempDir,
}

impl World {
    /// Starts a gateway whose new deployments are `PENDING` at first, and puts a function for each label into it.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut options = GatewayOptions::default();
        options.settings.control.pending_deployments = 2;
        let gateway = runtime.block_on(Gateway::start(options)).unwrap();
        let journal = runtime.block_on(async { Journal::start(gateway.events()) });
        let world = World {
            runtime,
            gateway: Some(gateway),
            journal,
            folder: tempfile::tempdir().unwrap(),
        };
        for label in [Label::Old, Label::New] {
            world.put_function(label);
        }
        world
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// Endpoint for AWS clients.
    pub(crate) fn endpoint(&self) -> String {
        self.runtime.block_on(self.gateway().state()).endpoint
    }

    /// The invocation URI of the shared function of a label.
    pub(crate) fn function_uri(label: Label) -> String {
        ArnScope::default()
            .function(label.as_str())
            .invocation_uri()
    }

    /// The source of the function of a label.
    pub(crate) fn source(&self, label: Label) -> String {
        let marks = self.folder.path().to_str().unwrap();
        include_str!("function.py")
            .replace("MARKS", marks)
            .replace("LABEL", label.as_str())
    }

    /// The function of a label as a program.
    pub(crate) fn program(&self, label: Label) -> PathBuf {
        let path = self.folder.path().join(label.as_str());
        fs::write(&path, self.source(label)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The function of a label as the zip file that `stackgen build` would make.
    pub(crate) fn zip(&self, label: Label) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", options).unwrap();
        zip.write_all(self.source(label).as_bytes()).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn put_function(&self, label: Label) {
        let functions = &self.gateway().account().functions;
        let configuration = Configuration {
            role: ArnScope::default().role("any"),
            ..Configuration::default()
        };
        let code = Code::Bootstrap(self.program(label));
        let put = functions.create_or_update(label.as_str(), configuration, code);
        self.runtime.block_on(put).unwrap();
        let permission = PermissionStatement {
            statement_id: "all".to_owned(),
            action: "lambda:InvokeFunction".to_owned(),
            principal: "apigateway.amazonaws.com".to_owned(),
            ..PermissionStatement::default()
        };
        functions
            .add_permission(label.as_str(), None, permission, None)
            .unwrap();
    }

    /// Makes `$connect` fail for an API, where that runs the code of a label.
    pub(crate) fn break_connect(&self, api: &ApiId, label: Label) {
        fs::write(self.mark(api, label, "broken"), "").unwrap();
    }

    /// Ends that.
    pub(crate) fn mend_connect(&self, api: &ApiId, label: Label) {
        fs::remove_file(self.mark(api, label, "broken")).unwrap();
    }

    /// The file that makes `$connect` of an API wait.
    pub(crate) fn hold_mark(&self, api: &ApiId, label: Label) -> PathBuf {
        self.mark(api, label, "held")
    }

    /// Removes all marks of an API, whose id the next one may have.
    pub(crate) fn forget(&self, api: &ApiId) {
        for label in [Label::Old, Label::New] {
            for what in ["broken", "held"] {
                // Most are not there.
                let _ = fs::remove_file(self.mark(api, label, what));
            }
        }
    }

    fn mark(&self, api: &ApiId, label: Label, what: &str) -> PathBuf {
        let name = format!("{api}.{}.{what}", label.as_str());
        self.folder.path().join(name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            self.runtime.block_on(gateway.shutdown());
        }
    }
}
