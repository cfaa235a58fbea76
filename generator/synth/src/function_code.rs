//! Code of functions.

use stackgen_cfn::Span;

use crate::environment::MergedEnvironment;
use crate::render;
use crate::spans::DocumentSpans;
use crate::spec::Architecture;

/// Code of a function in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCode<'a> {
    /// Name of the function in stackgen.yaml.
    pub function: &'a str,
    /// Cargo binary; `None` if stackgen.yaml names a zip file.
    pub binary: Option<&'a str>,
    /// Processor architecture.
    pub architecture: Architecture,
    /// Path of the zip file that templates refer to, relative to the folder of stackgen.yaml.
    pub path: String,
    /// Location of the binary or the zip file in stackgen.yaml.
    pub span: Span,
    /// Location of the architecture in stackgen.yaml, or of the function if it has the default.
    pub architecture_span: Span,
}

/// Returns the code of an environment's functions, sorted by the names of the functions.
pub(crate) fn function_code(environment: &MergedEnvironment) -> Vec<FunctionCode<'_>> {
    let spans = DocumentSpans(&environment.document);
    let functions = environment.spec.functions.iter();
    let code = functions.map(|(name, function)| {
        let key = match function.binary {
            Some(_) => "binary",
            None => "zip",
        };
        FunctionCode {
            function: name,
            binary: function.binary.as_deref(),
            architecture: function.architecture.unwrap_or_default(),
            path: render::artifact_path(function),
            span: spans.value(&["functions", name, key]),
            architecture_span: spans.value(&["functions", name, "architecture"]),
        }
    });
    code.collect()
}
