//! Blocks and attributes of a file, in HCL or JSON.

use std::collections::BTreeMap;
use std::rc::Rc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Object, ObjectKey, ObjectValue};
use hcl_edit::structure::{Block as HclBlock, BlockLabel, Body, Structure};
use hcl_edit::template::{Element, StringTemplate};
use stackgen_cfn::{FileId, Node, Source, Span, Value};

use crate::error::ConfigurationProblem;

/// A block, such as `resource "aws_sqs_queue" "orders" { … }`.
#[derive(Clone, Debug)]
pub(crate) struct ConfigBlock {
    /// Type of the block, such as `resource`.
    pub(crate) kind: String,
    /// Labels.
    pub(crate) labels: Vec<String>,
    /// Span of type and labels.
    pub(crate) span: Span,
    /// Attributes by their names.
    pub(crate) attributes: BTreeMap<String, ConfigAttribute>,
    /// Nested blocks.
    pub(crate) blocks: Vec<ConfigBlock>,
    /// Suppressions of the linter, in comments above the block and in it.
    pub(crate) suppressions: Vec<BlockSuppression>,
    /// Byte offset after the block.
    end: u32,
}

/// A comment `# stackgen: ignore[SG102] reason`.
#[derive(Clone, Debug)]
pub(crate) struct BlockSuppression {
    /// Rules, as the comment names them.
    pub(crate) rules: String,
    /// Reason; may be empty.
    pub(crate) reason: String,
    /// Span of the comment.
    pub(crate) span: Span,
}

/// An attribute of a block.
#[derive(Clone, Debug)]
pub(crate) struct ConfigAttribute {
    /// Span of the name and the value.
    pub(crate) span: Span,
    /// The value.
    pub(crate) expression: Rc<Expression>,
}

impl ConfigBlock {
    /// Returns the nested blocks of a type.
    pub(crate) fn blocks_of<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b ConfigBlock> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// Positions of bytes in a file.
struct LineIndex<'s> {
    text: &'s str,
    file: FileId,
    starts: Vec<usize>,
}

impl<'s> LineIndex<'s> {
    fn new(source: &'s Source) -> Self {
        let text = source.text();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        LineIndex {
            text,
            file: source.id(),
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let line = self.starts.partition_point(|&from| from <= start).max(1) - 1;
        let before = self.text.get(self.starts[line]..start).unwrap_or_default();
        Span {
            file: Some(self.file),
            start: offset(start),
            end: offset(end),
            line: offset(line + 1),
            column: offset(before.chars().count() + 1),
        }
    }
}

/// Parses a file of a configuration. A name that ends with `.json` is in Terraform's JSON syntax.
///
/// # Errors
///
/// If the text is not in that syntax.
pub(crate) fn parse(source: &Source) -> Result<Vec<ConfigBlock>, Vec<ConfigurationProblem>> {
    if source.name().ends_with(".json") {
        return json_blocks(source);
    }
    let index = LineIndex::new(source);
    // A byte order mark keeps the offsets of what follows.
    let text = source.text().replacen('\u{feff}', "   ", 1);
    let body = hcl_edit::parser::parse_body(&text).map_err(|error| {
        let at = error.location().offset().min(text.len());
        let message = format!("this is not valid HCL: {}", error.message());
        vec![
            ConfigurationProblem::new(index.span(at, at), message)
                .hint("`terraform validate` shows errors of syntax, too"),
        ]
    })?;
    let mut blocks = hcl_blocks(&body, &index);
    add_suppressions(&mut blocks, source, &index);
    Ok(blocks)
}

/// Adds the comments of the linter to the blocks that they are in or above.
fn add_suppressions(blocks: &mut [ConfigBlock], source: &Source, index: &LineIndex<'_>) {
    const MARK: &str = "stackgen:";
    let text = source.text();
    for (at, _) in text.match_indices(MARK) {
        let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = text[line_start..at].trim_end();
        let is_comment = before.ends_with('#') || before.ends_with("//");
        let line = text[at..].lines().next().unwrap_or_default();
        let rest = line[MARK.len()..].trim().strip_prefix("ignore");
        let brackets = rest.and_then(|rest| rest.trim_start().strip_prefix('[')?.split_once(']'));
        let (true, Some((rules, reason))) = (is_comment, brackets) else {
            continue;
        };
        let suppression = BlockSuppression {
            rules: rules.to_owned(),
            reason: reason
                .trim_start_matches([':', '-', '–', '—', ' ', '\t'])
                .trim()
                .to_owned(),
            span: index.span(at, at + line.len()),
        };
        let is_above = |block: &ConfigBlock| {
            let between = text.get(at..block.span.start as usize).unwrap_or("x");
            let mut lines = between.lines().skip(1);
            lines.all(|line| line.trim().is_empty() || line.trim_start().starts_with(['#', '/']))
        };
        let offset = offset(at);
        let block = blocks.iter_mut().find(|block| {
            let is_inside = block.span.start <= offset && offset < block.end;
            is_inside || (offset < block.span.start && is_above(block))
        });
        if let Some(block) = block {
            block.suppressions.push(suppression);
        }
    }
}

/// Parses the attributes of a file of variables, such as `terraform.tfvars`.
///
/// # Errors
///
/// If the text is not in that syntax.
pub(crate) fn parse_variables(
    source: &Source,
) -> Result<BTreeMap<String, ConfigAttribute>, Vec<ConfigurationProblem>> {
    if source.name().ends_with(".json") {
        let node = parse_json(source)?;
        return Ok(literal_attributes(&node));
    }
    let index = LineIndex::new(source);
    let body = hcl_edit::parser::parse_body(source.text()).map_err(|error| {
        let at = error.location().offset().min(source.text().len());
        let message = format!("this is not valid HCL: {}", error.message());
        vec![ConfigurationProblem::new(index.span(at, at), message)]
    })?;
    Ok(hcl_attributes(&body, &index))
}

fn hcl_blocks(body: &Body, index: &LineIndex<'_>) -> Vec<ConfigBlock> {
    let blocks = body.iter().filter_map(Structure::as_block);
    blocks.map(|block| hcl_block(block, index)).collect()
}

fn hcl_attributes(body: &Body, index: &LineIndex<'_>) -> BTreeMap<String, ConfigAttribute> {
    let attributes = body.iter().filter_map(Structure::as_attribute);
    let attributes = attributes.map(|attribute| {
        let key = attribute.key.span().unwrap_or_default();
        let end = attribute.value.span().map_or(key.end, |span| span.end);
        let config = ConfigAttribute {
            span: index.span(key.start, end),
            expression: Rc::new(attribute.value.clone()),
        };
        (attribute.key.as_str().to_owned(), config)
    });
    attributes.collect()
}

fn hcl_block(block: &HclBlock, index: &LineIndex<'_>) -> ConfigBlock {
    let ident = block.ident.span().unwrap_or_default();
    let label_end = block.labels.last().and_then(|label| match label {
        BlockLabel::Ident(ident) => ident.span(),
        BlockLabel::String(text) => text.span(),
    });
    let labels = block.labels.iter().map(|label| label.as_str().to_owned());
    ConfigBlock {
        kind: block.ident.as_str().to_owned(),
        labels: labels.collect(),
        span: index.span(ident.start, label_end.map_or(ident.end, |span| span.end)),
        attributes: hcl_attributes(&block.body, index),
        blocks: hcl_blocks(&block.body, index),
        suppressions: Vec::new(),
        end: offset(block.span().map_or(ident.end, |span| span.end)),
    }
}

fn parse_json(source: &Source) -> Result<Node, Vec<ConfigurationProblem>> {
    stackgen_cfn::parse(source).map_err(|errors| {
        let problems = errors.into_iter().map(|error| ConfigurationProblem {
            span: error.span,
            message: error.to_string(),
            hint: error.hint(),
        });
        problems.collect()
    })
}

fn json_blocks(source: &Source) -> Result<Vec<ConfigBlock>, Vec<ConfigurationProblem>> {
    let root = parse_json(source)?;
    let Some(root_map) = root.as_map() else {
        let message = format!(
            "a configuration in JSON is an object, and this is {}",
            root.kind()
        );
        return Err(vec![ConfigurationProblem::new(root.span, message)]);
    };
    let mut blocks = Vec::new();
    for (kind, entry) in root_map.entries() {
        let labels = match kind {
            "resource" | "data" => 2,
            "variable" | "output" | "module" | "provider" => 1,
            _ => 0,
        };
        labelled(kind, &[], labels, entry.key_span, &entry.node, &mut blocks);
    }
    Ok(blocks)
}

fn labelled(
    kind: &str,
    labels: &[String],
    missing: usize,
    span: Span,
    node: &Node,
    blocks: &mut Vec<ConfigBlock>,
) {
    if let Some(items) = node.as_list() {
        for item in items {
            labelled(kind, labels, missing, span, item, blocks);
        }
        return;
    }
    let Some(map) = node.as_map() else { return };
    if missing > 0 {
        for (label, entry) in map.entries() {
            let mut labels = labels.to_vec();
            labels.push(label.to_owned());
            labelled(
                kind,
                &labels,
                missing - 1,
                entry.key_span,
                &entry.node,
                blocks,
            );
        }
        return;
    }
    let attributes = map.entries().map(|(key, entry)| {
        let attribute = ConfigAttribute {
            span: entry.key_span,
            expression: Rc::new(json_expression(kind, key, &entry.node)),
        };
        (key.to_owned(), attribute)
    });
    let mut nested = Vec::new();
    if let Some((_, entry)) = map.entries().find(|(key, _)| *key == "lifecycle") {
        labelled(
            "lifecycle",
            &[],
            0,
            entry.key_span,
            &entry.node,
            &mut nested,
        );
    }
    blocks.push(ConfigBlock {
        kind: kind.to_owned(),
        labels: labels.to_vec(),
        span,
        attributes: attributes.collect(),
        blocks: nested,
        suppressions: Vec::new(),
        end: node.span.end,
    });
}

/// Returns the attributes of an object whose texts are no templates.
fn literal_attributes(node: &Node) -> BTreeMap<String, ConfigAttribute> {
    let entries = node.as_map().into_iter().flat_map(|map| map.entries());
    let attributes = entries.map(|(key, entry)| {
        let attribute = ConfigAttribute {
            span: entry.key_span,
            expression: Rc::new(expression(&entry.node, &|text| Expression::from(text))),
        };
        (key.to_owned(), attribute)
    });
    attributes.collect()
}

/// Returns the expression of a value in the JSON syntax: texts are templates, and in some attributes expressions.
fn json_expression(kind: &str, key: &str, node: &Node) -> Expression {
    let is_reference = matches!(
        (kind, key),
        ("variable", "type")
            | ("lifecycle", "replace_triggered_by")
            | ("resource" | "data", "provider")
            | ("resource" | "data" | "module" | "output", "depends_on")
    );
    expression(node, &|text| {
        let parsed = is_reference
            .then(|| hcl_edit::parser::parse_expr(text).ok())
            .flatten();
        parsed.unwrap_or_else(|| template(text))
    })
}

/// Returns the expression of a template; its text if it is none.
fn template(text: &str) -> Expression {
    let Ok(template) = hcl_edit::parser::parse_template(text) else {
        return Expression::from(text);
    };
    let elements: Vec<Element> = template.into_iter().collect();
    match elements.as_slice() {
        [] => Expression::from(""),
        [Element::Literal(literal)] => Expression::from(literal.as_str()),
        [Element::Interpolation(only)] => only.expr.clone(),
        _ => Expression::from(StringTemplate::from(elements)),
    }
}

fn expression(node: &Node, of_text: &dyn Fn(&str) -> Expression) -> Expression {
    match &node.value {
        Value::Null => Expression::null(),
        Value::Bool(value) => Expression::from(*value),
        Value::Int(value) => Expression::from(*value),
        Value::Float(value) => hcl_edit::Number::from_f64(*value)
            .map_or_else(Expression::null, |number| Expression::Number(number.into())),
        Value::String(text) => of_text(text),
        Value::List(items) => {
            let items = items.iter().map(|item| expression(item, of_text));
            Expression::from(items.collect::<Vec<_>>())
        }
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, node)| (key, expression(node, of_text)));
            object(entries)
        }
        // `{"Ref": …}` in a text of JSON that is no template of CloudFormation.
        Value::Call(call) => {
            let argument = expression(&call.argument, of_text);
            object(std::iter::once((call.function.long_name(), argument)))
        }
    }
}

fn object<'k>(entries: impl Iterator<Item = (&'k str, Expression)>) -> Expression {
    let mut object = Object::new();
    for (key, value) in entries {
        let key = ObjectKey::Expression(Expression::from(key));
        object.insert(key, ObjectValue::new(value));
    }
    Expression::from(object)
}

/// Converts an offset. Files have a few megabytes at most, so every offset fits.
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
