//! The core's promises, kept through its socket by a real core on a real database.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod call;
mod cart;
mod catalog;
mod categories;
mod conservation;
mod description;
mod durability;
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
