//! Answers to requests for a page.

use std::fs;

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
    let site = site();
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let settings = async || PageSettings::default();
    let response = answer(site.path(), settings, request).await;
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
    let request = http::Request::get("/").body(Body::empty()).unwrap();
    let settings = async || PageSettings::default();
    let response = answer(Path::new("nowhere/dist"), settings, request).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_snapshot!(String::from_utf8_lossy(&body), @"The folder nowhere/dist does not exist. Build the page, or correct `page` in stackgen.yaml.");
}
