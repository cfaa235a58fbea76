//! Settings of asynchronous invocations in templates.

/// Type of settings of asynchronous invocations.
pub(super) const EVENT_INVOKE_CONFIG: &str = "AWS::Lambda::EventInvokeConfig";

/// Properties of the settings that the gateway uses.
pub(super) const PROPERTIES: &[&str] = &[
    "DestinationConfig",
    "FunctionName",
    "MaximumEventAgeInSeconds",
    "MaximumRetryAttempts",
    "Qualifier",
];
