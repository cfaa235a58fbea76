//! Tokens: characters that stand for values which only AWS knows.
//!
//! A reference to a resource is such a character in the text of an expression, so that all functions of text handle it
//! like any other. The converter replaces tokens by `Ref` and `Fn::GetAtt`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use stackgen_cfn::{Node, get_att, join, r#ref};

use crate::address::address_of_block;

/// First character of the private use area of plane 15.
const FIRST: u32 = 0xF_0000;

/// Meaning of a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TokenMeaning {
    /// A resource of the template, or an attribute of one.
    Reference {
        /// Logical ID.
        id: String,
        /// Attribute of `Fn::GetAtt`; `None` for `Ref`.
        attribute: Option<String>,
    },
    /// A pseudo parameter, such as `AWS::Region`.
    Pseudo(&'static str),
    /// A value that the configuration does not determine: a parameter of the template.
    Unknown(String),
}

/// All tokens of a configuration.
#[derive(Debug, Default)]
pub(crate) struct TokenTable {
    tokens: RefCell<Vec<TokenEntry>>,
    characters: RefCell<BTreeMap<TokenMeaning, char>>,
}

#[derive(Debug)]
struct TokenEntry {
    meaning: TokenMeaning,
    /// Equal text with other tokens, for functions that read the text.
    text: Option<String>,
}

impl TokenTable {
    /// Returns the token with a meaning. `text` is an equal text, such as the literal name of a resource.
    pub(crate) fn token(&self, meaning: TokenMeaning, text: Option<String>) -> char {
        let known = self.characters.borrow().get(&meaning).copied();
        if let Some(known) = known {
            let index = self.index(known);
            let mut tokens = self.tokens.borrow_mut();
            if let Some(entry) = index.and_then(|index| tokens.get_mut(index))
                && entry.text.is_none()
            {
                entry.text = text;
            }
            return known;
        }
        let mut tokens = self.tokens.borrow_mut();
        let index = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        // More than 65,000 tokens share the last character, which then is unknown.
        let character = FIRST
            .checked_add(index)
            .and_then(char::from_u32)
            .unwrap_or('\u{10_FFFD}');
        tokens.push(TokenEntry {
            meaning: meaning.clone(),
            text,
        });
        self.characters.borrow_mut().insert(meaning, character);
        character
    }

    /// Returns the token of an unknown value.
    pub(crate) fn unknown(&self, name: impl Into<String>) -> char {
        self.token(TokenMeaning::Unknown(name.into()), None)
    }

    /// Returns the token of a reference, as text.
    pub(crate) fn reference(
        &self,
        id: &str,
        attribute: Option<&str>,
        text: Option<String>,
    ) -> String {
        let meaning = TokenMeaning::Reference {
            id: id.to_owned(),
            attribute: attribute.map(str::to_owned),
        };
        self.token(meaning, text).to_string()
    }

    /// Returns the token of a pseudo parameter, as text.
    pub(crate) fn pseudo(&self, name: &'static str) -> String {
        self.token(TokenMeaning::Pseudo(name), None).to_string()
    }

    /// Returns true if a text contains a token.
    pub(crate) fn has_token(&self, text: &str) -> bool {
        text.chars()
            .any(|character| self.index(character).is_some())
    }

    /// Returns true if a character is a token whose value can contain a letter.
    pub(crate) fn may_contain(&self, token: char, letter: char) -> bool {
        let Some(meaning) = self.meaning(token) else {
            return false;
        };
        let is_in_names = letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        match meaning {
            TokenMeaning::Pseudo(_) => is_in_names,
            TokenMeaning::Reference {
                id,
                attribute: None,
            } => is_in_names || !is_referred_to_by_name(&id),
            _ => true,
        }
    }

    /// Returns the meaning of a character that is a token.
    pub(crate) fn meaning(&self, character: char) -> Option<TokenMeaning> {
        let index = self.index(character)?;
        let tokens = self.tokens.borrow();
        tokens.get(index).map(|entry| entry.meaning.clone())
    }

    fn index(&self, character: char) -> Option<usize> {
        let index = u32::from(character).checked_sub(FIRST)? as usize;
        (index < self.tokens.borrow().len()).then_some(index)
    }

    /// Returns the text with tokens replaced by equal texts, as far as these are known.
    pub(crate) fn expand(&self, text: &str) -> String {
        /// Texts of tokens contain tokens of names at most.
        const DEEPEST: usize = 8;
        let mut text = text.to_owned();
        for _ in 0..DEEPEST {
            let tokens = self.tokens.borrow();
            let expanded: String = text
                .chars()
                .map(
                    |character| match self.index(character).and_then(|index| tokens.get(index)) {
                        Some(TokenEntry {
                            text: Some(equal), ..
                        }) => equal.clone(),
                        _ => character.to_string(),
                    },
                )
                .collect();
            if expanded == text {
                break;
            }
            text = expanded;
        }
        text
    }

    /// Returns the text with tokens in words, for messages and digests.
    pub(crate) fn describe(&self, text: &str) -> String {
        let words = text.chars().map(|character| match self.meaning(character) {
            None => character.to_string(),
            Some(TokenMeaning::Reference {
                id,
                attribute: Some(attribute),
            }) => format!("${{{id}.{attribute}}}"),
            Some(TokenMeaning::Reference { id: name, .. } | TokenMeaning::Unknown(name)) => {
                format!("${{{name}}}")
            }
            Some(TokenMeaning::Pseudo(name)) => format!("${{{name}}}"),
        });
        words.collect()
    }

    /// Returns a text as a node of the template.
    pub(crate) fn node(&self, text: &str) -> Node {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        for character in text.chars() {
            let Some(meaning) = self.meaning(character) else {
                literal.push(character);
                continue;
            };
            if !literal.is_empty() {
                pieces.push(Node::from(std::mem::take(&mut literal)));
            }
            pieces.push(match meaning {
                TokenMeaning::Reference {
                    id,
                    attribute: Some(attribute),
                } => get_att(id, attribute),
                TokenMeaning::Reference { id, .. } => r#ref(id),
                TokenMeaning::Pseudo(name) => r#ref(name),
                TokenMeaning::Unknown(name) => r#ref(name),
            });
        }
        if pieces.is_empty() {
            return Node::from(literal);
        }
        if !literal.is_empty() {
            pieces.push(Node::from(literal));
        }
        match pieces.len() {
            1 => pieces.remove(0),
            _ => join("", pieces),
        }
    }

    /// Returns the names of unknown values in a text.
    pub(crate) fn unknowns(&self, text: &str) -> Vec<String> {
        let names = text
            .chars()
            .filter_map(|character| match self.meaning(character)? {
                TokenMeaning::Unknown(name) => Some(name),
                _ => None,
            });
        names.collect()
    }
}

/// Returns true if a text can contain a token: no file of a configuration contains these characters.
pub(crate) fn may_have_token(text: &str) -> bool {
    text.chars().any(|character| u32::from(character) >= FIRST)
}

/// Returns true if `Ref` of a resource is a name or an ID, and not an ARN or a URL.
fn is_referred_to_by_name(id: &str) -> bool {
    const KINDS: [&str; 7] = [
        "aws_apigatewayv2_api",
        "aws_apigatewayv2_stage",
        "aws_dynamodb_table",
        "aws_iam_role",
        "aws_kinesis_stream",
        "aws_lambda_function",
        "aws_s3_bucket",
    ];
    let block = address_of_block(id);
    let kind = block.rsplit('.').nth(1);
    kind.is_some_and(|kind| KINDS.contains(&kind))
}
