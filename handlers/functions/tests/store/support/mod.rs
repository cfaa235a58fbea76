//! What the tests have in common: tables in a real DynamoDB, and people to put into them.

pub(crate) mod database;
pub(crate) mod faults;
pub(crate) mod people;
