//! Identifiers as types.

use std::fmt;

use serde::Serialize;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// An API's id: `a1b2c3d4e5`.
    ApiId
}
id! {
    /// A stage's name: `prod`, `$default`.
    StageName
}
id! {
    /// A deployment's id.
    DeploymentId
}
id! {
    /// A function's name, without account, region and qualifier.
    FunctionName
}
id! {
    /// The number of a published version.
    FunctionVersion
}
