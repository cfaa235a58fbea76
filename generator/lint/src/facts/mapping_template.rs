//! Reads variables and values in mapping templates (VTL).

/// Variables of API Gateway in milliseconds (row E0).
const MILLISECONDS: &[&str] = &["context.requestTimeEpoch", "context.connectedAt"];

/// Maximum number of variables that are followed.
const MAX_VARIABLES: usize = 4;

/// Returns true if a template writes a time in milliseconds into a number attribute of an item.
pub(crate) fn writes_milliseconds(template: &str, attribute: &str) -> bool {
    let mut names = vec![attribute.to_owned()];
    names.extend(placeholders(template, attribute));
    names
        .iter()
        .filter_map(|name| number(template, name))
        .any(|value| is_milliseconds(template, value, MAX_VARIABLES))
}

/// Returns the placeholders that an update expression assigns to an attribute: `:ttl` in `SET ttl = :ttl`.
fn placeholders(template: &str, attribute: &str) -> Vec<String> {
    let is_part_of_name = |c: char| c.is_alphanumeric() || ['_', '-', '.', ':'].contains(&c);
    let after = |(at, _): (usize, &str)| {
        if template[..at].ends_with(is_part_of_name) {
            return None;
        }
        let rest = template[at + attribute.len()..].trim_start();
        let rest = rest.strip_prefix('=')?.trim_start();
        let name = rest.strip_prefix(':')?;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
        Some(format!(":{}", &name[..end.unwrap_or(name.len())]))
    };
    template
        .match_indices(attribute)
        .filter_map(after)
        .collect()
}

/// Returns the value in `"name": {"N": "value"}`.
fn number<'t>(template: &'t str, name: &str) -> Option<&'t str> {
    let key = format!("\"{name}\"");
    template.match_indices(&key).find_map(|(at, _)| {
        let mut rest = &template[at + key.len()..];
        for token in [":", "{", "\"N\"", ":", "\""] {
            rest = rest.trim_start().strip_prefix(token)?;
        }
        Some(rest.split_once('"')?.0)
    })
}

/// Returns true if a value is a time in milliseconds, or a variable that is set to one, and nothing divides it.
fn is_milliseconds(template: &str, value: &str, depth: usize) -> bool {
    if value.contains('/') || value.contains("substring") {
        return false;
    }
    if MILLISECONDS.iter().any(|name| value.contains(name)) {
        return true;
    }
    depth > 0
        && variables(value)
            .filter_map(|name| assigned(template, name))
            .any(|value| is_milliseconds(template, value, depth - 1))
}

/// Returns the names of variables: `ttl` in `$ttl`, `${ttl}` and `$!ttl`.
fn variables(value: &str) -> impl Iterator<Item = &str> {
    value.split('$').skip(1).filter_map(variable_name)
}

/// Returns the name at the start of a text that follows a `$`.
fn variable_name(rest: &str) -> Option<&str> {
    let name = rest.trim_start_matches(['!', '{']);
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    let name = &name[..end.unwrap_or(name.len())];
    (!name.is_empty()).then_some(name)
}

/// Returns the value of the last `#set($name = value)`.
fn assigned<'t>(template: &'t str, name: &str) -> Option<&'t str> {
    let set = directives(template).filter(|it| it.name == "set" && it.target() == Some(name));
    let (left, value) = set.last()?.argument()?.split_once('=')?;
    // `$name.property = value` sets another value.
    (!left.contains('.')).then_some(value)
}

/// Returns true if a template sets a variable itself: with `#set`, as the variable of a loop or the parameter of a macro.
pub(crate) fn sets(template: &str, name: &str) -> bool {
    directives(template).any(|directive| match directive.name {
        "set" | "foreach" => directive.target() == Some(name),
        "macro" => directive
            .argument()
            .is_some_and(|argument| variables(argument).any(|it| it == name)),
        _ => false,
    })
}

/// A directive with parentheses: `#set($ttl = 1)`, `#{foreach}($item in $list)`.
struct Directive<'t> {
    name: &'t str,
    /// Text after the opening parenthesis.
    rest: &'t str,
}

impl<'t> Directive<'t> {
    /// Returns the variable with which the argument starts.
    fn target(&self) -> Option<&'t str> {
        variable_name(self.rest.trim_start().strip_prefix('$')?)
    }

    /// Returns the text between the parentheses.
    fn argument(&self) -> Option<&'t str> {
        let mut depth = 0_usize;
        let mut quote = None;
        for (at, c) in self.rest.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') if depth == 0 => return Some(&self.rest[..at]),
                (None, ')') => depth -= 1,
                (None, _) => {}
            }
        }
        None
    }
}

fn directives(template: &str) -> impl Iterator<Item = Directive<'_>> {
    template.match_indices('#').filter_map(|(at, _)| {
        let rest = &template[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphabetic())?;
        let (name, rest) = rest.split_at(end);
        let rest = rest.strip_prefix('}').unwrap_or(rest);
        let rest = rest.trim_start().strip_prefix('(')?;
        Some(Directive { name, rest })
    })
}

#[cfg(test)]
mod tests {
    use super::writes_milliseconds;

    #[test]
    fn milliseconds_are_recognized() {
        for (template, expected) in [
            (r#"{"ttl": {"N": "$context.requestTimeEpoch"}}"#, true),
            (r#"{"ttl":{"N":"$context.connectedAt"}}"#, true),
            (
                "#set($ttl = $context.requestTimeEpoch + 7200)\n{\"ttl\": {\"N\": \"$ttl\"}}",
                true,
            ),
            (
                "#set( $now = $context.requestTimeEpoch )\n#set($ttl = $now + 1)\n{\"ttl\": {\"N\": \"${ttl}\"}}",
                true,
            ),
            (
                r#"{"UpdateExpression": "SET ttl = :t, a = :a", "x": {":t": {"N": "$context.requestTimeEpoch"}}}"#,
                true,
            ),
            (
                r#"{"UpdateExpression": "SET ttl = :t, a = :a", "x": {":a": {"N": "$context.requestTimeEpoch"}}}"#,
                false,
            ),
            (
                "#set($ttl = $context.requestTimeEpoch / 1000 + 7200)\n{\"ttl\": {\"N\": \"$ttl\"}}",
                false,
            ),
            (
                "#set($s = $context.requestTimeEpoch / 1000)\n#set($ttl = $s + 9)\n{\"ttl\": {\"N\": \"$ttl\"}}",
                false,
            ),
            (
                "#set($ttl = \"$context.requestTimeEpoch\".substring(0, 10))\n{\"ttl\": {\"N\": \"$ttl\"}}",
                false,
            ),
            (r#"{"ttl": {"S": "$context.requestTimeEpoch"}}"#, false),
            (
                r#"{"since": {"N": "$context.connectedAt"}, "ttl": {"N": "$input.path('$.ttl')"}}"#,
                false,
            ),
            ("#set($a = $a)\n{\"ttl\": {\"N\": \"$a\"}}", false),
            (
                r#"#set($ttl = $input.path('$.ttl')){"since":{"N":"$context.connectedAt"},"ttl":{"N":"$ttl"}}"#,
                false,
            ),
            (
                r#"#set($ttl = $context.requestTimeEpoch){"path":"a/b","ttl":{"N":"$ttl"}}"#,
                true,
            ),
            (
                "#set($ttl = ($input.path('$.a)') + 1)){\"b\":\"$context.connectedAt\",\"ttl\":{\"N\":\"$ttl\"}}",
                false,
            ),
            (
                r#"{"UpdateExpression": "SET myttl = :a, a_ttl = :a, ttl = :t", "x": {":a": {"N": "$context.requestTimeEpoch"}}}"#,
                false,
            ),
        ] {
            assert_eq!(writes_milliseconds(template, "ttl"), expected, "{template}");
        }
    }
}
