//! The edge: what stands between everybody and the core.
//!
//! A request's journey, in the order of the files:
//!
//! | step | where | what it settles |
//! |---|---|---|
//! | connect | `listener` | caps, TLS, deadlines, raw bytes, framing |
//! | arrive | `edge` | Pingora's phases, wired; no decision is made there |
//! | judge | `admit`, `guards` | READ FIRST: every guard, in order |
//! | refuse | `rejection`, `respond` | the closed list of reasons; the one writer of answers |
//! | forward | `upstream` | what is stripped, and the one assertion that is added |
//! | answer | `response_headers`, `answer_fields` | HSTS and the rest; limits and CORS |
//! | record | `journey`, `records`, `shadow` | one line and the metrics; what another policy had said |
//!
//! What the guards ask: the policy in `live_policy` (replaced by `policy_keeper`), whose tokens are believed in `issuers` and
//! `token`, who the client is in `client_addr`, who is banned in `bans` (by command, `control`),
//! what was spent in `limits`. `server` puts all of it together.

mod admit;
mod answer_fields;
mod asking;
mod bans;
mod client_addr;
mod clock;
mod config;
mod control;
mod cors;
mod crypto;
mod decision_id;
mod edge;
mod fit;
mod guards;
mod host;
mod issuers;
mod journey;
mod key_refresh;
mod limits;
mod listener;
mod live_policy;
mod metrics;
mod policy_folder;
mod policy_keeper;
mod record_text;
mod records;
mod rejection;
mod request_head;
mod respond;
mod response_headers;
mod revocations;
#[cfg(test)]
mod samples;
mod server;
mod shadow;
mod shared;
mod tls;
mod token;
mod upstream;

pub use config::ConfigError;
pub use fit::UnfitPolicy;
pub use issuers::IssuerError;
pub use policy_folder::{LoadedPolicy, PolicyError};
pub use server::{Proxy, StartError};
pub use tls::TlsError;
