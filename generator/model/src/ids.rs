//! Identifiers as types.

/// Declares a string type for one kind of identifier, so that different kinds cannot be mixed up. The calling crate must
/// depend on serde.
///
/// ```
/// stackgen_model::identifier! {
///     /// A room's name.
///     RoomName
/// }
/// assert_eq!(RoomName::new("hall").as_str(), "hall");
/// ```
#[macro_export]
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text.
            pub fn new(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
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

identifier! {
    /// Logical ID: a key in the `Resources` section.
    ///
    /// The ID of a resource that a template only implies, such as a route of an OpenAPI body, contains a `/`. No
    /// template can write such an ID: `Api/GET /items`.
    LogicalId
}

identifier! {
    /// Route key: `$connect`, `sendAudio`, `GET /sessions`.
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
