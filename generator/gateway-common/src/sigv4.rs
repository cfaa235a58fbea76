//! Credentials of signed requests. Signatures are not verified here: only this machine reaches loopback. The gateway verifies
//! those of calls that leave for the user's account.

use http::{HeaderMap, Uri, header};

/// Credential scope of a signature: `AKIA…/20240209/us-east-1/execute-api/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Access key ID, which is not a secret.
    pub access_key: String,
    /// Signed service name, in lower case as SDKs write it: `execute-api`, `lambda`.
    pub service: String,
}

/// Returns the credential in the `Authorization` header or in the query; `None` if the request is not signed.
pub fn credential(headers: &HeaderMap, uri: &Uri) -> Option<Credential> {
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    caller(authorization, uri.query().unwrap_or_default())
}

/// Returns the credential in the value of an `Authorization` header or in a query.
pub fn caller(authorization: Option<&str>, query: &str) -> Option<Credential> {
    authorization
        .and_then(of_header)
        .or_else(|| of_query(query))
}

fn of_header(value: &str) -> Option<Credential> {
    let (algorithm, parts) = value.split_once(' ')?;
    if !algorithm.starts_with("AWS4-") {
        return None;
    }
    let mut parts = parts.split(',').map(str::trim);
    let scope = parts.find_map(|part| part.strip_prefix("Credential="))?;
    parse(scope)
}

fn of_query(query: &str) -> Option<Credential> {
    let scope = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    let scope = percent_encoding::percent_decode_str(scope)
        .decode_utf8()
        .ok()?;
    parse(&scope)
}

fn parse(scope: &str) -> Option<Credential> {
    let (access_key, rest) = scope.split_once('/')?;
    let (rest, "aws4_request") = rest.rsplit_once('/')? else {
        return None;
    };
    let (_, service) = rest.rsplit_once('/')?;
    (!access_key.is_empty() && !service.is_empty()).then(|| Credential {
        access_key: access_key.to_owned(),
        service: service.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(authorization: &str, uri: &str) -> Option<Credential> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        credential(&headers, &uri.parse().unwrap())
    }

    #[test]
    fn a_credential_is_parsed_from_the_header_and_from_the_query() {
        let expected = Some(Credential {
            access_key: "AKIA1".to_owned(),
            service: "execute-api".to_owned(),
        });
        let header = "AWS4-HMAC-SHA256 Credential=AKIA1/20240209/us-east-1/execute-api/aws4_request, \
                      SignedHeaders=host, Signature=ab";
        assert_eq!(signed(header, "/"), expected);
        let query =
            "/dev?X-Amz-Credential=AKIA1%2F20240209%2Fus-east-1%2Fexecute-api%2Faws4_request";
        assert_eq!(signed("Bearer x", query), expected);
    }

    #[test]
    fn an_unsigned_request_has_no_credential() {
        assert_eq!(signed("Bearer AWS4-", "/"), None);
        assert_eq!(signed("AWS4-HMAC-SHA256 Credential=AKIA1", "/"), None);
        assert_eq!(
            signed("AWS4-HMAC-SHA256 Credential=/a/b/c/aws4_request", "/"),
            None
        );
    }
}
