//! Limit of open files, of which every connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::CliError;
use crate::ui::Ui;

/// Files that are open besides the connections.
const OTHERS: u64 = 64;

/// Raises the limit of this process as far as it needs and the system allows.
pub(super) fn raise_limit(connections: usize, ui: &Ui) -> Result<(), CliError> {
    let needed = connections as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let (Some(current), maximum) = (limit.current, limit.maximum) else {
        return Ok(());
    };
    if needed <= current {
        return Ok(());
    }
    if maximum.is_some_and(|maximum| needed > maximum) {
        let maximum = maximum.unwrap_or_default();
        return Err(CliError::failed(format!(
            "{connections} connections need {needed} open files, and the system allows this process {maximum}"
        ))
        .hint(format!(
            "raise the hard limit (`ulimit -Hn {needed}` as root, or LimitNOFILE of systemd), or use fewer connections"
        )));
    }
    let raised = Rlimit {
        current: Some(needed),
        maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(|error| {
        let error = std::io::Error::from(error);
        CliError::failed(format!(
            "cannot raise the limit of open files to {needed}: {error}"
        ))
        .hint(format!("raise it yourself: `ulimit -n {needed}`"))
    })?;
    ui.aside(&format!(
        "raised the limit of open files of this process from {current} to {needed}"
    ));
    Ok(())
}
