//! Builds nodes from the events of the YAML parser. Nothing here recurses into the document before its depth is
//! checked.

use std::collections::HashMap;

use saphyr_parser::{Event, Input, Parser, ScalarStyle, Tag};

use super::flow::{Misindented, Unindented};
use super::position::Positions;
use super::tag::{self, TagKind};
use super::{MAX_ALIAS_NODES, MAX_BYTES, MAX_DEPTH, ParseError, ParseErrorKind, scalar, syntax};
use crate::{Entry, IntrinsicCall, Map, Node, Span, Value};

/// Parses one YAML document.
pub(super) fn read(text: &str, positions: &Positions<'_>) -> Result<Node, Vec<ParseError>> {
    let mut builder = Builder::new(text, positions);
    let mut result = builder.document(Parser::new_from_str(text));
    if result.is_err() && builder.misindented.is_some() {
        let mut unindented = Unindented::new(text);
        let mut reported: Vec<(usize, ParseError)> = Vec::new();
        while let (Err(error), Some(place)) = (&result, &builder.misindented) {
            if !unindented.join(place) {
                break;
            }
            reported.push((positions.byte(place.error), error.clone()));
            builder = Builder::new(text, positions);
            result = builder.document(Parser::new_from_iter(unindented.chars()));
        }
        // If the collection is never closed, its first line that is indented less is the likely mistake.
        if result.is_err()
            && let Some(open) = builder.open_bracket()
            && let Some((_, first)) = reported.into_iter().find(|&(at, _)| at > open)
        {
            result = Err(first);
        }
    }
    if let Err(error) = result {
        builder.errors.push(error);
    }
    match builder.root {
        Some(root) if builder.errors.is_empty() => Ok(root),
        _ => Err(builder.errors),
    }
}

struct Builder<'a> {
    text: &'a str,
    positions: &'a Positions<'a>,
    /// Open collections, the outermost first.
    frames: Vec<Frame>,
    /// Nodes that aliases can refer to.
    anchors: HashMap<usize, (Node, Size)>,
    /// Total size of copies for anchors and aliases so far.
    repeated: Size,
    root: Option<Node>,
    errors: Vec<ParseError>,
    /// Place of an error about indentation inside brackets.
    misindented: Option<Misindented>,
}

/// The parser's messages about a token in brackets that is indented less than the mapping around the brackets.
const MISINDENTED: [&str; 2] = [
    "invalid indentation",
    "invalid indentation in flow construct",
];

/// Collection that is not closed yet.
struct Frame {
    items: Items,
    tag: Option<TagKind>,
    anchor: usize,
    /// Span so far, including the tag.
    span: Span,
    /// Byte offset of the content.
    start: usize,
    /// Depth of its values.
    depth: usize,
}

enum Items {
    List(Vec<Node>),
    /// Mapping, with the key whose value comes next.
    Map(Map, Option<(String, Span)>),
}

/// Size of a node.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    text: usize,
    height: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, positions: &'a Positions<'a>) -> Self {
        Builder {
            text,
            positions,
            frames: Vec::new(),
            anchors: HashMap::new(),
            repeated: Size::default(),
            root: None,
            errors: Vec::new(),
            misindented: None,
        }
    }

    fn document<T: Input>(&mut self, mut parser: Parser<'_, T>) -> Result<(), ParseError> {
        let mut documents = 0;
        let mut token = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                if MISINDENTED.contains(&error.info()) {
                    let error = error.marker().index();
                    self.misindented = Some(Misindented { token, error });
                }
                self.syntax(&error)
            })?;
            token = span.start.index();
            let (start, end) = (
                self.positions.byte(span.start.index()),
                self.positions.byte(span.end.index()),
            );
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let span = self.positions.span(start, end);
                        return Err(ParseError::new(ParseErrorKind::MultipleDocuments, span));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.scalar(&text, style, anchor, tag.as_deref(), start, end)?;
                }
                Event::Alias(anchor) => self.alias(anchor, self.positions.span(start, end))?,
                Event::SequenceStart(anchor, tag) => {
                    self.open(Items::List(Vec::new()), anchor, tag.as_deref(), start)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.open(Items::Map(Map::new(), None), anchor, tag.as_deref(), start)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(start)?,
                _ => {}
            }
        }
        match self.root {
            Some(_) => Ok(()),
            None => Err(ParseError::new(
                ParseErrorKind::Empty,
                self.positions.span(0, 0),
            )),
        }
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> ParseError {
        let at = self.positions.byte(error.marker().index());
        let kind = syntax::kind(error.info(), &self.text[at..]);
        ParseError::new(kind, self.positions.span(at, at + 1))
    }

    /// Returns the byte offset of the outermost bracket that is open.
    fn open_bracket(&self) -> Option<usize> {
        let mut starts = self.frames.iter().map(|frame| frame.start);
        starts.find(|&start| matches!(self.text.as_bytes().get(start), Some(b'[' | b'{')))
    }

    /// Returns the number of collections and calls around the next value.
    fn depth(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.depth)
    }

    /// Returns true if the next node is a key of the innermost mapping.
    fn expects_key(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame {
                items: Items::Map(_, None),
                ..
            })
        )
    }

    fn check_depth(depth: usize, span: Span) -> Result<(), ParseError> {
        match depth > MAX_DEPTH {
            true => Err(ParseError::new(ParseErrorKind::TooDeep, span)),
            false => Ok(()),
        }
    }

    /// Returns the kind of a tag. An unknown tag is reported and then ignored.
    fn tag_kind(&mut self, tag: Option<&Tag>, start: usize) -> Option<TagKind> {
        match tag::kind(tag?) {
            Ok(tag_kind) => Some(tag_kind),
            Err(kind) => {
                let rest = &self.text[start..];
                let tag = rest.find('!').unwrap_or(0);
                let end = rest[tag..].find(TAG_END).unwrap_or(rest.len() - tag);
                let span = self.positions.span(start + tag, start + tag + end);
                self.errors.push(ParseError::new(kind, span));
                None
            }
        }
    }

    fn open(
        &mut self,
        items: Items,
        anchor: usize,
        tag: Option<&Tag>,
        start: usize,
    ) -> Result<(), ParseError> {
        let content = content_start(self.text, start);
        let span = self.positions.span(start, start);
        let first = self.positions.span(content, content + 1);
        if self.expects_key() {
            return Err(ParseError::new(ParseErrorKind::ComplexKey, first));
        }
        let tag = self.tag_kind(tag, start);
        let depth = self.depth() + 1 + usize::from(matches!(tag, Some(TagKind::Intrinsic(_))));
        Self::check_depth(depth, first)?;
        self.frames.push(Frame {
            items,
            tag,
            anchor,
            span,
            start: content,
            depth,
        });
        Ok(())
    }

    /// Closes the innermost collection. `end` is the offset of its closing bracket, or of the comma before it, if there
    /// is one.
    fn close(&mut self, end: usize) -> Result<(), ParseError> {
        let Some(frame) = self.frames.pop() else {
            return Ok(()); // the parser pairs its events
        };
        let has_brackets = matches!(self.text.as_bytes().get(frame.start), Some(b'[' | b'{'));
        let inner = match has_brackets.then(|| closing(self.text, end)) {
            Some(Some(end)) => self.positions.span(frame.start, end + 1),
            _ => self.positions.span(frame.start, frame.start).to(frame.span),
        };
        let (value, collection) = match frame.items {
            Items::List(items) => (Value::List(items), "seq"),
            Items::Map(map, _) => (IntrinsicCall::fold(map), "map"),
        };
        let span = frame.span.to(inner);
        let node = match frame.tag {
            Some(TagKind::Intrinsic(function)) => {
                Node::from(IntrinsicCall::new(function, Node::new(value).at(inner))).at(span)
            }
            Some(TagKind::Core(core)) if core != collection => {
                let node = Node::new(value).at(span);
                self.errors
                    .push(ParseError::new(tag::mismatch(&core, &node), span));
                node
            }
            _ => Node::new(value).at(span),
        };
        self.add(node, frame.anchor)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        start: usize,
        end: usize,
    ) -> Result<(), ParseError> {
        let content = content_start(self.text, start).min(end.max(start));
        let inner = self
            .positions
            .span(content, scalar_end(self.text, content, end, style));
        let span = self.positions.span(start, start).to(inner);
        let plain = style == ScalarStyle::Plain;
        if self.expects_key() {
            self.anchor(anchor, &Node::from(text).at(span))?;
            let tag = self.tag_kind(tag, start);
            return self.key(text, plain, tag.as_ref(), span);
        }
        if self.frames.is_empty() && tag.is_none() && plain && text.is_empty() {
            return Ok(()); // an empty document
        }
        let node = match self.tag_kind(tag, start) {
            Some(TagKind::Intrinsic(function)) => {
                Self::check_depth(self.depth() + 1, span)?;
                IntrinsicCall::new(function, Node::from(text).at(inner)).into()
            }
            Some(TagKind::NonSpecific) => Node::from(text),
            Some(TagKind::Core(core)) => match tag::cast(&core, text) {
                Ok(value) => Node::new(value),
                Err(kind) => {
                    self.errors.push(ParseError::new(kind, span));
                    Node::default()
                }
            },
            None if plain => Node::new(scalar::resolve(text)),
            None => Node::from(text),
        };
        self.add(node.at(span), anchor)
    }

    /// Uses a scalar as the key of the innermost mapping.
    fn key(
        &mut self,
        text: &str,
        plain: bool,
        tag: Option<&TagKind>,
        span: Span,
    ) -> Result<(), ParseError> {
        let untyped = match tag {
            None => plain,
            Some(TagKind::NonSpecific) => false,
            Some(TagKind::Core(core)) if core == "str" => false,
            Some(_) => return Err(ParseError::new(ParseErrorKind::ComplexKey, span)),
        };
        if untyped && scalar::is_null(text) {
            self.errors
                .push(ParseError::new(ParseErrorKind::NullKey, span));
        } else if untyped && text == "<<" {
            self.errors
                .push(ParseError::new(ParseErrorKind::MergeKey, span));
        }
        self.name(text.to_owned(), span);
        Ok(())
    }

    fn name(&mut self, key: String, span: Span) {
        if let Some(Frame {
            items: Items::Map(map, next),
            ..
        }) = self.frames.last_mut()
        {
            if let Some(first) = map.entry(&key) {
                self.errors.push(ParseError {
                    kind: ParseErrorKind::DuplicateKey(key.clone()),
                    span,
                    related: Some(first.key_span),
                });
            }
            *next = Some((key, span));
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), ParseError> {
        // The anchor of an unfinished node is not known yet.
        let Some(&(_, size)) = self.anchors.get(&anchor) else {
            return Err(ParseError::new(ParseErrorKind::RecursiveAlias, span));
        };
        self.spend(size, span)?;
        let node = self.anchors[&anchor].0.clone().at(span);
        if self.expects_key() {
            let Value::String(key) = node.value else {
                return Err(ParseError::new(ParseErrorKind::ComplexKey, span));
            };
            self.name(key, span);
            return Ok(());
        }
        Self::check_depth(self.depth() + size.height, span)?;
        self.add(node, 0)
    }

    /// Stores a finished node for the aliases of its anchor, if it has one.
    fn anchor(&mut self, anchor: usize, node: &Node) -> Result<(), ParseError> {
        if anchor > 0 {
            let size = size(node);
            self.spend(size, node.span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(())
    }

    /// Counts a node before it is copied.
    fn spend(&mut self, size: Size, span: Span) -> Result<(), ParseError> {
        self.repeated.nodes += size.nodes;
        self.repeated.text += size.text;
        match self.repeated.nodes > MAX_ALIAS_NODES || self.repeated.text > MAX_BYTES {
            true => Err(ParseError::new(ParseErrorKind::AliasExpansion, span)),
            false => Ok(()),
        }
    }

    /// Adds a finished node to the innermost collection.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), ParseError> {
        self.anchor(anchor, &node)?;
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.span = frame.span.to(node.span);
        match &mut frame.items {
            Items::List(items) => items.push(node),
            Items::Map(map, next) => {
                // Two equal keys are an error; keep the first.
                if let Some((key, key_span)) = next.take()
                    && map.entry(&key).is_none()
                {
                    map.insert_entry(key, Entry { key_span, node });
                }
            }
        }
        Ok(())
    }
}

/// Characters that end a tag or an anchor.
const TAG_END: [char; 7] = [' ', '\t', '\r', '\n', ',', ']', '}'];

/// Returns the offset of a node's content, after its tag and anchor. These can be on separate lines.
fn content_start(text: &str, start: usize) -> usize {
    let mut rest = &text[start..];
    while rest.starts_with(['!', '&']) {
        let end = rest.find(TAG_END);
        rest = end.map_or("", |end| rest[end..].trim_start());
        while rest.starts_with('#') {
            rest = rest.find('\n').map_or("", |end| rest[end..].trim_start());
        }
    }
    text.len() - rest.len()
}

/// Returns the offset of a closing bracket, if only a comma, blanks and comments precede it.
fn closing(text: &str, start: usize) -> Option<usize> {
    let mut rest = text[start..].trim_start_matches(',').trim_start();
    while rest.starts_with('#') {
        rest = rest[rest.find('\n')?..].trim_start();
    }
    rest.starts_with([']', '}'])
        .then(|| text.len() - rest.len())
}

/// Returns the offset of the end of a scalar. The parser's spans include blanks and comments after quoted and block
/// scalars.
fn scalar_end(text: &str, start: usize, end: usize, style: ScalarStyle) -> usize {
    let end = end.max(start);
    let whole = &text[start..end];
    let length = match style {
        ScalarStyle::Plain => whole.len(),
        ScalarStyle::Literal | ScalarStyle::Folded => whole.trim_end().len(),
        ScalarStyle::SingleQuoted => quoted_length(whole, b'\'', b'\''),
        ScalarStyle::DoubleQuoted => quoted_length(whole, b'"', b'\\'),
    };
    start + length
}

/// Returns the length of the quoted string at the start of a text. `escape` makes the following quote part of the
/// string.
fn quoted_length(text: &str, quote: u8, escape: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        let escapes = bytes[at] == escape && (escape != quote || bytes.get(at + 1) == Some(&quote));
        match bytes[at] {
            _ if escapes => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The recursion is bounded, because the depth of nodes is.
fn size(node: &Node) -> Size {
    let children = match &node.value {
        Value::List(items) => items.iter().map(size).collect::<Vec<_>>(),
        Value::Map(map) => map.iter().map(|(_, node)| size(node)).collect(),
        Value::Call(call) => vec![size(&call.argument)],
        Value::String(text) => {
            return Size {
                nodes: 1,
                text: text.len(),
                height: 0,
            };
        }
        _ => Vec::new(),
    };
    let keys = node
        .as_map()
        .map_or(0, |map| map.keys().map(str::len).sum());
    let is_scalar = matches!(
        node.value,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_)
    );
    Size {
        nodes: 1 + children.iter().map(|child| child.nodes).sum::<usize>(),
        text: keys + children.iter().map(|child| child.text).sum::<usize>(),
        height: usize::from(!is_scalar)
            + children.iter().map(|child| child.height).max().unwrap_or(0),
    }
}
