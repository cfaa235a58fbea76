//! Code of functions: binaries and zip files with architectures and locations.

use stackgen_synth::FunctionCode;
use stackgen_synth::spec::Architecture;

use super::load;

const STACK: &str = "\
name: s
functionDefaults: { architecture: x86_64 }
functions:
  ping: { zip: code/ping.zip, runtime: nodejs22.x, handler: index.handler }
  chat: { binary: chat-handler }
websocket: { name: api, routes: { $default: chat, ping: ping } }
environments:
  dev: { functions: { chat: { architecture: arm64, binary: chat-dev } } }
  prod: {}
";

/// Returns the line and column of the code and of the architecture.
fn locations(code: &FunctionCode<'_>) -> [(u32, u32); 2] {
    [code.span, code.architecture_span].map(|span| (span.line, span.column))
}

#[test]
fn binaries_and_zip_files_have_the_paths_that_templates_refer_to() {
    let project = load(STACK);
    let code = project.function_code("prod");
    let [chat, ping] = code.as_slice() else {
        panic!("{code:?}");
    };
    assert_eq!(chat.function, "chat");
    assert_eq!(chat.binary, Some("chat-handler"));
    assert_eq!(chat.path, "target/lambda/chat-handler/bootstrap.zip");
    assert_eq!(chat.architecture, Architecture::X86_64);
    assert_eq!(locations(chat), [(5, 19), (2, 35)]);
    assert_eq!(ping.function, "ping");
    assert_eq!(ping.binary, None);
    assert_eq!(ping.path, "code/ping.zip");
    assert_eq!(locations(ping), [(4, 16), (2, 35)]);
}

#[test]
fn an_environment_can_differ_in_binary_and_architecture() {
    let project = load(STACK);
    let code = project.function_code("dev");
    assert_eq!(code[0].binary, Some("chat-dev"));
    assert_eq!(code[0].architecture, Architecture::Arm64);
    assert_eq!(locations(&code[0]), [(8, 60), (8, 45)]);
    assert!(project.function_code("none").is_empty());
}
