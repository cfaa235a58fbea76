//! Decides whether a pattern of a policy or permission matches an ARN, although parts of both may be unknown.

use stackgen_model::{LogicalId, Model, Piece, Pseudo, Reference, Text};

/// Maximum length of patterns and ARNs that are compared. IAM accepts no longer ones.
const MAX_LENGTH: usize = 2048;

/// Result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// Matches for all values of the unknown parts.
    Yes,
    /// Matches for no values of the unknown parts.
    No,
    /// Depends on the unknown parts.
    Unknown,
}

/// Compares a pattern with an ARN. `*` stands for any text, including slashes, and `?` for any character, as in IAM.
///
/// A reference counts as one word without `/`, `:` and `$` if its resource type guarantees that. Two resources of one
/// type count as having different IDs. A stage's reference is the stage's name.
pub(crate) fn matches(model: &Model, pattern: &Text, arn: &Text) -> Match {
    compare(model, pattern, arn, false)
}

/// Returns true if the pattern matches the ARN for all values of the unknown parts: [`Match::Yes`] of [`matches`].
pub(crate) fn surely_matches(model: &Model, pattern: &Text, arn: &Text) -> bool {
    compare(model, pattern, arn, true) == Match::Yes
}

/// Compares a pattern with an ARN. If only a sure match counts, the result may be [`Match::No`] for [`Match::Unknown`].
fn compare(model: &Model, pattern: &Text, arn: &Text, only_sure: bool) -> Match {
    if pattern.as_literal() == Some("*") {
        return Match::Yes;
    }
    let (pattern, arn) = (
        with_stage_names(model, pattern),
        with_stage_names(model, arn),
    );
    let (pattern, arn) = (tokens(&pattern, true), tokens(&arn, false));
    if pattern.len() > MAX_LENGTH || arn.len() > MAX_LENGTH {
        return Match::Unknown;
    }
    let Some((pattern, arn)) = differing(&pattern, &arn) else {
        return Match::No;
    };
    let comparison = |sure| Comparison { model, sure };
    if comparison(true).matches(pattern, arn) {
        Match::Yes
    } else if !only_sure && comparison(false).matches(pattern, arn) {
        Match::Unknown
    } else {
        Match::No
    }
}

/// Returns `arn:{partition}:execute-api:{region}:{account}:{api}/{path}` for an API of the template, in the stack's
/// region and account.
pub(crate) fn execute_api(api: &LogicalId, path: Text) -> Text {
    let api = Piece::Reference(Reference {
        logical_id: api.clone(),
        attribute: None,
    });
    execute_api_of(api, path)
}

/// Returns the same for an API whose ID is any piece of text.
pub(crate) fn execute_api_of(api: Piece, path: Text) -> Text {
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let pieces = [
        literal("arn:"),
        Piece::Pseudo(Pseudo::Partition),
        literal(":execute-api:"),
        Piece::Pseudo(Pseudo::Region),
        literal(":"),
        Piece::Pseudo(Pseudo::AccountId),
        literal(":"),
        api,
        literal("/"),
    ];
    let mut arn: Text = pieces.into_iter().collect();
    arn.append(path);
    arn
}

/// Replaces references to stages by the stages' names.
pub(crate) fn with_stage_names(model: &Model, text: &Text) -> Text {
    let mut named = Text::new();
    for piece in text.pieces() {
        match stage_name(model, piece) {
            Some(name) => named.append(name),
            None => named.push(piece.clone()),
        }
    }
    named
}

fn stage_name(model: &Model, piece: &Piece) -> Option<Text> {
    let Piece::Reference(reference) = piece else {
        return None;
    };
    let stage = model.resource(&reference.logical_id)?;
    let is_name = stage.kind == STAGE && reference.attribute.is_none();
    is_name.then(|| stage.properties.text("StageName"))?
}

const STAGE: &str = "AWS::ApiGatewayV2::Stage";

/// One element of a pattern or of an ARN.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ArnToken<'a> {
    Char(char),
    /// `*`
    Any,
    /// `?`
    One,
    /// Text that is unknown until the stack exists.
    Later(&'a Piece),
    /// A policy variable: `${aws:PrincipalTag/team}`.
    PolicyVariable,
}

fn tokens(text: &Text, pattern: bool) -> Vec<ArnToken<'_>> {
    let mut tokens = Vec::new();
    for piece in text.pieces() {
        match piece {
            Piece::Literal(text) if pattern => pattern_tokens(text, &mut tokens),
            Piece::Literal(text) => tokens.extend(text.chars().map(ArnToken::Char)),
            piece => tokens.push(ArnToken::Later(piece)),
        }
    }
    tokens
}

fn pattern_tokens(text: &str, tokens: &mut Vec<ArnToken<'_>>) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = rest
            .strip_prefix("${")
            .and_then(|rest| rest.split_once('}'))
        {
            tokens.push(match name {
                "*" => ArnToken::Char('*'),
                "?" => ArnToken::Char('?'),
                "$" => ArnToken::Char('$'),
                _ => ArnToken::PolicyVariable,
            });
            rest = after;
            continue;
        }
        tokens.push(match c {
            '*' => ArnToken::Any,
            '?' => ArnToken::One,
            c => ArnToken::Char(c),
        });
        rest = &rest[c.len_utf8()..];
    }
}

/// Removes the common beginning and end. Returns `None` if known characters differ there, as in most comparisons.
fn differing<'t, 'a>(
    mut pattern: &'t [ArnToken<'a>],
    mut arn: &'t [ArnToken<'a>],
) -> Option<(&'t [ArnToken<'a>], &'t [ArnToken<'a>])> {
    use ArnToken::{Any, Char, One, PolicyVariable};
    while let ([part, pattern_rest @ ..], [token, arn_rest @ ..]) = (pattern, arn) {
        match (part, token) {
            (Any | One | PolicyVariable, _) => break,
            (part, token) if part == token => (pattern, arn) = (pattern_rest, arn_rest),
            (Char(_), Char(_)) => return None,
            _ => break,
        }
    }
    while let ([pattern_rest @ .., part], [arn_rest @ .., token]) = (pattern, arn) {
        match (part, token) {
            (Any | One | PolicyVariable, _) => break,
            (part, token) if part == token => (pattern, arn) = (pattern_rest, arn_rest),
            (Char(_), Char(_)) => return None,
            _ => break,
        }
    }
    Some((pattern, arn))
}

/// Rules of a comparison. If `sure`, unknown parts match only what they match with any value; otherwise, what they may
/// match.
struct Comparison<'a> {
    model: &'a Model,
    sure: bool,
}

impl Comparison<'_> {
    /// Fills a table from the end: `row[j]` is true if the rest of the pattern matches the ARN from `j`.
    fn matches(&self, pattern: &[ArnToken<'_>], arn: &[ArnToken<'_>]) -> bool {
        if self.begin_differently(pattern, arn) {
            return false;
        }
        let mut below: Vec<bool> = (0..=arn.len())
            .map(|from| arn[from..].iter().all(|token| self.may_be_empty(token)))
            .collect();
        for part in pattern.iter().rev() {
            let mut row = vec![false; arn.len() + 1];
            for at in (0..=arn.len()).rev() {
                let skipped = self.may_be_empty(part) && below[at];
                row[at] = skipped
                    || arn.get(at).is_some_and(|token| {
                        let both = below[at + 1];
                        (matches_one(part, token) && both)
                            || (self.may_contain(part, token) && (row[at + 1] || both))
                            || (self.may_contain(token, part) && (below[at] || both))
                            || (self.may_be_empty(token) && row[at + 1])
                    });
            }
            below = row;
        }
        below[0]
    }

    /// Returns true if both begin with a token that stands for one element only, and for another one. Then, as in most
    /// comparisons, nothing else needs to be compared.
    fn begin_differently(&self, pattern: &[ArnToken<'_>], arn: &[ArnToken<'_>]) -> bool {
        let is_open = |token| self.may_be_empty(token);
        match (pattern.first(), arn.first()) {
            (Some(part), Some(token)) if !is_open(part) && !is_open(token) => {
                !matches_one(part, token)
                    && !self.may_contain(part, token)
                    && !self.may_contain(token, part)
            }
            _ => false,
        }
    }

    fn may_be_empty(&self, token: &ArnToken<'_>) -> bool {
        match token {
            ArnToken::Any => true,
            ArnToken::PolicyVariable | ArnToken::Later(Piece::Unknown(_)) => !self.sure,
            _ => false,
        }
    }

    /// Returns true if a token that stands for several characters may contain a part.
    fn may_contain(&self, token: &ArnToken<'_>, part: &ArnToken<'_>) -> bool {
        match (token, part) {
            (ArnToken::Any, _) => true,
            _ if self.sure => false,
            (ArnToken::PolicyVariable, _) => true,
            (ArnToken::Later(piece), ArnToken::Char(c)) => {
                c.is_ascii_alphanumeric() || "-_.".contains(*c) || !self.is_word(piece)
            }
            (ArnToken::Later(piece), ArnToken::Later(other)) => !self.differ(piece, other),
            (ArnToken::Later(_), _) => true,
            (ArnToken::Char(_) | ArnToken::One, _) => false,
        }
    }

    /// Returns true if a piece only stands for letters, digits, `-`, `_` and `.`.
    fn is_word(&self, piece: &Piece) -> bool {
        match piece {
            Piece::Literal(_) | Piece::Unknown(_) => false,
            Piece::Pseudo(pseudo) => !matches!(pseudo, Pseudo::StackId | Pseudo::NotificationARNs),
            Piece::Reference(reference) => {
                reference.attribute.is_none() && {
                    let kind = self.kind(reference);
                    ["AWS::Lambda::Function", "AWS::DynamoDB::Table"].contains(&kind)
                        || kind.starts_with("AWS::ApiGatewayV2::")
                }
            }
        }
    }

    /// Returns true if two pieces always stand for different text.
    fn differ(&self, one: &Piece, other: &Piece) -> bool {
        match (one, other) {
            (Piece::Pseudo(one), Piece::Pseudo(other)) => one != other,
            (Piece::Reference(one), Piece::Reference(other)) => {
                let kind = self.kind(one);
                one.logical_id != other.logical_id
                    && one.attribute == other.attribute
                    && kind == self.kind(other)
                    && kind != STAGE
                    && kind.starts_with("AWS::")
            }
            _ => false,
        }
    }

    fn kind(&self, reference: &Reference) -> &str {
        let resource = self.model.resource(&reference.logical_id);
        resource.map_or("", |resource| resource.kind.as_str())
    }
}

/// Returns true if an element of the pattern stands for exactly this element of the ARN.
fn matches_one(part: &ArnToken<'_>, token: &ArnToken<'_>) -> bool {
    match (part, token) {
        (ArnToken::One, ArnToken::Char(_)) => true,
        (part, token) => part == token,
    }
}

#[cfg(test)]
mod tests {
    use stackgen_cfn::Sources;
    use stackgen_model::Inputs;

    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Word: {Type: String}
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}
  Other: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: prod}}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: f}}
  Patterns: {Type: X, Properties: {Text: !Sub '";

    fn matched(pattern: &str) -> Match {
        let mut sources = Sources::new();
        let source = sources.add("t", format!("{TEMPLATE}{pattern}'}}}}\n"));
        let template = stackgen_cfn::parse(source).unwrap();
        let model = Model::from_template(&template, &Inputs::none());
        let resource = model.resource(&LogicalId::new("Patterns")).unwrap();
        let pattern = resource.properties.text("Text").unwrap();
        let path = Text::literal("prod/POST/@connections/id");
        let arn = execute_api(&LogicalId::new("Api"), path);
        matches(&model, &pattern, &arn)
    }

    const BASE: &str = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:";

    #[test]
    fn a_star_matches_slashes() {
        for path in [
            "${Api}/*",
            "${Api}/*/@connections/*",
            "${Api}/prod/POST/@connections/*",
            "${Api}/${Stage}/POST/@connections/*",
            "${Api}/*/*/@connections/*",
            "${Api}/pro?/*",
            "*/@connections/*",
            "*",
        ] {
            assert_eq!(matched(&format!("{BASE}{path}")), Match::Yes, "{path}");
        }
        assert_eq!(matched("*"), Match::Yes);
        assert_eq!(matched("arn:*:execute-api:*:*:*/*"), Match::Yes);
    }

    #[test]
    fn wrong_shapes_match_no_connection() {
        for path in [
            "${Api}",
            "${Api}/@connections/*",
            "${Api}/${Stage}/@connections/*",
            "${Api}/prod/GET/@connections/*",
            "${Api}/prod/POST/connections/*",
            "${Other}/*",
            "${Other}/prod/POST/@connections/*",
            "/${Api}/*",
            "abc/dev/*",
        ] {
            assert_eq!(matched(&format!("{BASE}{path}")), Match::No, "{path}");
        }
        for pattern in [
            "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/*",
            "arn:aws:apigateway:${AWS::Region}::/apis/${Api}/*",
            "arn:aws:execute-api:${AWS::Region}:${Api}/*",
            "${Api}",
        ] {
            assert_eq!(matched(pattern), Match::No, "{pattern}");
        }
    }

    #[test]
    fn unknown_parts_may_match() {
        for path in [
            "${Word}/*",
            "${Word}",
            "abcdefghij/*",
            "${Api}/${Word}/POST/@connections/*",
            "${Api}/${Word}POST/@connections/*",
            "${Api}/${!aws:PrincipalTag/stage}/*",
        ] {
            assert_eq!(matched(&format!("{BASE}{path}")), Match::Unknown, "{path}");
        }
        for pattern in [
            "${Word}",
            "arn:aws:execute-api:eu-west-1:123456789012:${Api}/*",
            "arn:aws:${Word}/@connections/*",
            "${Version}",
        ] {
            assert_eq!(matched(pattern), Match::Unknown, "{pattern}");
        }
    }

    #[test]
    fn a_very_long_pattern_is_not_compared() {
        assert_eq!(matched(&"a*".repeat(MAX_LENGTH)), Match::Unknown);
    }
}
