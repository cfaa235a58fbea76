//! Hosts of AWS that the gateway stands for, in a file that functions read at every connection: APIs come and go while
//! functions run.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stackgen_gateway_common::AwsHost;
use tempfile::NamedTempFile;

/// Key of the port for all hosts of services that have no other port.
const ALL: &str = "*";

/// Ports of hosts on loopback. A key is a host, [`ALL`], or `{id}.execute-api` for the hosts of an API in all regions.
#[derive(Debug)]
pub(super) struct HostTable {
    file: PathBuf,
    ports: Mutex<BTreeMap<String, u16>>,
}

impl HostTable {
    /// Creates an empty table and its file: a JSON object with the port of each host.
    pub(super) fn create(file: PathBuf) -> io::Result<Self> {
        let table = HostTable {
            file,
            ports: Mutex::default(),
        };
        table.write(&table.ports())?;
        Ok(table)
    }

    /// Adds a host, or changes its port.
    pub(super) fn insert(&self, host: String, port: u16) -> io::Result<()> {
        let mut ports = self.ports();
        ports.insert(host, port);
        self.write(&ports)
    }

    /// Sets the port for all hosts of services that have no other one.
    pub(super) fn insert_all(&self, port: u16) -> io::Result<()> {
        self.insert(ALL.to_owned(), port)
    }

    pub(super) fn remove(&self, host: &str) -> io::Result<()> {
        let mut ports = self.ports();
        ports.remove(host);
        self.write(&ports)
    }

    /// Returns the port of a host in lower case. The hooks of functions decide in the same way.
    pub(super) fn port(&self, host: &str) -> Option<u16> {
        let key = match AwsHost::parse(host)? {
            AwsHost::Api(id) => format!("{id}.execute-api"),
            AwsHost::Service(_) => ALL.to_owned(),
        };
        let ports = self.ports();
        ports.get(host).or_else(|| ports.get(&key)).copied()
    }

    fn ports(&self) -> MutexGuard<'_, BTreeMap<String, u16>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the file atomically.
    fn write(&self, ports: &BTreeMap<String, u16>) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, ports)?;
        file.flush()?;
        file.persist(&self.file)?;
        Ok(())
    }
}
