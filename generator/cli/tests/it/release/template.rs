//! Templates of all sizes, and what is asked of CloudFormation beside the template.

use super::emulator::Emulator;
use super::project::Project;
use super::recorder::{RecordedCall, Recorder};
use super::{assert_done, assert_says};

/// The largest template that CloudFormation takes in a request, in bytes.
const INLINE: usize = 51_200;

/// A project behind a recorder; `None` skips the test.
fn recorded() -> Option<(Emulator, Project, Recorder)> {
    let emulator = Emulator::start()?;
    let mut project = Project::new(&emulator, "dev");
    assert_done(&project.run_as("bootstrap"));
    let address = emulator.url().trim_start_matches("http://").parse();
    let recorder = Recorder::start(address.unwrap());
    project.use_endpoint(recorder.url());
    recorder.take_calls();
    Some((emulator, project, recorder))
}

/// Returns the size of the template that was uploaded.
fn uploaded(calls: &[RecordedCall]) -> usize {
    let is_template =
        |call: &&RecordedCall| call.method == "PUT" && call.path.contains(".template.json");
    let template = calls.iter().find(is_template);
    template.expect("a template is uploaded").body.len()
}

/// Adds a resource whose description has this length, or sets its length.
fn pad(project: &Project, length: usize) {
    let spec = project.sandbox.read("stackgen.yaml");
    let base = spec.split("\nresources:").next().unwrap();
    let padded = format!(
        "{base}\nresources:\n  Padding:\n    Type: AWS::SSM::Parameter\n    Properties: {{ Type: String, Value: a, Description: {} }}\n",
        "a".repeat(length)
    );
    project.sandbox.write("stackgen.yaml", padded);
}

#[test]
fn templates_beside_the_limit_of_a_request_are_deployed_and_too_large_ones_are_refused() {
    let Some((_emulator, project, recorder)) = recorded() else {
        return;
    };
    const DEPLOY: &str = "--no-verify --despite-lint";
    pad(&project, 1_000);
    assert_done(&project.deploy(DEPLOY));
    let base = uploaded(&recorder.take_calls()) - 1_000;
    for size in [INLINE - 1, INLINE + 1] {
        pad(&project, size - base);
        let run = project.deploy(DEPLOY);
        assert_done(&run);
        assert_says(&run, "update stack");
        let calls = recorder.take_calls();
        assert_eq!(uploaded(&calls), size);
        let is_inline = |call: &RecordedCall| call.body.contains("TemplateBody=");
        assert!(!calls.iter().any(is_inline));
    }
    pad(&project, 1_048_577 - base);
    let run = project.deploy(DEPLOY);
    assert_eq!(run.code, Some(2), "{run}");
    for text in ["the template has", "1048576", "split the stack"] {
        assert!(run.stderr.contains(text), "no {text:?} in {run}");
    }
    let calls = recorder.take_calls();
    assert!(calls.iter().all(|call| call.method != "PUT"), "{calls:#?}");
}

#[test]
fn express_mode_is_asked_for_only_on_request_and_keeps_the_rollback() {
    let Some((_emulator, project, recorder)) = recorded() else {
        return;
    };
    let express = |calls: &[RecordedCall]| {
        let created = calls
            .iter()
            .find(|call| call.body.contains("Action=CreateChangeSet"));
        let body = &created.expect("a change set is created").body;
        assert!(!body.contains("DisableRollback"), "{body}");
        body.contains("DeploymentConfig.Mode=EXPRESS")
    };
    assert_done(&project.deploy("--express"));
    assert!(express(&recorder.take_calls()));
    project.set_code("second", true);
    assert_done(&project.deploy(""));
    assert!(!express(&recorder.take_calls()));
}
