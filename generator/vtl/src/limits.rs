//! Limits of templates and renders.

/// Largest template in bytes, from the [quotas of WebSocket APIs]: 300 KB.
///
/// [quotas of WebSocket APIs]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
pub const MAX_TEMPLATE_BYTES: usize = 300 * 1024;

/// Deepest nesting of blocks, parentheses, calls and strings in a template. Ours: it protects the stack.
pub(crate) const MAX_SYNTAX_DEPTH: usize = 100;

/// Deepest nesting of calls and values of a render. Ours: it protects the stack.
pub(crate) const MAX_RENDER_DEPTH: usize = 300;

/// Limits of a render. The default has API Gateway's quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderLimits {
    /// Iterations of one `#foreach`. The quota is 1,000, from the [quotas of REST APIs]; those of WebSocket APIs do not
    /// mention it.
    ///
    /// [quotas of REST APIs]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    pub loop_iterations: usize,
    /// Bytes of the output. The default, 10 MB, is API Gateway's largest payload; a WebSocket message has 128 KB.
    pub output_bytes: usize,
    /// Units of work: about one for each evaluated expression, and for each byte of a created string. Ours: without it a
    /// template can run forever or fill the memory. The default takes a few seconds at most.
    pub work: u64,
}

impl Default for RenderLimits {
    fn default() -> Self {
        RenderLimits {
            loop_iterations: 1_000,
            output_bytes: 10_000_000,
            work: 50_000_000,
        }
    }
}
