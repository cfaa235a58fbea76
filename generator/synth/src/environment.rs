//! One environment, merged from the project file.

use stackgen_cfn::Node;

use crate::spec::Spec;

/// An environment: the project file with the environment's part merged in.
#[derive(Debug)]
pub(crate) struct MergedEnvironment {
    pub(crate) name: String,
    /// The merged document. Each node keeps its span in the file.
    pub(crate) document: Node,
    pub(crate) spec: Spec,
}
