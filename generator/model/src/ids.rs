//! Identifiers as types.

/// Makes a type of text that identifies something, so that no id is taken for that of something else. Whoever uses it
/// depends on serde.
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
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// The text.
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
    /// A resource's key in the `Resources` section.
    ///
    /// A resource that a template only implies (a route of an OpenAPI body) has an id with a `/` in it, which no
    /// template can write: `Api/GET /items`.
    LogicalId
}

identifier! {
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
