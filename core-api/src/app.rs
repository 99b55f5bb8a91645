//! What every handler and every operation may reach.

use std::sync::Arc;

use stockade_contract::assertion::Keyring;
use stockade_telemetry::Readiness;
use tokio::sync::Semaphore;

use crate::accounts::{Passwords, TokenIssuer};
use crate::audit::{AuditKeys, CheckpointFile};
use crate::clock::Clock;
use crate::http::CursorKey;
use crate::ids::IdSource;
use crate::images::Images;
use crate::inventory::Units;
use crate::mail::Texts;
use crate::metrics::CoreMetrics;
use crate::outbox::Outbox;
use crate::payments::Provider;
use crate::privacy::ErasureJournal;
use crate::store::Store;
use crate::vault::Vault;
use crate::writer::Writer;

/// The parts of a running core.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) writer: Writer,
    pub(crate) clock: Clock,
    pub(crate) ids: IdSource,
    pub(crate) passwords: Passwords,
    pub(crate) tokens: TokenIssuer,
    pub(crate) provider: Provider,
    pub(crate) outbox: Outbox,
    pub(crate) vault: Arc<Vault>,
    pub(crate) journal: ErasureJournal,
    pub(crate) texts: Texts,
    pub(crate) images: Images,
    /// Places for work that is done after the answer.
    pub(crate) errands: Arc<Semaphore>,
    pub(crate) assertions: Keyring,
    pub(crate) cursors: CursorKey,
    pub(crate) audit_keys: AuditKeys,
    pub(crate) checkpoints: CheckpointFile,
    pub(crate) metrics: Arc<CoreMetrics>,
    /// When a SKU is low that does not say so itself.
    pub(crate) low_at: Option<Units>,
    pub(crate) readiness: Readiness,
}
