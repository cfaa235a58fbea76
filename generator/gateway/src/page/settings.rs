//! Settings of a page: its `config.json`, with the addresses of the running stack.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value as Json};

/// Maximum size of `config.json` in bytes.
const MAX_SETTINGS: u64 = 1024 * 1024;

/// Settings that depend on the running stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageSettings {
    /// URL of the only stage of the only WebSocket API. Without it, that of the file stays.
    pub(crate) websocket_url: Option<String>,
    /// URL of the only stage of the only HTTP API. Without it, that of the file stays.
    pub(crate) http_url: Option<String>,
    /// Sign-in at the local issuer. Without it, that of the file stays: an authorizer in a function may accept its tokens.
    pub(crate) sign_in: Option<PageSignIn>,
}

/// Sign-in of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageSignIn {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
}

impl PageSettings {
    /// Returns the settings of a file with these ones in it. Without a file, there are no others.
    pub(super) fn fill_in(self, file: Option<&Path>) -> Result<String, String> {
        let mut settings = file.map(read).transpose()?.unwrap_or_default();
        let (issuer, client_id) = match self.sign_in {
            Some(sign_in) => (Some(sign_in.issuer), Some(sign_in.client_id)),
            None => (None, None),
        };
        for (key, value) in [
            ("websocketUrl", self.websocket_url),
            ("httpUrl", self.http_url),
            ("issuer", issuer),
            ("clientId", client_id),
        ] {
            if let Some(value) = value {
                settings.insert(key.to_owned(), value.into());
            }
        }
        serde_json::to_string_pretty(&settings)
            .map_err(|error| format!("cannot write the settings: {error}\n"))
    }
}

fn read(file: &Path) -> Result<Map<String, Json>, String> {
    let text =
        read_text(file).map_err(|error| format!("cannot read {}: {error}\n", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{} must be a JSON object: {error}\n", file.display()))
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    if file.take(MAX_SETTINGS + 1).read_to_string(&mut text)? as u64 > MAX_SETTINGS {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;
    use tempfile::TempDir;

    use super::*;

    fn settings() -> PageSettings {
        PageSettings {
            websocket_url: Some("ws://127.0.0.1:1/prod".to_owned()),
            http_url: None,
            sign_in: Some(PageSignIn {
                issuer: "http://127.0.0.1:2/issuer".to_owned(),
                client_id: "page".to_owned(),
            }),
        }
    }

    fn folder(config: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        folder
    }

    fn filled_in(settings: PageSettings, folder: &TempDir) -> String {
        let result = settings.fill_in(Some(&folder.path().join("config.json")));
        let text = result.unwrap_or_else(|problem| problem);
        text.replace(&folder.path().display().to_string(), "web")
    }

    #[test]
    fn addresses_of_the_file_are_replaced_and_its_other_settings_stay() {
        let text = r#"{ "websocketUrl": "wss://prod", "httpUrl": "https://prod", "issuer": "https://issuer", "languages": ["en"] }"#;
        let folder = folder(text);
        assert_snapshot!(filled_in(settings(), &folder), @r#"
        {
          "websocketUrl": "ws://127.0.0.1:1/prod",
          "httpUrl": "https://prod",
          "issuer": "http://127.0.0.1:2/issuer",
          "languages": [
            "en"
          ],
          "clientId": "page"
        }
        "#);
        assert_snapshot!(filled_in(PageSettings::default(), &folder), @r#"
        {
          "websocketUrl": "wss://prod",
          "httpUrl": "https://prod",
          "issuer": "https://issuer",
          "languages": [
            "en"
          ]
        }
        "#);
    }

    #[test]
    fn a_page_without_settings_gets_the_addresses() {
        assert_snapshot!(settings().fill_in(None).unwrap(), @r#"
        {
          "websocketUrl": "ws://127.0.0.1:1/prod",
          "issuer": "http://127.0.0.1:2/issuer",
          "clientId": "page"
        }
        "#);
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it() {
        assert_snapshot!(filled_in(settings(), &folder("{")), @"web/config.json must be a JSON object: EOF while parsing an object at line 1 column 1");
        assert_snapshot!(filled_in(settings(), &folder("[]")), @"web/config.json must be a JSON object: invalid type: sequence, expected a map at line 1 column 0");
        let large = format!(r#"{{ "a": "{}" }}"#, "x".repeat(1024 * 1024));
        assert_snapshot!(filled_in(settings(), &folder(&large)), @"cannot read web/config.json: it has more than 1 MiB");
    }
}
