//! Text that may contain references and unknown parts.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Unknown, UnknownReason};
use crate::LogicalId;

/// Text with parts that may be unknown until the stack exists. Adjacent literals are one piece and no literal is empty,
/// so equal texts have equal pieces. The empty text has no pieces. Equality compares the pieces only.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pieces: Vec<Piece>,
    /// True if a part comes from a `NoEcho` parameter.
    hidden: bool,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Known text.
    Literal(String),
    /// A resource of this template, or an attribute of one.
    Reference(Reference),
    /// A pseudo parameter without a given value.
    Pseudo(Pseudo),
    /// Unknown text.
    Unknown(Unknown),
}

/// A `Ref` (without an attribute) or `GetAtt` of a resource. An attribute that returns the same value as
/// `Ref`, such as `Api.ApiId`, is read as `Ref`, so that both spellings are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Reference {
    /// The resource.
    pub logical_id: LogicalId,
    /// The attribute; `None` for `Ref`.
    pub attribute: Option<String>,
}

macro_rules! pseudo {
    ($($variant:ident)*) => {
        /// A pseudo parameter such as `AWS::Region`, except `AWS::NoValue`.
        #[expect(missing_docs, reason = "their names are AWS's own")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Pseudo { $($variant,)* }

        impl Pseudo {
            /// Returns the name as templates write it.
            pub fn name(self) -> &'static str {
                match self { $(Pseudo::$variant => concat!("AWS::", stringify!($variant)),)* }
            }

            /// Returns the pseudo parameter of a name.
            pub fn from_name(name: &str) -> Option<Pseudo> {
                match name { $(concat!("AWS::", stringify!($variant)) => Some(Pseudo::$variant),)* _ => None }
            }
        }
    };
}

pseudo! { AccountId NotificationARNs Partition Region StackId StackName URLSuffix }

impl Text {
    /// Returns the empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns known text.
    pub fn literal(text: impl Into<String>) -> Self {
        Self::from(Piece::Literal(text.into()))
    }

    /// True if a part comes from a `NoEcho` parameter and must not be shown.
    pub fn is_hidden(&self) -> bool {
        let hides = |piece: &Piece| matches!(piece, Piece::Unknown(unknown) if unknown.hidden);
        self.hidden || self.pieces.iter().any(hides)
    }

    /// Marks the text as coming from a `NoEcho` parameter if `hidden` is true.
    #[must_use]
    pub(crate) fn hide(mut self, hidden: bool) -> Self {
        self.hidden |= hidden;
        self
    }

    /// Returns the pieces in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Returns the text, if all of it is known.
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the reference, if the text consists of only one.
    pub fn as_reference(&self) -> Option<&Reference> {
        match self.pieces.as_slice() {
            [Piece::Reference(reference)] => Some(reference),
            _ => None,
        }
    }

    /// Returns the first unknown part.
    pub fn unknown(&self) -> Option<&Unknown> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Unknown(unknown) => Some(unknown),
            _ => None,
        })
    }

    /// Returns the references.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Reference(reference) => Some(reference),
            _ => None,
        })
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (_, Piece::Literal(text)) if text.is_empty() => {}
            (Some(Piece::Literal(last)), Piece::Literal(text)) => last.push_str(&text),
            (_, piece) => self.pieces.push(piece),
        }
    }

    /// Appends a text.
    pub fn append(&mut self, other: Text) {
        self.hidden |= other.hidden;
        for piece in other.pieces {
            self.push(piece);
        }
    }

    /// Splits the text at the first known occurrence of `needle`.
    pub fn split_once(&self, needle: &str) -> Option<(Text, Text)> {
        let (index, before, after) =
            self.pieces.iter().enumerate().find_map(|(index, piece)| {
                let Piece::Literal(text) = piece else {
                    return None;
                };
                let (before, after) = text.split_once(needle)?;
                Some((index, before, after))
            })?;
        let mut left: Text = self.pieces[..index].iter().cloned().collect();
        left.push(Piece::Literal(before.to_owned()));
        let mut right = Text::literal(after);
        right.append(self.pieces[index + 1..].iter().cloned().collect());
        Some((left.hide(self.hidden), right.hide(self.hidden)))
    }

    /// Removes a known prefix.
    pub fn strip_prefix(&self, prefix: &str) -> Option<Text> {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => {
                let mut stripped = Text::literal(text.strip_prefix(prefix)?);
                stripped.append(self.pieces[1..].iter().cloned().collect());
                Some(stripped.hide(self.hidden))
            }
            _ => None,
        }
    }

    /// Removes a known suffix.
    pub fn strip_suffix(&self, suffix: &str) -> Option<Text> {
        let (Piece::Literal(text), rest) = self.pieces.split_last()? else {
            return None;
        };
        let mut stripped: Text = rest.iter().cloned().collect();
        stripped.push(Piece::Literal(text.strip_suffix(suffix)?.to_owned()));
        Some(stripped.hide(self.hidden))
    }

    /// Returns its approximate size in bytes when written.
    pub(crate) fn weight(&self) -> usize {
        let weight = |piece: &Piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Unknown(unknown) => 64 + unknown.expression.len(),
            _ => 64,
        };
        self.pieces.iter().map(weight).sum()
    }

    /// Replaces every `{{resolve:…}}`, which may span several pieces, by an unknown.
    pub(crate) fn with_dynamic_references(self, span: stackgen_cfn::Span) -> Text {
        const OPEN: &str = "{{resolve:";
        // Most texts have none. Looking for one byte is much cheaper than looking for a text.
        let opens = |piece: &Piece| matches!(piece, Piece::Literal(text) if text.contains('{') && text.contains(OPEN));
        if !self.pieces.iter().any(opens) {
            return self;
        }
        let hidden = self.hidden;
        let mut done = Text::new().hide(hidden);
        let mut open: Option<Text> = None;
        for piece in self.pieces {
            let Piece::Literal(text) = piece else {
                open.as_mut().unwrap_or(&mut done).push(piece);
                continue;
            };
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let mark = if open.is_some() { "}}" } else { OPEN };
                let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
                let found = before.len() < rest.len();
                rest = after;
                open.as_mut()
                    .unwrap_or(&mut done)
                    .push(Piece::Literal(before.to_owned()));
                if !found {
                    continue;
                }
                open = match open.take() {
                    None => Some(Text::literal(OPEN)),
                    Some(inside) => {
                        let expression = format!("{inside}}}}}");
                        let unknown =
                            Unknown::new(UnknownReason::DynamicReference, span, expression)
                                .hide(hidden || inside.is_hidden());
                        done.push(Piece::Unknown(unknown));
                        None
                    }
                };
            }
        }
        if let Some(never_closed) = open {
            done.append(never_closed);
        }
        done
    }
}

impl From<Piece> for Text {
    fn from(piece: Piece) -> Self {
        let mut text = Text::new();
        text.push(piece);
        text
    }
}

impl FromIterator<Piece> for Text {
    fn from_iter<I: IntoIterator<Item = Piece>>(pieces: I) -> Self {
        let mut text = Text::new();
        for piece in pieces {
            text.push(piece);
        }
        text
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            None => write!(f, "${{{}}}", self.logical_id),
            Some(attribute) => write!(f, "${{{}.{attribute}}}", self.logical_id),
        }
    }
}

/// The argument of a `Sub`. An unknown is `${?expression}`.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => f.write_str(&text.replace("${", "${!"))?,
                Piece::Reference(reference) => reference.fmt(f)?,
                Piece::Pseudo(pseudo) => write!(f, "${{{}}}", pseudo.name())?,
                Piece::Unknown(unknown) => write!(f, "${{?{}}}", unknown.expression)?,
            }
        }
        Ok(())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
