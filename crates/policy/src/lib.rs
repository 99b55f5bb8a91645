//! The policy engine: who may do what to whose, from which network, on which route.
//!
//! A policy is a folder of plain files. [`Bundle::load`] takes their bytes and either says
//! everything that is wrong with them ([`Finding`]) or hands out a [`Bundle`]:
//!
//! 1. **read** strictly: what is not understood is refused, never skipped;
//! 2. **compiled** to one cell of bits per role and permission, inheritance included;
//! 3. **proven**: Casbin is asked every cell and must agree ([`Proof`]).
//!
//! A decision is then a look-up ([`Bundle::decide`]): no allocation, no lock, no failure.
//!
//! A request is judged in three steps: [`RouteTable::find`] says which route answers and thereby
//! which permission is needed; [`Bundle::activate`] says which of the caller's roles count at
//! their address; [`Bundle::decide`] says with what [`Scope`] these roles have the permission.
//!
//! What is allowed to stand in a policy and is probably not meant, [`lint()`] says; how much of it
//! the [`cases`] would miss if it changed, [`coverage`]; who is allowed something, [`who_can()`]; why a
//! request gets what it gets, [`explain`]; who gets something else under another policy, [`diff`].
//!
//! [`Limits`] and [`Cors`] are read and handed out; the edge counts and answers by them.
//!
//! The crate opens no file and no socket and reads no clock: the same bundle and the same
//! question always give the same answer.
#![warn(missing_docs)]

mod activation;
mod bundle;
pub mod cases;
mod clean_path;
mod cors;
pub mod coverage;
mod derivation;
pub mod diff;
mod draft;
pub mod explain;
mod files;
mod finding;
pub mod format;
mod headers;
mod judge;
mod limits;
mod lint;
pub mod matrix;
mod measure;
mod mode;
mod model;
mod names;
mod network;
pub mod openapi;
mod oracle;
mod pattern;
pub mod replay;
mod resources;
mod role_set;
mod roles;
mod route;
mod route_table;
mod routes_file;
mod rows;
mod rules;
mod source;
mod table;
mod toml_reader;
mod who_can;

pub use self::activation::{Activation, Circumstances, Condition, ELSEWHERE, InactiveRole, Unmet};
pub use self::bundle::{Bundle, Unproven};
pub use self::clean_path::{Ambiguity, CleanPath, TARGET_BYTES_MAX};
pub use self::cors::Cors;
pub use self::files::{BundleFiles, BundleHash, FILE_BYTES_MAX, RUNTIME_FILES};
pub use self::finding::{Code, Finding, Severity};
pub use self::headers::ResponseHeader;
pub use self::judge::{Asker, Caller, Denial, Judgement, Outcome};
pub use self::limits::{Limit, LimitCount, LimitKey, LimitName, Limits};
pub use self::lint::lint;
pub use self::measure::{Age, BadAge};
pub use self::mode::Mode;
pub use self::names::{LimitId, NetworkId, PermissionId, RoleId, RouteId};
pub use self::network::{Network, Networks};
pub use self::oracle::Proof;
pub use self::pattern::{Method, MethodRule, Pattern};
pub use self::role_set::RoleSet;
pub use self::roles::Link;
pub use self::route::{Auth, BodyRule, Route, RouteName};
pub use self::route_table::{RouteMatch, RouteTable};
pub use self::rules::{Effect, Rule};
pub use self::table::Scope;
pub use self::who_can::{Access, Clash, Reason, Requirement, TargetError, WhoCan, who_can};
