//! `stackgen schema`, `completions` and `man`.

use crate::common::Sandbox;

#[test]
fn the_schema_describes_a_stackgen_yaml() {
    let schema = Sandbox::new().run("schema").json();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["properties"]["websocket"].is_object());
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Sandbox::new().run(&format!("completions {shell}"));
        assert_eq!(script.code, Some(0));
        for verb in [
            "init",
            "synth",
            "diff",
            "graph",
            "lint",
            "explain",
            "rule",
            "dev",
            "token",
            "probe",
            "schema",
            "completions",
            "man",
        ] {
            assert!(script.stdout.contains(verb), "{shell} lacks {verb}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let sandbox = Sandbox::new();
    assert!(sandbox.run("man").stdout.contains(".TH stackgen 1"));
    assert_eq!(sandbox.run("man --out pages").code, Some(0));
    assert!(
        sandbox
            .files()
            .contains(&"pages/stackgen-synth.1".to_owned())
    );
    assert!(
        sandbox
            .read("pages/stackgen-synth.1")
            .contains(".TH stackgen-synth 1")
    );
    assert!(
        sandbox
            .run("man --out pages")
            .stdout
            .starts_with("unchanged pages/stackgen.1")
    );
}
