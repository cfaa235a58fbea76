//! Whether a pattern of a policy or of a permission matches an ARN, where neither needs to be known as a whole.

use stackgen_model::{LogicalId, Model, Piece, Pseudo, Reference, Text};

/// Patterns and ARNs longer than this are not compared: IAM takes none.
const LONGEST: usize = 2048;

/// Whether a pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// Whatever the unknown parts turn out to be.
    Yes,
    /// Whatever they turn out to be.
    No,
    /// It depends on them.
    Unknown,
}

/// Whether a pattern, in which `*` stands for any text and `?` for any character, matches an ARN. As IAM has it, a `*`
/// reaches over slashes. What a reference stands for is taken to be one word, without `/`, `:` and `$`, where its type says so,
/// and two resources of one type are taken to have different ids; a stage's reference is the stage's name.
pub(crate) fn matches(model: &Model, pattern: &Text, arn: &Text) -> Match {
    if pattern.as_literal() == Some("*") {
        return Match::Yes;
    }
    let (pattern, arn) = (
        with_stage_names(model, pattern),
        with_stage_names(model, arn),
    );
    let (pattern, arn) = (tokens(&pattern, true), tokens(&arn, false));
    if pattern.len() > LONGEST || arn.len() > LONGEST {
        return Match::Unknown;
    }
    let Some((pattern, arn)) = differing(&pattern, &arn) else {
        return Match::No;
    };
    let comparison = |sure| Comparison { model, sure };
    if comparison(true).matches(pattern, arn) {
        Match::Yes
    } else if comparison(false).matches(pattern, arn) {
        Match::Unknown
    } else {
        Match::No
    }
}

/// `arn:{partition}:execute-api:{region}:{account}:{api}/{path}` for an api of the template, in the stack's own region and
/// account.
pub(crate) fn execute_api(api: &LogicalId, path: Text) -> Text {
    let api = Piece::Reference(Reference {
        logical_id: api.clone(),
        attribute: None,
    });
    execute_api_of(api, path)
}

/// The same for an api whose id is known in another way.
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

/// The text with names in the place of references to stages.
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

/// A part of a pattern or of an ARN.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ArnToken<'a> {
    Char(char),
    /// `*`
    Any,
    /// `?`
    One,
    /// What is known when the stack exists.
    Later(&'a Piece),
    /// A variable of the policy: `${aws:PrincipalTag/team}`.
    EnvironmentVariable,
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
                _ => ArnToken::EnvironmentVariable,
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

/// What is left of both without their common beginning and end; `None` when they differ in known characters there, as
/// most patterns do.
fn differing<'t, 'a>(
    mut pattern: &'t [ArnToken<'a>],
    mut arn: &'t [ArnToken<'a>],
) -> Option<(&'t [ArnToken<'a>], &'t [ArnToken<'a>])> {
    use ArnToken::{Any, Char, EnvironmentVariable, One};
    while let ([part, pattern_rest @ ..], [token, arn_rest @ ..]) = (pattern, arn) {
        match (part, token) {
            (Any | One | EnvironmentVariable, _) => break,
            (part, token) if part == token => (pattern, arn) = (pattern_rest, arn_rest),
            (Char(_), Char(_)) => return None,
            _ => break,
        }
    }
    while let ([pattern_rest @ .., part], [arn_rest @ .., token]) = (pattern, arn) {
        match (part, token) {
            (Any | One | EnvironmentVariable, _) => break,
            (part, token) if part == token => (pattern, arn) = (pattern_rest, arn_rest),
            (Char(_), Char(_)) => return None,
            _ => break,
        }
    }
    Some((pattern, arn))
}

/// What may stand for what: when `sure`, only what does in any case, and otherwise all that may.
struct Comparison<'a> {
    model: &'a Model,
    sure: bool,
}

impl Comparison<'_> {
    /// Row by row from the end: `row[j]` says whether the rest of the pattern matches what begins at `j`.
    fn matches(&self, pattern: &[ArnToken<'_>], arn: &[ArnToken<'_>]) -> bool {
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
                            || (self.holds(part, token) && (row[at + 1] || both))
                            || (self.holds(token, part) && (below[at] || both))
                            || (self.may_be_empty(token) && row[at + 1])
                    });
            }
            below = row;
        }
        below[0]
    }

    fn may_be_empty(&self, token: &ArnToken<'_>) -> bool {
        match token {
            ArnToken::Any => true,
            ArnToken::EnvironmentVariable | ArnToken::Later(Piece::Unknown(_)) => !self.sure,
            _ => false,
        }
    }

    /// Whether a token that stands for several characters may have this one among them.
    fn holds(&self, token: &ArnToken<'_>, part: &ArnToken<'_>) -> bool {
        match (token, part) {
            (ArnToken::Any, _) => true,
            _ if self.sure => false,
            (ArnToken::EnvironmentVariable, _) => true,
            (ArnToken::Later(piece), ArnToken::Char(c)) => {
                c.is_ascii_alphanumeric() || "-_.".contains(*c) || !self.is_word(piece)
            }
            (ArnToken::Later(piece), ArnToken::Later(other)) => !self.differ(piece, other),
            (ArnToken::Later(_), _) => true,
            (ArnToken::Char(_) | ArnToken::One, _) => false,
        }
    }

    /// Whether what a piece stands for has letters, digits, `-`, `_` and `.` alone.
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

    /// Whether two pieces stand for different things in any case.
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

/// Whether a part of the pattern stands for exactly this part of the ARN.
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

    fn post(pattern: &str) -> Match {
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
    fn a_star_reaches_over_slashes() {
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
            assert_eq!(post(&format!("{BASE}{path}")), Match::Yes, "{path}");
        }
        assert_eq!(post("*"), Match::Yes);
        assert_eq!(post("arn:*:execute-api:*:*:*/*"), Match::Yes);
    }

    #[test]
    fn shapes_that_no_connection_has() {
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
            assert_eq!(post(&format!("{BASE}{path}")), Match::No, "{path}");
        }
        for pattern in [
            "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/*",
            "arn:aws:apigateway:${AWS::Region}::/apis/${Api}/*",
            "arn:aws:execute-api:${AWS::Region}:${Api}/*",
            "${Api}",
        ] {
            assert_eq!(post(pattern), Match::No, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_known_may_match() {
        for path in [
            "${Word}/*",
            "${Word}",
            "abcdefghij/*",
            "${Api}/${Word}/POST/@connections/*",
            "${Api}/${Word}POST/@connections/*",
            "${Api}/${!aws:PrincipalTag/stage}/*",
        ] {
            assert_eq!(post(&format!("{BASE}{path}")), Match::Unknown, "{path}");
        }
        for pattern in [
            "${Word}",
            "arn:aws:execute-api:eu-west-1:123456789012:${Api}/*",
            "arn:aws:${Word}/@connections/*",
            "${Version}",
        ] {
            assert_eq!(post(pattern), Match::Unknown, "{pattern}");
        }
    }

    #[test]
    fn a_very_long_pattern_is_not_compared() {
        assert_eq!(post(&"a*".repeat(LONGEST)), Match::Unknown);
    }
}
