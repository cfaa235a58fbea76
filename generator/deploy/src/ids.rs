//! Identifiers as types.

use stackgen_model::identifier;

identifier! {
    /// An API's id: `a1b2c3d4e5`.
    ApiId
}
identifier! {
    /// A stage's name: `prod`, `$default`.
    StageName
}
identifier! {
    /// A deployment's id.
    DeploymentId
}
identifier! {
    /// A function's name, without account, region and qualifier.
    FunctionName
}
identifier! {
    /// The number of a published version.
    FunctionVersion
}
