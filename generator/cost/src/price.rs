//! The price list.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Prices in us-east-1. AWS has a list per Region; prices of others go into a file of this form.
const PRICES: &str = include_str!("../prices.json");

/// Prices of one Region at one date, without free tiers and discounts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceList {
    /// Region of the prices.
    pub region: String,
    /// Date of the prices, as `YYYY-MM-DD`.
    pub date: String,
    /// Currency of the prices.
    pub currency: String,
    /// Pages that state the prices.
    pub sources: Vec<String>,
    /// A million messages of a WebSocket API, in units of 32 KiB (row L7). Bounds are messages per month.
    pub websocket_messages_per_million: Vec<PriceTier>,
    /// A million minutes of a connection.
    pub websocket_minutes_per_million: f64,
    /// A GiB of data transfer to the internet. Bounds are GiB per month.
    pub transfer_per_gib: Vec<PriceTier>,
    /// A million invocations.
    pub lambda_requests_per_million: f64,
    /// A second with 1 GiB of memory, on x86_64.
    pub lambda_gib_second_x86: f64,
    /// A second with 1 GiB of memory, on arm64.
    pub lambda_gib_second_arm: f64,
    /// A million read request units of tables on demand.
    pub dynamodb_read_units_per_million: f64,
    /// A million write request units of tables on demand.
    pub dynamodb_write_units_per_million: f64,
    /// A GiB that CloudWatch Logs ingests.
    pub logs_per_gib: f64,
    /// A million operations of AppSync Events, in units of 5 KiB.
    pub appsync_operations_per_million: f64,
    /// A million minutes of a connection to AppSync Events.
    pub appsync_minutes_per_million: f64,
}

/// A price for a part of the quantity.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceTier {
    /// Quantity per month up to which the price applies; without it, the price applies to the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<f64>,
    /// The price.
    pub price: f64,
}

/// A price list that cannot be read.
#[derive(Debug, Error)]
pub enum PriceError {
    /// It is not JSON of this form.
    #[error("the price list cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A price is negative or not finite.
    #[error("the price list has a price below 0")]
    Negative,
    /// The bounds of tiers do not rise, or the last tier has one.
    #[error("the tiers of `{0}` must have rising bounds, and the last tier none")]
    Tiers(&'static str),
}

impl PriceList {
    /// Returns the prices in us-east-1 that stackgen contains.
    pub fn embedded() -> Self {
        serde_json::from_str(PRICES).expect("a test reads the embedded list")
    }

    /// Reads a price list.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON of this form, or if a price or the order of tiers makes no sense.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let list: PriceList = serde_json::from_str(text)?;
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), PriceError> {
        let tiers = [
            (
                "websocketMessagesPerMillion",
                &self.websocket_messages_per_million,
            ),
            ("transferPerGib", &self.transfer_per_gib),
        ];
        for (name, tiers) in tiers {
            let bounds: Vec<f64> = tiers
                .iter()
                .map(|tier| tier.up_to.unwrap_or(f64::INFINITY))
                .collect();
            let is_rising = bounds.is_sorted_by(|a, b| a < b);
            if !is_rising || bounds.last() != Some(&f64::INFINITY) || bounds[0] <= 0.0 {
                return Err(PriceError::Tiers(name));
            }
        }
        let of_tiers = tiers.iter().flat_map(|(_, tiers)| tiers.iter());
        let single = [
            self.websocket_minutes_per_million,
            self.lambda_requests_per_million,
            self.lambda_gib_second_x86,
            self.lambda_gib_second_arm,
            self.dynamodb_read_units_per_million,
            self.dynamodb_write_units_per_million,
            self.logs_per_gib,
            self.appsync_operations_per_million,
            self.appsync_minutes_per_million,
        ];
        let mut all = of_tiers.map(|tier| tier.price).chain(single);
        match all.all(|price| price.is_finite() && price >= 0.0) {
            true => Ok(()),
            false => Err(PriceError::Negative),
        }
    }
}

/// Returns the charge for a quantity, each part at the price of its tier. `unit` is the quantity that a price is for.
pub(crate) fn tiered(tiers: &[PriceTier], quantity: f64, unit: f64) -> f64 {
    let (mut charge, mut from) = (0.0, 0.0);
    for tier in tiers {
        let to = tier.up_to.unwrap_or(f64::INFINITY);
        charge += (quantity.min(to) - from).max(0.0) / unit * tier.price;
        from = to;
    }
    charge
}
