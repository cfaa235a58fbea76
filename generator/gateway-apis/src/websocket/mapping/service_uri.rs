//! URIs of integrations of the type `AWS` (row F3).

use stackgen_gateway_common::services::ServiceOperation;

/// The backend of an `AWS` integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum IntegrationTarget {
    /// A function.
    Function,
    /// An action or a path of a service.
    Service {
        service: String,
        operation: ServiceOperation,
    },
}

impl IntegrationTarget {
    /// Parses the URI of an `AWS` integration: `arn:aws:apigateway:{region}:{service}:action/{action}` or
    /// `arn:aws:apigateway:{region}:{service}:path/{path}`. `None` for anything else.
    pub(in super::super) fn parse(uri: &str) -> Option<IntegrationTarget> {
        let mut fields = uri.splitn(6, ':');
        let mut next = || fields.next();
        let ("arn", _, "apigateway", _) = (next()?, next()?, next()?, next()?) else {
            return None;
        };
        let (service, rest) = (next()?, next()?);
        // `{id}.data-ats.iot`: the service is the last label.
        let service = service.rsplit('.').next()?.to_owned();
        match (service.as_str(), rest.split_once('/')?) {
            ("lambda", ("path", _)) => Some(IntegrationTarget::Function),
            (_, ("action", action)) => Some(IntegrationTarget::Service {
                operation: ServiceOperation::Action(action.to_owned()),
                service,
            }),
            (_, ("path", path)) => Some(IntegrationTarget::Service {
                // Some templates write `sns:path//`.
                operation: ServiceOperation::Path(format!("/{}", path.trim_start_matches('/'))),
                service,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_f3_a_uri_names_a_function_or_an_action_of_a_service() {
        let service = |service: &str, operation: ServiceOperation| {
            Some(IntegrationTarget::Service {
                service: service.to_owned(),
                operation,
            })
        };
        let action = |action: &str| ServiceOperation::Action(action.to_owned());
        let path = |path: &str| ServiceOperation::Path(path.to_owned());
        let uri =
            |rest: &str| IntegrationTarget::parse(&format!("arn:aws:apigateway:us-east-1:{rest}"));
        assert_eq!(
            uri("dynamodb:action/PutItem"),
            service("dynamodb", action("PutItem"))
        );
        assert_eq!(
            uri("sqs:path/123/queue"),
            service("sqs", path("/123/queue"))
        );
        assert_eq!(uri("sns:path//"), service("sns", path("/")));
        assert_eq!(
            uri("x.data-ats.iot:path/topics"),
            service("iot", path("/topics"))
        );
        let function =
            "lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:a/invocations";
        assert_eq!(uri(function), Some(IntegrationTarget::Function));
        assert_eq!(uri("dynamodb"), None);
        assert_eq!(IntegrationTarget::parse("https://example.com"), None);
    }
}
