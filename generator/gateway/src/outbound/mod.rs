//! Requests that leave the gateway: to HTTP endpoints of integrations, and to services that do not run here.

pub(crate) mod actions;
mod client;
pub(crate) mod errors;
mod other_services;
mod services_url;

pub use other_services::OtherServices;
pub use services_url::{ServicesUrl, ServicesUrlError};
