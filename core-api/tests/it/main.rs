//! The core's promises, kept through its socket by a real core on a SQLite database.
//!
//! `tests/postgres` runs the same tests on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod backend;
mod call;
mod cart;
mod catalog;
mod categories;
mod conservation;
mod description;
mod durability;
mod file;
mod inventory;
mod orders;
mod overload;
mod payments;
mod products;
mod sessions;
mod start;
mod till;
mod trust;
mod users;
mod verify;
mod world;
