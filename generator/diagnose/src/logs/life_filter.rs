//! Selection of connections by their ID and by fields of their lines.

use super::line::{LineFact, ParsedLine};

/// Names of fields that hold a session.
const SESSION: [&str; 5] = ["sessionId", "session_id", "session", "roomId", "room_id"];

/// Names of fields that hold a user.
const USER: [&str; 8] = [
    "userId",
    "user_id",
    "user",
    "username",
    "sub",
    "principalId",
    "principal_id",
    "principal",
];

/// Selection of connections. A connection must pass all parts.
#[derive(Clone, Debug, Default)]
pub struct LifeFilter {
    /// Connection ID.
    pub connection: Option<String>,
    /// Fields, each of which one line of the connection must have.
    pub fields: Vec<FieldFilter>,
}

/// A field with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFilter {
    /// The field.
    pub field: FilteredField,
    /// The value.
    pub value: String,
}

/// Name of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilteredField {
    /// Session, under its usual names.
    Session,
    /// User, under its usual names, and the principal of the authorizer.
    User,
    /// This name, or the last part of a nested name.
    Named(String),
}

impl LifeFilter {
    /// True if everything is selected.
    pub fn is_empty(&self) -> bool {
        self.connection.is_none() && self.fields.is_empty()
    }

    /// Returns a text that lines of a selected connection contain, to search for them; `None` if everything is selected.
    pub fn search_text(&self) -> Option<&str> {
        let connection = self.connection.as_deref();
        connection.or_else(|| Some(self.fields.first()?.value.as_str()))
    }

    /// Returns true for the name of a field that holds a session.
    pub(crate) fn is_session(name: &str) -> bool {
        SESSION.contains(&last_part(name))
    }

    /// Returns true for the name of a field that holds a user.
    pub(crate) fn is_user(name: &str) -> bool {
        USER.contains(&last_part(name))
    }

    /// Returns the fields that a line has, one bit each.
    pub fn passed(&self, line: &ParsedLine<'_>) -> u32 {
        let mut passed = 0;
        for (bit, filter) in self.fields.iter().enumerate().take(32) {
            if filter.matches(line) {
                passed |= 1 << bit;
            }
        }
        passed
    }

    /// True if a connection is selected, given the fields that its lines have.
    pub fn selects(&self, connection: &str, passed: u32) -> bool {
        let all = match self.fields.len().min(32) {
            32 => u32::MAX,
            count => (1 << count) - 1,
        };
        let without_padding = |id: &str| id.trim_end_matches('=').to_owned();
        let is_named = self
            .connection
            .as_deref()
            .is_none_or(|wanted| without_padding(wanted) == without_padding(connection));
        is_named && passed & all == all
    }
}

impl FieldFilter {
    fn matches(&self, line: &ParsedLine<'_>) -> bool {
        let has = |is_name: &dyn Fn(&str) -> bool| {
            let mut fields = line.fields.iter();
            fields.any(|field| field.value == self.value && is_name(&field.name))
        };
        match &self.field {
            FilteredField::Session => has(&LifeFilter::is_session),
            FilteredField::User => {
                let principal = match &line.fact {
                    LineFact::Access(record) => record.principal.as_deref(),
                    _ => None,
                };
                principal == Some(self.value.as_str()) || has(&LifeFilter::is_user)
            }
            FilteredField::Named(wanted) => {
                let is_id = |name: &str, id: &Option<std::borrow::Cow<'_, str>>| {
                    wanted == name && id.as_deref() == Some(self.value.as_str())
                };
                let level = line.level.map(super::entry::LineLevel::word);
                has(&|name| name == wanted || last_part(name) == wanted)
                    || is_id("connectionId", &line.connection)
                    || is_id("requestId", &line.request)
                    || is_id("requestId", &line.lambda)
                    || is_id("routeKey", &line.route)
                    || wanted == "level"
                        && level.is_some_and(|level| level.eq_ignore_ascii_case(&self.value))
                    || wanted == "message" && line.message == self.value
                    || matches!(&line.fact, LineFact::Access(record) if record.status.is_some_and(|status| wanted == "status" && status.to_string() == self.value))
            }
        }
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
