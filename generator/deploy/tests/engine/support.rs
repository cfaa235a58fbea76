//! Requests, answers and contexts that the tests share.

use std::cell::RefCell;

use stackgen_deploy::code::BuiltCode;
use stackgen_deploy::redeploy::{RedeployOutcome, RedeployRequest, redeploy};
use stackgen_deploy::{
    ApiProtocol, CallerProfile, DeployError, DeployStep, FunctionName, HandshakeAnswer, Interrupt,
    OffsetDateTime, OperationContext, RetryPolicy, StageClient, StageName, VerifyRequest,
};

use crate::memory::Memory;

/// Returns a time by its seconds since 1970.
pub(crate) fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

/// Client that gets these statuses in turn, and then the last one again and again.
pub(crate) struct Answers(RefCell<Vec<u16>>);

impl Answers {
    pub(crate) fn with(statuses: &[u16]) -> Answers {
        Answers(RefCell::new(statuses.to_vec()))
    }
}

impl StageClient for Answers {
    async fn attempt(&self, _: &str, _: ApiProtocol, _: &CallerProfile) -> HandshakeAnswer {
        let mut statuses = self.0.borrow_mut();
        HandshakeAnswer::Answered(match statuses.len() {
            1 => statuses[0],
            _ => statuses.remove(0),
        })
    }
}

/// The redeploy of most tests.
pub(crate) fn request() -> RedeployRequest {
    RedeployRequest {
        api: Memory::api(),
        stage: StageName::new("dev"),
        git: "abc1234".to_owned(),
        run: "run1".to_owned(),
        environment: Some("dev".to_owned()),
        code: Vec::new(),
        release: None,
        force: false,
        verify: Some(VerifyRequest::default()),
        mark: false,
        updated: None,
        back_to: stackgen_deploy::redeploy::BackTo::Served,
        prune_failed: false,
        prune: None,
    }
}

pub(crate) fn built(function: &str, code: &str) -> BuiltCode {
    BuiltCode {
        function: FunctionName::new(function),
        sha256: code.to_owned(),
        zip: code.as_bytes().into(),
    }
}

/// Returns a context that reports no steps.
pub(crate) fn context<'a>(
    retry: &'a RetryPolicy,
    interrupt: &'a Interrupt,
) -> OperationContext<'a> {
    OperationContext {
        retry,
        steps: &|_| {},
        interrupt,
        now: || at(1_795_315_372),
    }
}

/// Redeploys, and returns the steps as lines.
pub(crate) async fn run(
    memory: &Memory,
    answers: &Answers,
    request: &RedeployRequest,
) -> (Result<RedeployOutcome, DeployError>, Vec<String>) {
    let lines = RefCell::new(Vec::new());
    let steps = |step: DeployStep<'_>| lines.borrow_mut().push(format!("{step:?}"));
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &steps,
        ..context(&retry, &interrupt)
    };
    let outcome = redeploy(memory, answers, request, ctx).await;
    (outcome, lines.into_inner())
}

/// Returns the index of the first call of an operation in a redeploy that succeeds.
pub(crate) async fn index_of(operation: &str) -> usize {
    let memory = Memory::stale();
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    outcome.unwrap();
    let calls = memory.calls.borrow();
    calls.iter().position(|call| *call == operation).unwrap()
}
