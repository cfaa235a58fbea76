//! Answers to requests for a page.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use http::HeaderMap;
use http_body_util::BodyExt;
use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("guide")).unwrap();
    for file in [
        "index.html",
        "guide/index.html",
        "main.js",
        "module.mjs",
        "style.css",
        "icon.svg",
        "code.wasm",
        "tone.wav",
        "data.json",
        "unknown.xyz",
    ] {
        fs::write(folder.path().join(file), file).unwrap();
    }
    folder
}

async fn request(
    method: &str,
    path: &str,
    more: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    request_of(site().path(), method, path, more).await
}

async fn request_of(
    folder: &Path,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let settings = async || PageSettings {
        http_url: Some("http://127.0.0.1:1".to_owned()),
        ..PageSettings::default()
    };
    let response = answer(folder, settings, request).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    (head.status, head.headers, body)
}

async fn content_type(path: &str) -> String {
    let (status, headers, _) = request("GET", path, &[]).await;
    assert_eq!(status, StatusCode::OK, "{path}");
    headers[CONTENT_TYPE].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn files_have_the_types_that_browsers_insist_on() {
    for (path, expected) in [
        ("/", "text/html"),
        ("/main.js", "text/javascript"),
        ("/module.mjs", "application/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/code.wasm", "application/wasm"),
        ("/tone.wav", "audio/wav"),
        ("/data.json", "application/json"),
        ("/config.json", "application/json"),
        ("/unknown.xyz", "chemical/x-xyz"),
    ] {
        assert_eq!(content_type(path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn every_answer_forbids_caching_inline_code_and_use_by_other_sites() {
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/config.json"),
        ("GET", "/nowhere"),
        ("GET", "/guide"),
        ("POST", "/"),
    ] {
        let (_, headers, _) = request(method, path, &[]).await;
        for (name, value) in HEADERS {
            assert_eq!(headers[&name], value, "{method} {path}");
        }
    }
    assert!(!POLICY.contains("unsafe-inline") && !POLICY.contains("'unsafe-eval'"));
}

#[tokio::test]
async fn a_folder_leads_to_its_index_and_has_no_listing() {
    let (status, headers, _) = request("GET", "/guide", &[]).await;
    assert_eq!(status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(headers[LOCATION], "/guide/");
    let (_, headers, _) = request("GET", "/guide?code=a&state=b", &[]).await;
    assert_eq!(headers[LOCATION], "/guide/?code=a&state=b");
    let (status, _, body) = request("GET", "/guide/", &[]).await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::OK, "guide/index.html")
    );
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let (status, headers, body) = request("HEAD", "/main.js", &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
    assert_eq!(headers["content-length"], "7");
    let (status, headers, _) = request("POST", "/config.json", &[]).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(headers[ALLOW], "GET, HEAD");
}

#[tokio::test]
async fn a_player_can_ask_for_a_part_of_a_file() {
    let (status, headers, body) = request("GET", "/tone.wav", &[("range", "bytes=0-3")]).await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::PARTIAL_CONTENT, "tone")
    );
    assert_eq!(headers["content-range"], "bytes 0-3/8");
}

#[tokio::test]
async fn a_missing_file_and_a_missing_folder_are_told_apart() {
    let (status, _, body) = request("GET", "/nowhere", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_snapshot!(body, @"There is no such file.");
    for path in ["/", "/config.json"] {
        let (status, _, body) = request_of(Path::new("nowhere/dist"), "GET", path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let expected = "The folder nowhere/dist does not exist. Build the page, or correct `page` in stackgen.yaml.\n";
        assert_eq!(body, expected, "{path}");
    }
}

/// Settings of the running stack.
const FILLED_IN: &str = r#""httpUrl": "http://127.0.0.1:1""#;

#[tokio::test]
async fn settings_are_filled_in_at_every_spelling_of_their_path() {
    let site = site();
    for config in [None, Some(r#"{ "title": "Echo" }"#)] {
        if let Some(config) = config {
            fs::write(site.path().join("config.json"), config).unwrap();
        }
        let (status, _, body) = request_of(site.path(), "GET", "/config.json", &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains(FILLED_IN), "{body}");
        assert_eq!(body.contains("Echo"), config.is_some());
    }
    let (_, _, body) = request_of(site.path(), "GET", "/%63onfig.json", &[]).await;
    assert!(body.contains(FILLED_IN) && body.contains("Echo"), "{body}");
}

#[tokio::test]
async fn settings_that_are_no_file_of_the_folder_are_not_read() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.json");
    fs::write(&secret, r#"{ "secret": 1 }"#).unwrap();
    let site = site();
    let config = site.path().join("config.json");
    for make in [
        &(|| symlink(&secret, &config).unwrap()) as &dyn Fn(),
        // To open it would block until somebody writes.
        &|| {
            assert!(
                Command::new("mkfifo")
                    .arg(&config)
                    .status()
                    .unwrap()
                    .success()
            )
        },
    ] {
        make();
        for path in ["/config.json", "/%63onfig.json"] {
            let (status, _, body) = request_of(site.path(), "GET", path, &[]).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
            assert_eq!(body, "There is no such file.\n");
        }
        fs::remove_file(&config).unwrap();
    }
    let inside = site.path().join("settings.json");
    fs::rename(&secret, &inside).unwrap();
    symlink(&inside, &config).unwrap();
    let (_, _, body) = request_of(site.path(), "GET", "/config.json", &[]).await;
    assert!(
        body.contains(FILLED_IN) && body.contains("secret"),
        "{body}"
    );
}
