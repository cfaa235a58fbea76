//! Velocity Template Language for the mapping templates of API Gateway.
//!
//! [`VtlTemplate`] parses and renders templates as Apache Velocity 1.7 does, including its rules for blanks around directives.
//! [`TemplateVariables`] has `$input`, `$util`, `$context` and `$stageVariables` of API Gateway. A render is bounded: a template
//! cannot run forever, fill the memory or overflow the stack ([`RenderLimits`]).
//!
//! Sources: the [user guide of Velocity 1.7], its [reference], and API Gateway's [variables for data transformations]. What
//! these leave open follows Velocity itself: a differential test renders the same templates with both. Where API Gateway is
//! known to differ from Velocity, this crate follows API Gateway; see [`UnresolvedReferences`].
//!
//! [user guide of Velocity 1.7]: https://velocity.apache.org/engine/1.7/user-guide.html
//! [reference]: https://velocity.apache.org/engine/1.7/vtl-reference.html
//! [variables for data transformations]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html

#![forbid(unsafe_code)]

mod error;
mod gateway;
mod jsonpath;
mod limits;
mod methods;
mod render;
mod selection;
mod syntax;
mod value;
mod variables;

pub use error::{RenderError, RenderProblem, SyntaxProblem, TemplateError, TemplatePosition};
pub use limits::{MAX_TEMPLATE_BYTES, RenderLimits};
pub use selection::select_text;
pub use variables::{TemplateParameter, TemplateRequest, TemplateVariables, UnresolvedReferences};

/// Parsed template. It can be rendered many times, from several threads.
#[derive(Debug)]
pub struct VtlTemplate {
    parsed: syntax::ParsedTemplate,
}

impl VtlTemplate {
    /// Parses a template.
    ///
    /// ```
    /// use stackgen_vtl::{RenderLimits, TemplateRequest, TemplateVariables, VtlTemplate};
    ///
    /// let template = VtlTemplate::parse("{\"text\": $input.json('$.message')}")?;
    /// let request = TemplateRequest { body: r#"{"message": "hi"}"#.to_owned(), ..Default::default() };
    /// let variables = TemplateVariables::of_request(request, serde_json::json!({}), serde_json::json!({}));
    /// assert_eq!(template.render(&variables, &RenderLimits::default())?, r#"{"text": "hi"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the first syntax error. Templates with more than [`MAX_TEMPLATE_BYTES`] fail.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(TemplateError {
                position: TemplatePosition { line: 1, column: 1 },
                problem: SyntaxProblem::TooLarge {
                    size: text.len(),
                    limit: MAX_TEMPLATE_BYTES,
                },
            });
        }
        let parsed = syntax::parse(text, &syntax::MacroNames::default())?;
        Ok(VtlTemplate { parsed })
    }

    /// Renders the template.
    ///
    /// # Errors
    ///
    /// Fails where Velocity throws an exception, and if a limit is exceeded.
    pub fn render(
        &self,
        variables: &TemplateVariables,
        limits: &RenderLimits,
    ) -> Result<String, RenderError> {
        render::render(&self.parsed, variables, limits)
    }
}
