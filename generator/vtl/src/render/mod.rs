//! Evaluator of templates.

mod access;
mod call;
mod directive;
mod expression;
mod foreach;
mod frame;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use frame::ContextFrame;

use crate::error::{RenderError, RenderProblem, TemplatePosition};
use crate::gateway::RequestState;
use crate::limits::{MAX_RENDER_DEPTH, RenderLimits};
use crate::syntax::{Block, MacroDefinition, MacroNames, ParsedTemplate, Part};
use crate::value::{Computed, Heap, VtlValue, to_text};
use crate::variables::{TemplateVariables, UnresolvedReferences};

/// Reason to stop before the end of the template.
enum RenderStop {
    /// `#break`: ends the innermost loop, macro, block or `#evaluate`.
    Innermost,
    /// `#break($foreach)`: ends the loop at this address.
    Loop(usize),
    /// `#stop`.
    Everything,
    Failed(Box<RenderError>),
}

/// Result of a part of a render.
type Rendered<T> = Result<T, RenderStop>;

/// Renders a template.
///
/// # Errors
///
/// Fails where Velocity throws an exception, and if a limit is exceeded.
pub(crate) fn render(
    template: &ParsedTemplate,
    variables: &TemplateVariables,
    limits: &RenderLimits,
) -> Result<String, RenderError> {
    let mut renderer = Renderer::new(limits, variables.unresolved);
    let result = renderer.run(template, variables);
    match result {
        Ok(()) | Err(RenderStop::Innermost | RenderStop::Everything) => Ok(renderer.output),
        Err(RenderStop::Failed(error)) => Err(*error),
        Err(RenderStop::Loop(_)) => Err(RenderError {
            position: renderer.position,
            problem: RenderProblem::BreakScope("the scope of a loop that has ended".to_owned()),
        }),
    }
}

/// State of a render.
struct Renderer<'a> {
    heap: Heap,
    gateway: RequestState<'a>,
    frames: Vec<ContextFrame>,
    output: String,
    limits: &'a RenderLimits,
    unresolved: UnresolvedReferences,
    macros: HashMap<String, Arc<MacroDefinition>>,
    macro_names: MacroNames,
    macro_depth: usize,
    depth: usize,
    /// The directive or reference that is being rendered.
    position: TemplatePosition,
    /// Number of templates in strings around the current part; their positions are not those of the template.
    inner_templates: usize,
}

impl<'a> Renderer<'a> {
    fn new(limits: &'a RenderLimits, unresolved: UnresolvedReferences) -> Self {
        Renderer {
            heap: Heap::new(limits.work),
            gateway: RequestState::default(),
            frames: Vec::new(),
            output: String::new(),
            limits,
            unresolved,
            macros: HashMap::new(),
            macro_names: Arc::new(BTreeSet::new()),
            macro_depth: 0,
            depth: 0,
            position: TemplatePosition { line: 1, column: 1 },
            inner_templates: 0,
        }
    }

    fn run(&mut self, template: &ParsedTemplate, variables: &'a TemplateVariables) -> Rendered<()> {
        let values = variables.to_values(&mut self.heap);
        let values = self.check(values)?;
        self.gateway = RequestState::new(variables.request.as_ref());
        let frame = self.push_frame(ContextFrame::Base(values));
        self.register_macros(template);
        self.render_block(&template.body, frame)
    }

    /// Adds the macros of a template. The first definition of a name stays.
    fn register_macros(&mut self, template: &ParsedTemplate) {
        for definition in &template.macros {
            let name = &definition.name;
            if !self.macros.contains_key(name) {
                self.macros.insert(name.clone(), Arc::clone(definition));
                Arc::make_mut(&mut self.macro_names).insert(name.clone());
            }
        }
    }

    fn fail<T>(&self, problem: RenderProblem) -> Rendered<T> {
        let error = RenderError {
            position: self.position,
            problem,
        };
        Err(RenderStop::Failed(Box::new(error)))
    }

    fn check<T>(&self, computed: Computed<T>) -> Rendered<T> {
        computed.or_else(|problem| self.fail(problem))
    }

    fn mark(&mut self, position: TemplatePosition) {
        if self.inner_templates == 0 {
            self.position = position;
        }
    }

    /// Runs something that can contain itself.
    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Rendered<T>) -> Rendered<T> {
        let charged = self.heap.charge(1);
        self.check(charged)?;
        if self.depth >= MAX_RENDER_DEPTH {
            return self.fail(RenderProblem::TooDeep(MAX_RENDER_DEPTH));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn write(&mut self, text: &str) -> Rendered<()> {
        if text.len() > self.limits.output_bytes.saturating_sub(self.output.len()) {
            return self.fail(RenderProblem::OutputTooLarge(self.limits.output_bytes));
        }
        let charged = self.heap.charge_length(text.len());
        self.check(charged)?;
        self.output.push_str(text);
        Ok(())
    }

    /// Renders something into a string instead of the output.
    fn capture(
        &mut self,
        run: impl FnOnce(&mut Self) -> Rendered<bool>,
    ) -> Rendered<Option<String>> {
        let outer = std::mem::take(&mut self.output);
        let result = run(self);
        let text = std::mem::replace(&mut self.output, outer);
        Ok(result?.then_some(text))
    }

    fn render_block(&mut self, block: &Block, frame: usize) -> Rendered<()> {
        self.nested(|renderer| {
            block
                .iter()
                .try_for_each(|part| renderer.render_part(part, frame))
        })
    }

    fn render_part(&mut self, part: &Part, frame: usize) -> Rendered<()> {
        match part {
            Part::Text(text) => self.write(text),
            Part::Reference(reference) => self.render_reference(reference, frame),
            Part::Set(set) => self.render_set(set, frame),
            Part::If(branches) => self.render_if(branches, frame),
            Part::Foreach(foreach) => self.render_foreach(foreach, frame),
            Part::Define(define) => self.render_define(define, frame),
            Part::Evaluate(text, position) => {
                self.mark(*position);
                self.nested(|renderer| renderer.render_evaluate(text, frame))
            }
            Part::Break(directive) => self.render_break(directive, frame),
            Part::Stop => Err(RenderStop::Everything),
            Part::Call(call) => {
                self.mark(call.position);
                self.nested(|renderer| renderer.render_call(call, frame))
            }
        }
    }

    /// Returns the text of a value, or `None` if Java's `toString` returns null.
    fn text_of(&mut self, value: &VtlValue) -> Rendered<Option<String>> {
        if let Some(id) = self.block_of(value) {
            return self.text_of_block(id);
        }
        if value.is_null() {
            return Ok(None);
        }
        let text = to_text(&mut self.heap, value);
        self.check(text).map(Some)
    }
}
