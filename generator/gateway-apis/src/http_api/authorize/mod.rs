//! Authorization of requests.

mod identity_source;
mod jwt;
mod keys;
mod lambda;

use stackgen_gateway_common::sigv4;

pub(super) use self::keys::IssuerKeys;
pub(super) use self::lambda::AuthorizerCache;
use super::Exchange;
use super::authorization::RequestAuthorization;
use super::events::EventBuilder;
use super::refusal::HttpRefusal;
use super::route::RouteMatch;
use crate::apis::{StoredAuthorizer, StoredRoute};

impl Exchange<'_> {
    /// Authorizes the request by the route's authorization type.
    pub(super) async fn authorize(
        &self,
        matched: &RouteMatch,
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let route = &matched.route;
        match route.authorization_type.as_str() {
            "NONE" => Ok(RequestAuthorization::Open),
            "AWS_IAM" => self.authorize_with_iam(matched),
            "JWT" => {
                let authorizer = self.authorizer(route)?;
                self.authorize_with_jwt(authorizer, &route.authorization_scopes)
                    .await
            }
            "CUSTOM" => {
                let authorizer = self.authorizer(route)?;
                self.authorize_with_lambda(authorizer, matched).await
            }
            other => Err(HttpRefusal::internal(format!(
                "authorization type {other} is unknown"
            ))),
        }
    }

    fn authorizer(&self, route: &StoredRoute) -> Result<&StoredAuthorizer, HttpRefusal> {
        let authorizer = self.snapshot.authorizer(route);
        let missing = || HttpRefusal::internal("the route's authorizer is not in the deployment");
        Ok(authorizer.ok_or_else(missing)?)
    }

    /// Checks the caller's permission as row A14 does for `$connect`. Signatures are not verified.
    fn authorize_with_iam(
        &self,
        matched: &RouteMatch,
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let authorization = self.request.header("authorization");
        let caller = sigv4::caller(authorization.as_deref(), &self.request.query);
        let Some(caller) = caller else {
            return Err(HttpRefusal::forbidden("the request is not signed"));
        };
        let builder = EventBuilder {
            exchange: self,
            matched,
        };
        let (action, resource) = ("execute-api:Invoke", builder.route_arn());
        if !self
            .api
            .grants
            .allows(&caller.access_key, action, &resource)
        {
            return Err(HttpRefusal::forbidden(format!(
                "the caller's role does not allow {action} on {resource}"
            )));
        }
        let scope = &self.api.plane.settings.scope;
        Ok(RequestAuthorization::Iam {
            access_key: caller.access_key,
            account: scope.account.clone(),
            user_arn: format!("arn:{}:iam::{}:root", scope.partition, scope.account),
        })
    }
}
