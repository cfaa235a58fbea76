//! Resources that invoke functions: rules of EventBridge, and subscriptions to topics.

use stackgen_gateway_common::{EventPattern, FunctionArn};
use stackgen_model::ScheduleExpression;

/// Types that this module reads.
pub(super) const EVENT_RULE: &str = "AWS::Events::Rule";
pub(super) const SUBSCRIPTION: &str = "AWS::SNS::Subscription";
/// Types that these refer to. They have names and nothing else.
pub(super) const EVENT_BUS: &str = "AWS::Events::EventBus";
pub(super) const TOPIC: &str = "AWS::SNS::Topic";

/// Runs triggers.
pub trait FunctionTriggers: Send + Sync + 'static {
    /// Starts a trigger, or replaces the one with this ID.
    fn put(&self, id: &str, trigger: Trigger);

    /// Stops a trigger, if it exists. Invocations that have begun run to their end.
    fn delete(&self, id: &str);

    /// Adds an event bus.
    fn put_bus(&self, name: &str);

    /// Removes an event bus.
    fn delete_bus(&self, name: &str);
}

/// Resource that invokes functions.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Name: that of the rule, or the physical ID of a subscription.
    pub name: String,
    /// ARN of the rule or of the subscription.
    pub arn: String,
    /// Source of the events.
    pub source: TriggerSource,
    /// False if the trigger exists but invokes nothing.
    pub enabled: bool,
    /// Functions and event buses that receive the events.
    pub targets: Vec<TriggerTarget>,
}

/// Source of the events of a trigger.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerSource {
    /// Events on a bus that match a pattern.
    Bus {
        /// Name of the bus.
        bus: String,
        /// Pattern.
        pattern: EventPattern,
    },
    /// Times of a rule with a schedule, in UTC.
    Times {
        /// Text of the expression.
        text: String,
        /// The expression.
        expression: ScheduleExpression,
    },
    /// Messages of a topic.
    Topic {
        /// ARN of the topic.
        topic: String,
        /// Pattern of the messages that are delivered, and the part of a message that it is about.
        filter: Option<(EventPattern, FilterScope)>,
    },
}

/// Part of a message that the filter of a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterScope {
    /// Attributes of the message.
    Attributes,
    /// Body of the message, which is JSON.
    Body,
}

/// Target of a trigger: a receiver with its input.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerTarget {
    /// Receiver.
    pub receiver: TriggerReceiver,
    /// Input of the receiver.
    pub input: TargetInput,
}

/// Receiver of events.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerReceiver {
    /// A function.
    Function(FunctionArn),
    /// An event bus of the same account and region, by its name.
    Bus(String),
}

/// Input of a target.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetInput {
    /// The event itself.
    Event,
    /// This text in place of the event.
    Constant(String),
    /// The part of the event at a path: `$.detail`.
    Path(String),
    /// A template with values of the event.
    Template {
        /// Names and paths.
        paths: Vec<(String, String)>,
        /// Text with `<name>`.
        template: String,
    },
}
