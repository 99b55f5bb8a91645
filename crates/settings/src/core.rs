//! Settings of the core.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use serde::Deserialize;

use crate::images::{ImageSettings, ScannerSettings};
use crate::mail::MailSettings;
use crate::store::StoreSettings;

/// The `[core]` section. Paths are relative to the file they are written in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoreSettings {
    /// The Unix socket on which the edge, and nobody else, is answered.
    pub socket: Option<PathBuf>,
    /// Where metrics, liveness and readiness are served.
    pub ops_listen: SocketAddr,
    /// Where the shop is kept.
    pub store: StoreSettings,
    /// The secret that edge and core share: at least 32 bytes. The edge's assertions are
    /// signed with a key derived from it.
    pub assertion_secret_file: Option<PathBuf>,
    /// The ES256 private key that signs access tokens: PKCS#8, PEM.
    pub signing_key_file: Option<PathBuf>,
    /// The pepper mixed into every password hash: at least 32 bytes.
    pub password_pepper_file: Option<PathBuf>,
    /// The key that wraps the data key of every account, under which what is confidential of
    /// its owner is sealed in the database: at least 32 bytes.
    pub data_key_file: Option<PathBuf>,
    /// The Ed25519 private key that signs checkpoints of the audit trail: PKCS#8, PEM.
    pub audit_key_file: Option<PathBuf>,
    /// Where checkpoints of the audit trail are told outside the database, a line each.
    pub audit_checkpoints_file: Option<PathBuf>,
    /// The key before this one, until `stockade privacy rewrap` has been run.
    pub previous_data_key_file: Option<PathBuf>,
    /// The key of the digests by which user names and e-mail addresses are found, and under
    /// which recovery codes are kept: at least 32 bytes. It is never changed.
    pub index_key_file: Option<PathBuf>,
    /// The list of erased accounts, outside of the database and of its backups.
    pub erasure_journal_file: Option<PathBuf>,
    /// The `iss` of access tokens.
    pub issuer: String,
    /// The `aud` of access tokens.
    pub audience: String,
    /// Life of an access token, in seconds.
    pub access_token_secs: NonZeroU32,
    /// Life of a session, in seconds: so long after a login, tokens can be refreshed.
    pub refresh_token_secs: NonZeroU32,
    /// Writes that may wait for the database at once; one more is answered 503.
    pub write_queue_max: NonZeroUsize,
    /// Passwords hashed at once; each takes a third of a second of one processor.
    pub password_hashes_max: NonZeroUsize,
    /// A SKU that says nothing else is low when no more than so many units are available; 0 to a
    /// thousand million. Without it, only those are ever low that have a threshold of their own.
    pub low_stock_at: Option<u32>,
    /// How people are written to.
    pub mail: MailSettings,
    /// Where products' images are kept.
    pub images: ImageSettings,
    /// Who looks into them before.
    pub scanner: ScannerSettings,
    /// Whoever moves the money.
    pub payments: PaymentSettings,
}

/// The `[core.payments]` section. Paths are relative to the file they are written in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentSettings {
    /// Where the payment provider answers: Stripe's API, or one like it.
    pub provider_url: String,
    /// The secret key for the provider. Without one, nobody can pay. With one, at least one
    /// webhook secret is needed.
    pub secret_key_file: Option<PathBuf>,
    /// The secrets that the provider's webhooks are signed with. Each of them is believed, so
    /// that one can be replaced: add the new one, tell the provider, remove the old one.
    pub webhook_secret_files: Vec<PathBuf>,
}

impl Default for PaymentSettings {
    fn default() -> Self {
        Self {
            provider_url: "https://api.stripe.com".to_owned(),
            secret_key_file: None,
            webhook_secret_files: Vec::new(),
        }
    }
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            socket: None,
            ops_listen: SocketAddr::from(([127, 0, 0, 1], 9902)),
            store: StoreSettings::default(),
            assertion_secret_file: None,
            signing_key_file: None,
            password_pepper_file: None,
            data_key_file: None,
            audit_key_file: None,
            audit_checkpoints_file: None,
            previous_data_key_file: None,
            index_key_file: None,
            erasure_journal_file: None,
            issuer: "https://localhost:8443".to_owned(),
            audience: "stockade".to_owned(),
            access_token_secs: NonZeroU32::new(15 * 60).unwrap_or(NonZeroU32::MIN),
            refresh_token_secs: NonZeroU32::new(30 * 24 * 60 * 60).unwrap_or(NonZeroU32::MIN),
            write_queue_max: NonZeroUsize::new(1024).unwrap_or(NonZeroUsize::MIN),
            password_hashes_max: NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN),
            low_stock_at: None,
            mail: MailSettings::default(),
            images: ImageSettings::default(),
            scanner: ScannerSettings::default(),
            payments: PaymentSettings::default(),
        }
    }
}
