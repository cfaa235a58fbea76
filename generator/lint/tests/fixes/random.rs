//! Random edits of random documents.

use proptest::collection::vec;
use proptest::prelude::*;
use stackgen_cfn::{IntrinsicCall, Map, Node, Span, Value, list, map, r#ref, sub};
use stackgen_lint::Edit;

use crate::generate::{Style, tree, written};
use crate::{fixed, parse};

/// A change of the document by position in the tree, not in the text.
#[derive(Clone, Debug)]
struct Change {
    path: Vec<usize>,
    kind: Kind,
    with: Node,
    /// Kind of the node, and of its parent.
    span: Span,
    edit: Edit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Replace,
    Remove,
    Insert,
    Append,
}

fn values() -> impl Strategy<Value = Node> {
    prop::sample::select(vec![
        Node::from("on"),
        "plain".into(),
        "it's: # \"é\"".into(),
        "two\nlines".into(),
        29000i64.into(),
        true.into(),
        Node::default(),
        r#ref("Y"),
        sub("${Y}-é"),
        list(["x", "y"]),
        map([("A", list([r#ref("B")])), ("C", map([("D", 1i64.into())]))]),
        map::<&str>([]),
    ])
}

/// Returns every possible change of every kind with a value.
fn changes(root: &Node, with: &Node) -> Vec<Change> {
    let mut out = Vec::new();
    walk(
        root,
        &[],
        &mut |path, kind, span, edit| {
            let (path, with) = (path.to_vec(), with.clone());
            out.push(Change {
                path,
                kind,
                with,
                span,
                edit,
            });
        },
        with,
    );
    out
}

type Add<'a> = dyn FnMut(&[usize], Kind, Span, Edit) + 'a;

fn walk(node: &Node, path: &[usize], add: &mut Add<'_>, with: &Node) {
    let (value, span) = (with.clone(), node.span);
    add(
        path,
        Kind::Replace,
        span,
        Edit::Replace {
            value: span,
            with: value,
        },
    );
    let at = |index: usize| [path, &[index]].concat();
    let value = || with.clone();
    for (index, item) in node.as_list().into_iter().flatten().enumerate() {
        let new = Edit::Append {
            beside: item.span,
            value: value(),
        };
        add(&at(index), Kind::Append, span, new);
        walk(item, &at(index), add, with);
    }
    for (index, (_, entry)) in node.as_map().into_iter().flat_map(Map::entries).enumerate() {
        let key = entry.key_span;
        add(
            &at(index),
            Kind::Remove,
            key.to(entry.node.span),
            Edit::Remove { key },
        );
        let new = Edit::Insert {
            beside: key,
            key: "New".to_owned(),
            value: value(),
        };
        add(&at(index), Kind::Insert, span, new);
        walk(&entry.node, &at(index), add, with);
    }
}

/// Applies all changes to the nodes of a document.
fn expected(node: &Node, path: &[usize], changes: &[&Change]) -> Node {
    let of = |path: &[usize], kind| {
        changes
            .iter()
            .filter(move |change| change.kind == kind && change.path == path)
            .collect::<Vec<_>>()
    };
    if let [change] = of(path, Kind::Replace).as_slice() {
        return change.with.clone();
    }
    let at = |index| [path, &[index]].concat();
    match &node.value {
        Value::List(items) => {
            let mut done: Vec<_> = items
                .iter()
                .enumerate()
                .map(|(index, item)| expected(item, &at(index), changes))
                .collect();
            for index in 0..items.len() {
                done.extend(
                    of(&at(index), Kind::Append)
                        .into_iter()
                        .map(|change| change.with.clone()),
                );
            }
            done.into()
        }
        Value::Map(map) => {
            let mut done = Map::new();
            for (index, (key, node)) in map.iter().enumerate() {
                if of(&at(index), Kind::Remove).is_empty() {
                    done.insert(key, expected(node, &at(index), changes));
                }
            }
            for index in 0..map.len() {
                for change in of(&at(index), Kind::Insert) {
                    done.insert("New", change.with.clone());
                }
            }
            Node::new(IntrinsicCall::fold(done))
        }
        _ => node.clone(),
    }
}

/// Returns the numbers of the comments in a range.
fn comments(text: &str) -> Vec<&str> {
    text.split('#')
        .skip(1)
        .filter_map(|rest| rest.strip_prefix('é')?.split('é').next())
        .collect()
}

/// Returns the lines of a span, with the comments below that are indented deeper.
fn lines(text: &str, span: Span) -> (usize, usize) {
    let (start, end) = (span.start as usize, span.end as usize);
    let start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = |at: usize| {
        text[at..]
            .find('\n')
            .map_or(text.len(), |length| at + length + 1)
    };
    let mut end = line_end(end);
    let deeper = |rest: &str| {
        rest.trim_start().starts_with('#')
            && rest.len() - rest.trim_start().len() >= span.column as usize
    };
    while deeper(&text[end..]) {
        end = line_end(end);
    }
    (start, end)
}

fn styles() -> impl Strategy<Value = Style> {
    prop::sample::select(vec![
        Style::Block,
        Style::Block,
        Style::Flow,
        Style::Pretty,
        Style::Compact,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn one_change_changes_nothing_else(
        tree in tree(), style in styles(), choices in vec(any::<u8>(), 1..40), pick in any::<prop::sample::Index>(), with in values(),
    ) {
        let text = written(&tree, style, &choices);
        let root = parse(&text);
        let all = changes(&root, &with);
        let change = pick.get(&all);
        let done = fixed(&text, |_| vec![vec![change.edit.clone()]]);
        prop_assert!(done.left.is_empty(), "left: {change:?}\n{text}");
        prop_assert_eq!(parse(&done.text), expected(&root, &[], &[change]), "{:?}\n{}", change, text);
        let (from, to) = lines(&text, change.span);
        let outside = [comments(&text[..from]), comments(&text[to..])].concat();
        let kept = comments(&done.text);
        let is_kept = |comment: &&str| kept.contains(comment);
        match change.kind {
            Kind::Insert | Kind::Append => prop_assert!(comments(&text).iter().all(is_kept), "{change:?}\n{text}\n{}", done.text),
            _ => prop_assert!(outside.iter().all(is_kept), "{change:?}\n{text}\n{}", done.text),
        }
        let span = change.span.start as usize..change.span.end as usize;
        if change.kind == Kind::Replace && !text[span].contains(['\n', '#']) {
            prop_assert!(comments(&text).iter().all(is_kept), "{change:?}\n{text}\n{}", done.text);
        }
    }

    #[test]
    fn many_changes_have_the_expected_result(
        tree in tree(), style in styles(), choices in vec(any::<u8>(), 1..40),
        picks in vec((any::<prop::sample::Index>(), values()), 1..6),
    ) {
        let text = written(&tree, style, &choices);
        let root = parse(&text);
        let chosen: Vec<_> = picks.iter().map(|(pick, with)| pick.get(&changes(&root, with)).clone()).collect();
        let done = fixed(&text, |_| chosen.iter().map(|change| vec![change.edit.clone()]).collect());
        prop_assert_eq!(done.applied.first(), Some(&0));
        let mut indexes = [done.applied.as_slice(), &done.left].concat();
        indexes.sort_unstable();
        prop_assert_eq!(indexes, (0..chosen.len()).collect::<Vec<_>>());
        let made: Vec<_> = done.applied.iter().map(|&index| &chosen[index]).collect();
        prop_assert_eq!(parse(&done.text), expected(&root, &[], &made), "{:?}\n{}", made, text);
    }

    #[test]
    fn no_text_and_edit_cause_a_panic(text in "[-ab:'\"|>#!&*{}\\[\\],? \n\u{e9}]{0,40}", with in values()) {
        let mut sources = stackgen_cfn::Sources::new();
        if let Ok(root) = stackgen_cfn::parse(sources.add("t", text.as_str())) {
            for change in changes(&root, &with) {
                let done = fixed(&text, |_| vec![vec![change.edit.clone()]]);
                if done.left.is_empty() {
                    prop_assert_eq!(parse(&done.text), expected(&root, &[], &[&change]), "{:?}", change);
                }
            }
        }
    }
}
