//! What the tests have in common: tables in a real DynamoDB, and people to put into them.

pub mod database;
pub mod faults;
pub mod people;
