//! Promises kept from the outside, through TLS; they are in `tests/it`, one file each.
