//! Identifiers as types.

use std::borrow::Borrow;
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

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    };
}

id! {
    /// A resource's key in the `Resources` section.
    ///
    /// A resource that a template only implies (a route of an OpenAPI body) has an id with a `/` in it, which no
    /// template can write: `Api/GET /items`.
    LogicalId
}

id! {
    /// What a route answers to: `$connect`, `sendAudio`, `GET /sessions`.
    RouteKey
}

impl RouteKey {
    /// True for `$connect`, the only WebSocket route that can be authorized (row A1).
    pub fn is_connect(&self) -> bool {
        self.as_str() == "$connect"
    }

    /// True for `$connect`, `$disconnect` and `$default`.
    pub fn is_predefined(&self) -> bool {
        matches!(self.as_str(), "$connect" | "$disconnect" | "$default")
    }
}
