//! `page` in stackgen.yaml, and `stackgen dev --open=page`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::ending::until;
use crate::running::{Dev, place_echo};

/// Creates a project whose stackgen.yaml names the folder of a page.
fn with_page(folder: &str) -> Sandbox {
    let sandbox = Sandbox::starter("echo");
    place_echo(&sandbox);
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write("stackgen.yaml", format!("{spec}\npage: {folder}\n"));
    sandbox.write("web/index.html", "<title>web</title>");
    sandbox.write("site/index.html", "<title>site</title>");
    sandbox
}

fn started(sandbox: Sandbox, arguments: &[&str]) -> Dev {
    let all = [&["--json", "--no-build"], arguments].concat();
    let mut dev = Dev::spawn(sandbox, &all, &[]);
    dev.ready = dev.event("ready");
    dev
}

/// Returns the body of a page's file.
fn get(page: &str, path: &str) -> String {
    let authority = page.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(authority).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn the_page_is_served_with_the_addresses_of_the_stack() {
    let sandbox = with_page("web");
    let settings = json!({ "websocketUrl": "wss://prod.example", "title": "Echo" });
    sandbox.write("web/config.json", settings.to_string());
    let dev = started(sandbox, &["--no-watch"]);
    let page = dev.ready["gateway"]["page"].as_str().unwrap();
    assert_eq!(get(page, "/"), "<title>web</title>");
    let settings: Value = serde_json::from_str(&get(page, "/config.json")).unwrap();
    let expected = json!({ "websocketUrl": dev.url(), "title": "Echo" });
    assert_eq!(settings, expected);
}

#[test]
fn another_folder_is_served_once_it_is_saved_and_without_one_nothing_is() {
    let dev = started(with_page("web"), &[]);
    let page = dev.ready["gateway"]["page"].as_str().unwrap();
    let spec = dev.sandbox.read("stackgen.yaml");
    dev.sandbox
        .write("stackgen.yaml", spec.replace("page: web", "page: site"));
    dev.event("applied");
    assert_eq!(get(page, "/"), "<title>site</title>");
    dev.sandbox
        .write("stackgen.yaml", spec.replace("page: web", ""));
    dev.event("applied");
    assert!(get(page, "/").contains("stackgen.yaml has no `page`"));
}

#[test]
fn a_page_that_is_built_later_is_served_then() {
    let dev = started(with_page("dist"), &["--no-watch"]);
    let notes = dev.ready["notes"].to_string();
    assert!(
        notes.contains("dist, the folder of the web page, does not exist"),
        "{notes}"
    );
    let page = dev.ready["gateway"]["page"].as_str().unwrap();
    for path in ["/", "/config.json"] {
        assert!(get(page, path).contains("The folder dist does not exist."));
    }
    dev.sandbox.write("dist/index.html", "built");
    assert_eq!(get(page, "/"), "built");
}

/// Creates a browser that writes its arguments to a file, and then ends with this exit code.
fn browser(sandbox: &Sandbox, code: u8) -> std::path::PathBuf {
    let path = sandbox.path().join("browser");
    let script =
        format!("#!/bin/sh\necho \"$@\" > opened.tmp; mv opened.tmp opened; exit {code}\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn opening(sandbox: Sandbox, browser: Option<&Path>) -> Dev {
    let variables: Vec<_> = browser.map(|path| ("BROWSER", path)).into_iter().collect();
    Dev::spawn(
        sandbox,
        &["--no-build", "--no-watch", "--open=page"],
        &variables,
    )
}

#[test]
fn a_browser_opens_the_page_that_the_first_lines_name() {
    let sandbox = with_page("web");
    let path = browser(&sandbox, 0);
    let dev = opening(sandbox, Some(&path));
    let line = dev.line("Web page");
    let url = line.split_whitespace().last().unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{line}");
    let opened = dev.sandbox.path().join("opened");
    until("no browser was started", || opened.exists());
    assert_eq!(fs::read_to_string(opened).unwrap().trim(), url);
}

// On macOS, there always is a browser.
#[cfg(not(target_os = "macos"))]
#[test]
fn without_a_display_the_address_is_printed() {
    let dev = opening(with_page("web"), None);
    let note = dev.error("no browser was opened");
    assert!(
        note.contains("because there is no display; open http://127.0.0.1:"),
        "{note}"
    );
}

#[test]
fn if_the_browser_fails_the_address_is_printed() {
    let sandbox = with_page("web");
    let path = browser(&sandbox, 3);
    let dev = opening(sandbox, Some(&path));
    let note = dev.error("no browser was opened");
    assert!(
        note.contains("browser failed (exit status: 3); open http://"),
        "{note}"
    );
}

#[test]
fn without_a_page_no_browser_is_started() {
    let sandbox = Sandbox::starter("echo");
    place_echo(&sandbox);
    let dev = opening(sandbox, None);
    dev.error("this stack has no web page to open");
    dev.error("`page: web`");
}
