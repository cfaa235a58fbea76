//! Identifiers as types.

use stackgen_model::identifier;

identifier! {
    /// ID of an API: `a1b2c3d4e5`.
    ApiId
}
identifier! {
    /// Name of a stage: `prod`, `$default`.
    StageName
}
identifier! {
    /// ID of a deployment.
    DeploymentId
}
identifier! {
    /// Name of a function, without account, region and qualifier.
    FunctionName
}
identifier! {
    /// Number of a published version.
    FunctionVersion
}
