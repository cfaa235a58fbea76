//! Requests that leave the gateway: to HTTP endpoints of integrations, and to services that do not run here.

mod account;
pub(crate) mod actions;
mod client;
mod connection_headers;
pub(crate) mod errors;
mod other_services;
mod s3_actions;
pub(crate) mod service_client;
mod services_url;
mod verify;

pub use account::AccountAccess;
pub use other_services::OtherServices;
pub use services_url::{ServicesUrl, ServicesUrlError};
