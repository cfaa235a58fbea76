//! The user's browser.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::error::reason;
use crate::write::write_private;

/// Time in which a program that cannot open a URL has failed. One that runs on is the browser itself.
const FAILURE_TIME: Duration = Duration::from_secs(3);

/// Link that the user's browser opens.
pub(crate) struct BrowserLink {
    url: String,
    /// File that leads to a secret URL.
    file: Option<PathBuf>,
}

impl BrowserLink {
    pub(crate) fn new(url: String) -> Self {
        BrowserLink { url, file: None }
    }

    /// Creates the link of a URL that only this user may know. Other users can read the arguments of programs, so that the browser
    /// gets this file, which leads to the URL and which only its owner can read.
    pub(crate) fn secret(url: String, file: PathBuf) -> Self {
        let file = Some(file);
        BrowserLink { url, file }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Opens the link. Returns the reason if that is not possible.
    pub(crate) async fn open(&self) -> Result<(), String> {
        let program = program(cfg!(target_os = "macos"), |name| {
            env::var_os(name).filter(|value| !value.is_empty())
        })?;
        let Some(file) = &self.file else {
            return start(program, self.url.as_ref()).await;
        };
        let file = write_page(file, &self.url).map_err(|error| {
            let reason = reason(&error);
            format!("{} cannot be written: {reason}", file.display())
        })?;
        start(program, file.as_os_str()).await
    }
}

/// Writes a page that leads to a URL, and returns its absolute path.
fn write_page(file: &Path, url: &str) -> io::Result<PathBuf> {
    let url = url.replace('&', "&amp;").replace('"', "&quot;");
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>stackgen</title>\n\
         <meta http-equiv=\"refresh\" content=\"0; url={url}\"></head>\n\
         <body><p><a href=\"{url}\">Continue</a></p></body></html>\n"
    );
    write_private(file, html.as_bytes())?;
    file.canonicalize()
}

async fn start(program: OsString, argument: &OsStr) -> Result<(), String> {
    let name = program.to_string_lossy().into_owned();
    let child = Command::new(program)
        .arg(argument)
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
    fn the_page_of_a_secret_link_has_the_whole_url_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("link.html");
        write_page(&file, "http://127.0.0.1:1/?a=1&b=\"><script>").unwrap();
        let html = std::fs::read_to_string(file).unwrap();
        let url = "http://127.0.0.1:1/?a=1&amp;b=&quot;><script>";
        assert!(html.contains(&format!("content=\"0; url={url}\"")));
        assert!(html.contains(&format!("<a href=\"{url}\">")));
        assert_eq!(html.matches("<script>").count(), 2);
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
