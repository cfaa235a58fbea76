//! Mounts the layers of a function at `/opt`, where Lambda has them: in a mount namespace of the function's process, so that
//! nothing changes for other processes.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use stackgen_gateway_common::HelperCommand;
use thiserror::Error;
use tokio::process::Command;

use super::FunctionHost;
use super::layer_paths::OPT;

/// List of the mounts that this process sees.
#[cfg(target_os = "linux")]
const MOUNTS: &str = "/proc/self/mountinfo";

/// Longest time to find out whether the machine permits it.
const LIMIT: Duration = Duration::from_secs(10);

/// Reason why layers cannot be mounted.
#[derive(Debug, Error)]
pub enum LayerMountError {
    /// The system refuses a step.
    #[error("cannot {step}: {error}")]
    Refused {
        /// Step that failed.
        step: &'static str,
        /// Error of the system.
        error: io::Error,
    },
    /// The machine has no folder to mount at.
    #[error("this machine has no folder {OPT}: create it")]
    NoFolder,
    /// An overlay would hide other mounts.
    #[error("{0} is a mount of its own, which would be hidden")]
    Hidden(String),
    /// The path cannot be an option of a mount.
    #[error("the path {0} has a comma, a colon or a backslash")]
    Path(String),
    /// The system has no mount namespaces.
    #[error("only Linux can do that")]
    NotLinux,
}

/// Mounts a folder of layers at `/opt` for this process and those that it starts. What the machine itself has in `/opt` stays
/// visible below it. The process must have a single thread.
///
/// # Errors
///
/// If the machine does not permit it.
#[cfg(target_os = "linux")]
pub fn mount_layers(layers: &Path) -> Result<(), LayerMountError> {
    use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

    let path = layers.display().to_string();
    if path.contains([',', ':', '\\']) {
        return Err(LayerMountError::Path(path));
    }
    if !Path::new(OPT).is_dir() {
        return Err(LayerMountError::NoFolder);
    }
    if let Some(hidden) = mount_below(&std::fs::read_to_string(MOUNTS).unwrap_or_default()) {
        return Err(LayerMountError::Hidden(hidden));
    }
    let step = |step| move |error: io::Error| LayerMountError::Refused { step, error };
    enter_namespaces().map_err(step("create a mount namespace"))?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private).map_err(|error| step("make its mounts private")(error.into()))?;
    let options = std::ffi::CString::new(format!("lowerdir={path}:{OPT}"));
    let options = options.map_err(|_| LayerMountError::Path(path))?;
    mount(
        "overlay",
        OPT,
        "overlay",
        MountFlags::RDONLY,
        options.as_c_str(),
    )
    .map_err(|error| step("mount an overlay at /opt")(error.into()))
}

/// Other systems have no mount namespaces.
#[cfg(not(target_os = "linux"))]
pub fn mount_layers(_: &Path) -> Result<(), LayerMountError> {
    Err(LayerMountError::NotLinux)
}

/// Returns a mount below `/opt`, by the list of all mounts.
#[cfg(target_os = "linux")]
fn mount_below(mounts: &str) -> Option<String> {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let mut below = points.filter(|point| {
        let inside = point.strip_prefix(OPT);
        inside.is_some_and(|inside| inside.starts_with('/'))
    });
    below.next().map(str::to_owned)
}

/// Moves the process into a mount namespace. An ordinary user needs a user namespace for that, in which the user stays the
/// same. The superuser does without: in a user namespace it could not read the files of others.
#[cfg(target_os = "linux")]
fn enter_namespaces() -> io::Result<()> {
    use rustix::process::{getgid, getuid};
    use rustix::thread::UnshareFlags;

    let (user, group) = (getuid(), getgid());
    let mut flags = UnshareFlags::NEWNS;
    if !user.is_root() {
        flags |= UnshareFlags::NEWUSER;
    }
    #[allow(deprecated, reason = "it is safe without `UnshareFlags::FILES`")]
    rustix::thread::unshare(flags)?;
    if !user.is_root() {
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    Ok(())
}

impl FunctionHost {
    /// Returns the command that mounts layers.
    ///
    /// # Errors
    ///
    /// If the machine does not permit it. The text says why.
    pub(super) async fn layer_mount(&self, layers: &Path) -> Result<&HelperCommand, String> {
        let Some(command) = &self.settings.functions.layer_mount else {
            return Err("nothing mounts them".to_owned());
        };
        let tried = self.layer_mount.get_or_init(|| attempt(command, layers));
        tried.await.clone().map(|()| command)
    }
}

/// Tries to mount layers in a process of its own.
async fn attempt(command: &HelperCommand, layers: &Path) -> Result<(), String> {
    let mut process = Command::new(&command.program);
    process.args(&command.arguments).arg(layers).env_clear();
    process.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, process.output()).await;
    match output {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_no_option_of_a_mount_is_refused_before_anything_is_mounted() {
        for path in ["/a,b", "/a:b", "/a\\b"] {
            let error = mount_layers(Path::new(path)).unwrap_err();
            assert!(matches!(error, LayerMountError::Path(_)), "{error}");
        }
    }

    #[test]
    fn mounts_below_opt_are_found() {
        let line = |point: &str| format!("36 35 98:0 / {point} rw,noatime - ext4 /dev/a rw\n");
        let others = [line("/"), line("/opt"), line("/optional/a")].concat();
        assert_eq!(mount_below(&others), None);
        let mounts = others + &line("/opt/tools");
        assert_eq!(mount_below(&mounts).as_deref(), Some("/opt/tools"));
    }
}
