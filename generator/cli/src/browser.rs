//! The user's browser.

use std::env;
use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Time in which a program that cannot open a URL has failed. One that runs on is the browser itself.
const FAILURE_TIME: Duration = Duration::from_secs(3);

/// Opens a URL in the user's browser. Returns the reason if that is not possible.
pub(crate) async fn open(url: String) -> Result<(), String> {
    let program = program(cfg!(target_os = "macos"), |name| {
        env::var_os(name).filter(|value| !value.is_empty())
    })?;
    let name = program.to_string_lossy().into_owned();
    let child = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C ends the processes of this group, and not the browser.
        .process_group(0)
        .spawn();
    let mut child = child.map_err(|error| format!("{name} cannot be started: {error}"))?;
    match timeout(FAILURE_TIME, child.wait()).await {
        Ok(Ok(status)) if !status.success() => Err(format!("{name} failed ({status})")),
        Ok(Err(error)) => Err(format!("{name} failed: {error}")),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// Returns the program that opens URLs: the first of `BROWSER`, or the one of the desktop.
fn program(
    is_macos: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<OsString, String> {
    if let Some(browsers) = variable("BROWSER") {
        let first = env::split_paths(&browsers).next();
        return first
            .map(OsString::from)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| "BROWSER names no program".to_owned());
    }
    if is_macos {
        return Ok(OsString::from("open"));
    }
    if variable("WSL_DISTRO_NAME").is_some() {
        return Ok(OsString::from("wslview"));
    }
    let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| variable(name).is_some());
    match has_desktop {
        true => Ok(OsString::from("xdg-open")),
        false => Err("there is no display".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(is_macos: bool, variables: &[(&str, &str)]) -> Result<OsString, String> {
        program(is_macos, |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn a_desktop_or_the_user_chooses_the_browser() {
        let display = ("DISPLAY", ":0");
        for (is_macos, variables, expected) in [
            (false, &[display][..], Ok("xdg-open")),
            (false, &[("WAYLAND_DISPLAY", "wayland-0")], Ok("xdg-open")),
            (
                false,
                &[("WSL_DISTRO_NAME", "Debian"), display],
                Ok("wslview"),
            ),
            (false, &[], Err("there is no display")),
            (true, &[], Ok("open")),
            (
                false,
                &[("BROWSER", "firefox:chromium"), display],
                Ok("firefox"),
            ),
            (true, &[("BROWSER", ":")], Err("BROWSER names no program")),
        ] {
            let expected = expected.map(OsString::from).map_err(str::to_owned);
            assert_eq!(chosen(is_macos, variables), expected, "{variables:?}");
        }
    }
}
