//! An input, made from a seed and a number.

use fastrand::Rng;

use crate::origins::{Kind, Origin, origins};
use crate::{change, extreme, text, transplant};

/// The longest text that changes of a tree may lead to, in bytes.
const LONGEST: usize = 256 * 1024;

/// A mutated file.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) seed: u64,
    pub(crate) index: u64,
    pub(crate) origin: &'static Origin,
    pub(crate) mutation: Mutation,
    pub(crate) bytes: Vec<u8>,
}

/// Kind of change to a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mutation {
    /// Keys got values that they have in other files.
    Transplant,
    /// Parts of its tree were removed, doubled, wrapped or replaced.
    Tree,
    /// Lines were removed, doubled, moved, indented, or taken from another file.
    Lines,
    /// Bytes were removed, changed or inserted.
    Bytes,
    /// Something was made very deep, long or frequent.
    Extreme,
}

impl Input {
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        let mut random = random(seed, index);
        let kind = match random.u8(..5) {
            0 | 1 => Kind::Spec,
            _ => Kind::Template,
        };
        let of_kind = origins(kind);
        let origin = &of_kind[random.usize(..of_kind.len())];
        let other = &of_kind[random.usize(..of_kind.len())];
        let random = &mut random;
        let (mutation, changed) = match random.u8(..12) {
            0..=4 => {
                let changed = transplant::change(&origin.text, kind, random);
                (Mutation::Transplant, changed)
            }
            5 | 6 => {
                let changed = change::changed(&origin.text, LONGEST, random);
                (Mutation::Tree, changed)
            }
            7 | 8 => {
                let changed = text::change_lines(&origin.text, &other.text, random);
                (Mutation::Lines, Some(changed))
            }
            9 => {
                let changed = extreme::change(&origin.text, random);
                (Mutation::Extreme, Some(changed))
            }
            _ => (Mutation::Bytes, None),
        };
        // Files that are no document have only bytes that can change.
        let (mutation, bytes) = match changed {
            Some(changed) => (mutation, changed.into_bytes()),
            None => (Mutation::Bytes, text::change_bytes(&origin.text, random)),
        };
        Input {
            seed,
            index,
            origin,
            mutation,
            bytes,
        }
    }

    /// Random choices apart from those that the input is made with, such as options of a command.
    pub(crate) fn choices(&self) -> Rng {
        random(!self.seed, self.index)
    }
}

/// A generator for each input, so that one can be made again without those before it.
fn random(seed: u64, index: u64) -> Rng {
    // A constant of the golden ratio spreads neighbouring numbers.
    Rng::with_seed(seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_number_make_the_same_input_again() {
        let inputs = |seed| (0..60).map(move |index| Input::new(seed, index).bytes);
        assert!(inputs(7).eq(inputs(7)));
        assert!(inputs(7).ne(inputs(8)));
    }

    #[test]
    fn an_input_is_another_text_than_its_file() {
        let changed = (0..60).filter(|index| {
            let input = Input::new(7, *index);
            input.bytes != input.origin.text.as_bytes()
        });
        assert!(changed.count() > 50);
    }
}
