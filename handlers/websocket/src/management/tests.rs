use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::*;

#[test]
fn a_missing_response_is_a_timeout_and_a_missing_connection_a_failure() {
    let error: SdkError<PostToConnectionError, HttpResponse> = SdkError::timeout_error("late");
    assert_eq!(post_error(&error), PostError::TimedOut);
    let late = ConnectorError::timeout("late".into());
    let error: SdkError<PostToConnectionError, HttpResponse> = SdkError::dispatch_failure(late);
    let reason = "no connection in time".to_owned();
    assert_eq!(post_error(&error), PostError::Failed(reason));
    let error: SdkError<PostToConnectionError, HttpResponse> =
        SdkError::construction_failure("wrong");
    assert_eq!(
        post_error(&error),
        PostError::Failed("cannot send the request".to_owned())
    );
}
