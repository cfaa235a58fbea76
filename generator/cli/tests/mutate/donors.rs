//! Trees from which mutated inputs take parts: as many stackgen.yaml files as templates.

use std::sync::OnceLock;

use stackgen_cfn::{Node, Sources, parse};

use crate::origins::{Kind, Origin, origins};

/// The longest text of a donor, in bytes. Memory of this process counts as memory of the processes that it starts.
const LONGEST: usize = 2 * 1024;

pub(super) fn donors() -> &'static [Node] {
    static DONORS: OnceLock<Vec<Node>> = OnceLock::new();
    DONORS.get_or_init(|| {
        let parsed = |kind| {
            let texts = origins(kind).iter().map(|Origin { text, .. }| text);
            let short = texts.filter(|text| text.len() <= LONGEST);
            short.filter_map(|text| read(text)).collect::<Vec<_>>()
        };
        let (templates, specs) = (parsed(Kind::Template), parsed(Kind::Spec));
        let specs = specs.into_iter().cycle().take(templates.len());
        let specs: Vec<Node> = specs.collect();
        [templates, specs].concat()
    })
}

pub(super) fn read(text: &str) -> Option<Node> {
    parse(Sources::new().add("donor", text)).ok()
}
