//! URIs of integrations of the type `AWS` (row F3).

/// The backend of an `AWS` integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum IntegrationTarget {
    /// A function.
    Function,
    /// An action of a service.
    Service { service: String, action: String },
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
            (_, ("action" | "path", action)) => Some(IntegrationTarget::Service {
                action: action.to_owned(),
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
        let service = |service: &str, action: &str| {
            Some(IntegrationTarget::Service {
                service: service.to_owned(),
                action: action.to_owned(),
            })
        };
        let uri =
            |rest: &str| IntegrationTarget::parse(&format!("arn:aws:apigateway:us-east-1:{rest}"));
        assert_eq!(
            uri("dynamodb:action/PutItem"),
            service("dynamodb", "PutItem")
        );
        assert_eq!(uri("sqs:path/123/queue"), service("sqs", "123/queue"));
        assert_eq!(uri("x.data-ats.iot:path/topics"), service("iot", "topics"));
        let function =
            "lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:a/invocations";
        assert_eq!(uri(function), Some(IntegrationTarget::Function));
        assert_eq!(uri("dynamodb"), None);
        assert_eq!(IntegrationTarget::parse("https://example.com"), None);
    }
}
