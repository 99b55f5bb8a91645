//! What Stockade promises, tried from the outside: the built programs, over TLS, one file for
//! each promise.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "these are tests: where they cannot go on, they have failed"
)]

mod access;
mod bans;
mod client_address;
mod cors;
mod deadlines;
mod docs_page;
mod headers;
mod init;
mod keep_alive;
mod orders;
mod pingora_items;
mod records;
mod refusals;
mod reload;
mod revocation;
mod second_factor;
mod shadow;
mod start_stop;
mod tls;
mod tour;
