//! References in the values of a template: the names in `!Sub` and `DependsOn`.

use stackgen_cfn::Node;

/// Returns the names in a resource's `DependsOn`.
pub(crate) fn depends_on(resource: &Node) -> impl Iterator<Item = &Node> {
    let node = resource.get("DependsOn");
    let one = node.filter(|node| node.as_str().is_some());
    let many = node.and_then(Node::as_list).unwrap_or_default();
    one.into_iter()
        .chain(many.iter().filter(|node| node.as_str().is_some()))
}

/// Returns the names in the text of a `!Sub`, without those that its own variables define.
pub(crate) fn sub_names(argument: &Node) -> impl Iterator<Item = &str> {
    let (text, variables) = match argument.as_list() {
        Some([text, variables]) => (text.as_str(), Some(variables)),
        _ => (argument.as_str(), None),
    };
    placeholders(text.unwrap_or_default())
        .filter(move |name| variables.is_none_or(|variables| variables.get(name).is_none()))
}

/// Returns the names between `${` and `}`. `${!Name}` is literal text.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let name = rest.split_once('}')?.0.trim();
        (!name.starts_with('!') && !name.is_empty()).then_some(name)
    })
}
