//! The promises of `tests/it`, kept on PostgreSQL by a core that logs in with the least
//! privileges; and those that only PostgreSQL makes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backend;
mod copy;
mod reach;
mod replicas;
mod roles;
mod schema;
mod waiting;

#[path = "../it/accounts.rs"]
mod accounts;
#[path = "../it/admin_users.rs"]
mod admin_users;
#[path = "../it/audit.rs"]
mod audit;
#[path = "../it/audit_proof.rs"]
mod audit_proof;
#[path = "../it/bucket.rs"]
mod bucket;
#[path = "../it/call.rs"]
mod call;
#[path = "../it/cart.rs"]
mod cart;
#[path = "../it/catalog.rs"]
mod catalog;
#[path = "../it/categories.rs"]
mod categories;
#[path = "../it/clamd.rs"]
mod clamd;
#[path = "../it/conservation.rs"]
mod conservation;
#[path = "../it/durability.rs"]
mod durability;
#[path = "../it/factors.rs"]
mod factors;
#[path = "../it/gate.rs"]
mod gate;
#[path = "../it/images.rs"]
mod images;
#[path = "../it/inventory.rs"]
mod inventory;
#[path = "../it/keys.rs"]
mod keys;
#[path = "../it/mail.rs"]
mod mail;
#[path = "../it/orders.rs"]
mod orders;
#[path = "../it/overload.rs"]
mod overload;
#[path = "../it/passwords.rs"]
mod passwords;
#[path = "../it/payments.rs"]
mod payments;
#[path = "../it/payments_in_trouble.rs"]
mod payments_in_trouble;
#[path = "../it/privacy.rs"]
mod privacy;
#[path = "../it/products.rs"]
mod products;
#[path = "../it/provider.rs"]
mod provider;
#[path = "../it/repairs.rs"]
mod repairs;
#[path = "../it/revocations.rs"]
mod revocations;
#[path = "../it/sessions.rs"]
mod sessions;
#[path = "../it/start.rs"]
mod start;
#[path = "../it/throttle.rs"]
mod throttle;
#[path = "../it/till.rs"]
mod till;
#[path = "../it/trust.rs"]
mod trust;
#[path = "../it/users.rs"]
mod users;
#[path = "../it/world.rs"]
mod world;
