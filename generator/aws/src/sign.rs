//! Signatures of requests that the local gateway forwards to the account.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::{HeaderName, HeaderValue, Request};
use stackgen_deploy::{AccountError, AccountErrorKind as Kind, AccountResult};

use crate::connect::Aws;

impl Aws {
    /// Signs a request with an absolute URI, for a service by its signing name. The host, the content type and all headers of
    /// AWS are signed, and the whole body.
    ///
    /// # Errors
    ///
    /// If there are no credentials any more, or the request has a header that cannot be signed.
    pub async fn sign<B: AsRef<[u8]> + Send>(
        &self,
        service: &str,
        mut request: Request<B>,
    ) -> AccountResult<Request<B>> {
        let identity = self.signing.get().await?.into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build();
        let params = params.map_err(|error| unsignable(&error))?.into();
        let headers = request.headers().iter();
        let headers = headers
            .filter(|(name, _)| is_signed(name))
            .map(|(name, value)| Ok((name.as_str(), value.to_str().map_err(|e| unsignable(&e))?)));
        let headers: Vec<(&str, &str)> = headers.collect::<AccountResult<_>>()?;
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers.into_iter(),
            SignableBody::Bytes(request.body().as_ref()),
        );
        let signable = signable.map_err(|error| unsignable(&error))?;
        let signed = sign(signable, &params).map_err(|error| unsignable(&error))?;
        let (instructions, _) = signed.into_parts();
        for (name, value) in instructions.headers() {
            let name = HeaderName::try_from(name).map_err(|error| unsignable(&error))?;
            let mut value = HeaderValue::try_from(value).map_err(|error| unsignable(&error))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

/// Returns true for headers that change what a service does.
fn is_signed(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-amz") || [http::header::CONTENT_TYPE].contains(name)
}

fn unsignable(error: &dyn std::error::Error) -> AccountError {
    let message = format!("the request cannot be signed: {error}");
    AccountError::before_calls(Kind::BadConfiguration, message)
}
