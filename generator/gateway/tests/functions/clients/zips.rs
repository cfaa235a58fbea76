//! Invalid zips, uploaded with the AWS SDK.

use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;

use super::{account, refusal, zip};
use crate::support::puppet;

/// Error code for input that Lambda rejects.
const INVALID: &str = "InvalidParameterValueException";

#[tokio::test]
async fn a_zip_with_entries_outside_its_folder_or_links_is_rejected() {
    let account = account().await;
    account.create("worker").await;
    let update = |zip: Vec<u8>| {
        let update = account.sdk.update_function_code().function_name("worker");
        update.zip_file(Blob::new(zip)).send()
    };
    let start = b"#!/bin/sh\n";
    let outside = zip(&[("bootstrap", start), ("../../outside", b"x")]);
    let refused = update(outside).await.expect_err("a refusal");
    assert!(
        refused
            .message()
            .is_some_and(|message| message.contains("is outside of it")),
        "{refused:?}"
    );
    let broken = update(b"no zip".to_vec()).await.expect_err("a refusal");
    assert!(
        broken
            .message()
            .is_some_and(|message| message.starts_with("Could not unzip uploaded file"))
    );
    let mut linked = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    linked
        .add_symlink("bootstrap", "/bin/sh", options)
        .expect("a link");
    let linked = linked.finish().expect("a zip").into_inner();
    let refused = update(linked).await.expect_err("a refusal");
    assert!(
        refused
            .message()
            .is_some_and(|message| message.contains("is a link")),
        "{refused:?}"
    );
    assert_eq!(
        account.invoke("worker", "body:as before").await["body"],
        "as before"
    );
}

/// Returns a zip with these files. Their names may be invalid, which a zip writer would refuse, such as a name that
/// occurs twice.
fn forged(files: &[(&str, &[u8])]) -> Vec<u8> {
    let placeholders: Vec<String> = (b'A'..)
        .zip(files)
        .map(|(letter, (name, _))| char::from(letter).to_string().repeat(name.len()))
        .collect();
    let files_as_placeholders: Vec<(&str, &[u8])> = placeholders
        .iter()
        .zip(files)
        .map(|(placeholder, (_, bytes))| (placeholder.as_str(), *bytes))
        .collect();
    let mut zip = zip(&files_as_placeholders);
    for (placeholder, (name, _)) in placeholders.iter().zip(files) {
        for start in 0..=zip.len() - name.len() {
            if zip[start..].starts_with(placeholder.as_bytes()) {
                zip[start..start + name.len()].copy_from_slice(name.as_bytes());
            }
        }
    }
    zip
}

/// Returns a zip whose entries have these names.
fn named(names: &[&str]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (*name, b"#!/bin/sh\n".as_slice()))
        .collect();
    forged(&files)
}

#[tokio::test]
async fn a_zip_with_conflicting_or_invalid_names_is_an_invalid_parameter() {
    let account = account().await;
    account.create("worker").await;
    let long = "x".repeat(300);
    for names in [
        ["first", "first/below"],
        ["first/below", "first"],
        ["first", "first/below/it"],
        ["first", "first/"],
        ["bootstrap", "."],
        ["bootstrap", "first/.."],
        ["bootstrap", "first\0"],
        ["bootstrap", "../outside"],
        ["bootstrap", "first/../../outside"],
        ["bootstrap", "..\\outside"],
        ["bootstrap", &long],
    ] {
        let update = account.sdk.update_function_code().function_name("worker");
        let refused = update.zip_file(Blob::new(named(&names))).send().await;
        let refused = refused.expect_err("a refusal");
        let status = refused
            .raw_response()
            .map(|response| response.status().as_u16());
        assert_eq!(status, Some(400), "{names:?}: {refused:?}");
        let error = refused.into_service_error();
        assert!(
            error.is_invalid_parameter_value_exception(),
            "{names:?}: {error:?}"
        );
        let message = error.message().unwrap_or_default();
        assert!(
            message.starts_with(
                "Could not unzip uploaded file. Please check your file, then try to upload again. "
            ),
            "{names:?}: {message}"
        );
    }
    assert_eq!(
        account.invoke("worker", "body:as before").await["body"],
        "as before"
    );
}

#[tokio::test]
async fn no_entry_of_a_zip_is_written_outside_the_functions_folder() {
    let account = account().await;
    account.create("worker").await;
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().display().to_string();
    let up = "../".repeat(20);
    let mut linked = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    linked
        .add_symlink("link", folder.as_str(), options)
        .expect("a link");
    linked
        .start_file("link/outside", options)
        .expect("an entry");
    let linked = linked.finish().expect("a zip").into_inner();
    for (zip, expected) in [
        (named(&[&format!("{folder}/outside")]), "(no error)"),
        (named(&[&format!("/{folder}/outside")]), "(no error)"),
        (named(&[&format!("{up}{folder}/outside")]), INVALID),
        (named(&[&format!("a/{up}{folder}/outside")]), INVALID),
        (linked, INVALID),
    ] {
        let update = account.sdk.update_function_code().function_name("worker");
        let outcome = update.zip_file(Blob::new(zip)).send().await;
        assert_eq!(refusal(outcome), expected);
        let written = std::fs::read_dir(outside.path()).expect("a folder");
        assert_eq!(written.count(), 0);
    }
}

#[tokio::test]
async fn of_two_entries_with_one_name_the_last_is_used() {
    let account = account().await;
    account.create("worker").await;
    let starts_puppet = format!("#!/bin/sh\nexec {}\n", puppet().display());
    let zip = forged(&[
        ("bootstrap", b"#!/bin/sh\nexit 1\n"),
        ("bootstrap", starts_puppet.as_bytes()),
    ]);
    let update = account.sdk.update_function_code().function_name("worker");
    let update = update.zip_file(Blob::new(zip)).send().await;
    assert_eq!(refusal(update), "(no error)");
    let invoked = account.invoke("worker", "body:of the last entry").await;
    assert_eq!(invoked["body"], "of the last entry");
}
