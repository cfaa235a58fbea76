//! Joins lines to connections: by the IDs that they contain, and by the invocation that wrote them.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::{LogLine, LogSource};
use super::line::{LineFact, ParsedLine};

/// Number of an ID: of a connection, a request or an invocation.
pub(crate) type IdNumber = u32;

/// Relations between lines, requests, invocations and connections. Lines are added in the order of their times; a line can be joined to a
/// connection that only a later line names.
#[derive(Debug, Default)]
pub struct Joiner {
    numbers: HashMap<Arc<str>, IdNumber>,
    names: Vec<Arc<str>>,
    connection_of_request: HashMap<IdNumber, IdNumber>,
    invocations: Vec<Invocation>,
    invocation_of_lambda: HashMap<IdNumber, usize>,
    /// Invocation that runs in a stream. An execution environment runs one at a time.
    running: HashMap<(usize, Arc<str>), usize>,
}

/// An invocation of a function.
#[derive(Clone, Copy, Debug, Default)]
struct Invocation {
    request: Option<IdNumber>,
    /// The connection that its lines name.
    connection: Option<IdNumber>,
    /// True if its lines name several connections, as those of a broadcast do.
    names_several: bool,
}

/// IDs of one line.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineLinks {
    connection: Option<IdNumber>,
    request: Option<IdNumber>,
    invocation: Option<usize>,
}

impl LineLinks {
    /// Returns API Gateway's request ID, or that of the line's invocation.
    pub(crate) fn request(&self, joiner: &Joiner) -> Option<IdNumber> {
        let of_invocation = || joiner.invocations[self.invocation?].request;
        self.request.or_else(of_invocation)
    }

    /// Returns the invocation that wrote the line.
    pub(crate) fn invocation(&self) -> Option<usize> {
        self.invocation
    }
}

impl Joiner {
    /// Adds a line.
    pub fn add(&mut self, source: &LogSource, entry: &LogLine, line: &ParsedLine<'_>) -> LineLinks {
        let connection = line.connection.as_deref().map(|id| self.number(id));
        let request = line.request.as_deref().map(|id| self.number(id));
        if let (Some(request), Some(connection)) = (request, connection) {
            self.connect(source, request, connection);
        }
        if let LineFact::Access(record) = &line.fact {
            let extended = record.extended.as_deref();
            let calls = [&record.integration_request, &record.authorizer_request];
            if let (Some(extended), Some(connection)) = (extended, connection) {
                let extended = self.number(extended);
                self.connect(source, extended, connection);
            }
            for id in calls.into_iter().flatten() {
                let invocation = self.invocation(id);
                self.extend(invocation, connection, request);
            }
        }
        let invocation = self.invocation_of_line(source, entry, line);
        if let Some(invocation) = invocation {
            self.extend(invocation, connection, request);
        }
        LineLinks {
            connection,
            request,
            invocation,
        }
    }

    /// Returns the connection of a line, as far as it is known by now.
    pub(crate) fn connection(&self, links: LineLinks) -> Option<IdNumber> {
        let of_request = |request| self.connection_of_request.get(&request).copied();
        if links.connection.is_some() {
            return links.connection;
        }
        if let Some(found) = links.request.and_then(of_request) {
            return Some(found);
        }
        let invocation = self.invocations[links.invocation?];
        let named = invocation.connection.filter(|_| !invocation.names_several);
        invocation.request.and_then(of_request).or(named)
    }

    /// Returns the ID of the connection of a line, as far as it is known by now.
    pub fn connection_id(&self, links: LineLinks) -> Option<&str> {
        Some(self.name(self.connection(links)?))
    }

    /// Returns the ID with a number.
    pub(crate) fn name(&self, number: IdNumber) -> &str {
        &self.names[number as usize]
    }

    fn number(&mut self, id: &str) -> IdNumber {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let id: Arc<str> = id.into();
        // Cannot fail: the IDs of four billion lines do not fit into memory.
        let number = IdNumber::try_from(self.names.len()).expect("fewer than 2^32 IDs");
        self.names.push(id.clone());
        self.numbers.insert(id, number);
        number
    }

    /// Records the connection of a request. API Gateway's own logs overrule a function, whose lines may name the connection
    /// that it posts to.
    fn connect(&mut self, source: &LogSource, request: IdNumber, connection: IdNumber) {
        match source.kind.is_function() {
            true => {
                self.connection_of_request
                    .entry(request)
                    .or_insert(connection);
            }
            false => {
                self.connection_of_request.insert(request, connection);
            }
        }
    }

    fn invocation(&mut self, lambda: &str) -> usize {
        let lambda = self.number(lambda);
        let next = self.invocations.len();
        let found = *self.invocation_of_lambda.entry(lambda).or_insert(next);
        if found == next {
            self.invocations.push(Invocation::default());
        }
        found
    }

    fn invocation_of_line(
        &mut self,
        source: &LogSource,
        entry: &LogLine,
        line: &ParsedLine<'_>,
    ) -> Option<usize> {
        let named = line.lambda.as_deref().map(|id| self.invocation(id));
        if !source.kind.is_function() {
            return named;
        }
        let stream = (entry.source, entry.stream.clone());
        match (&line.fact, named) {
            (LineFact::Start, Some(named)) => {
                self.running.insert(stream, named);
                Some(named)
            }
            (LineFact::Report(_), _) => {
                let running = self.running.remove(&stream);
                named.or(running)
            }
            (LineFact::Init, _) => {
                self.running.remove(&stream);
                None
            }
            (_, Some(named)) => Some(named),
            (_, None) => self.running.get(&stream).copied(),
        }
    }

    fn extend(
        &mut self,
        invocation: usize,
        connection: Option<IdNumber>,
        request: Option<IdNumber>,
    ) {
        let invocation = &mut self.invocations[invocation];
        invocation.request = invocation.request.or(request);
        if let Some(connection) = connection {
            invocation.names_several |= invocation
                .connection
                .is_some_and(|known| known != connection);
            invocation.connection.get_or_insert(connection);
        }
    }
}
