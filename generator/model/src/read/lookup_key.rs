//! Keys by which readers look up texts and links.

use crate::{Link, Piece, Text};

/// Returns a key that is equal for equal texts, and rarely for others.
pub(super) fn key(text: &Text) -> String {
    let mut key = text.to_string();
    for piece in text.pieces() {
        if let Piece::Unknown(unknown) = piece {
            key.push_str(&unknown.reason.to_string());
        }
    }
    key
}

/// Returns a key that is equal for equal links.
pub(super) fn link_key(link: &Link) -> String {
    match link {
        Link::To(id) => id.to_string(),
        Link::External(text) => key(text),
        Link::Unknown(unknown) => key(&Text::from(Piece::Unknown(unknown.clone()))),
        Link::Missing => String::new(),
    }
}
