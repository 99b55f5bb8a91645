//! The core's promises, kept through its socket by a real core on a SQLite database.
//!
//! `tests/postgres` runs the same tests on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod admin_users;
mod audit;
mod audit_proof;
mod backend;
mod bucket;
mod call;
mod cart;
mod catalog;
mod categories;
mod clamd;
mod conservation;
mod description;
mod durability;
mod factors;
mod file;
mod gate;
mod images;
mod inventory;
mod keys;
mod mail;
mod orders;
mod overload;
mod passwords;
mod payments;
mod payments_in_trouble;
mod privacy;
mod products;
mod provider;
mod repairs;
mod revocations;
mod sessions;
mod start;
mod throttle;
mod till;
mod trust;
mod users;
mod vectors;
mod verify;
mod world;
