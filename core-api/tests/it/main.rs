//! The core's promises, kept through its socket by a real core on a SQLite database.
//!
//! `tests/postgres` runs the same tests on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod admin_users;
mod backend;
mod call;
mod cart;
mod catalog;
mod categories;
mod conservation;
mod description;
mod durability;
mod factors;
mod file;
mod inventory;
mod keys;
mod mail;
mod orders;
mod overload;
mod passwords;
mod payments;
mod products;
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
