//! A mock of a payment provider, where no secret key for a real one is set.
//!
//! It moves no money. It tells the shop what happened as a real one does: by signed webhooks,
//! through the edge.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use stockade_core_api::{Clock, PaymentMock};
use stockade_settings::{Settings, secret};

use super::certificates::AUTHORITY;
use super::data_dir::DataDir;
use super::secrets;

/// A mock that is to be started.
#[derive(Debug)]
pub(super) struct MockPlan {
    listen: SocketAddr,
    secret_key: String,
    webhook_secret: Vec<u8>,
    authority: PathBuf,
}

impl MockPlan {
    /// Makes the mock's secrets and sets them, unless a secret key is set already.
    pub(super) fn of(
        settings: &mut Settings,
        data: &DataDir,
        listen: SocketAddr,
    ) -> anyhow::Result<Option<Self>> {
        let payments = &mut settings.core.payments;
        if payments.secret_key_file.is_some() {
            return Ok(None);
        }
        let key_file = secrets::secret(data, "payments-key")?;
        let webhook_file = secrets::secret(data, "payments-webhook-secret")?;
        let secret_key = String::from_utf8(secret::read(&key_file)?).context("payments-key")?;
        let webhook_secret = secret::read(&webhook_file)?;
        payments.secret_key_file = Some(key_file);
        payments.webhook_secret_files.push(webhook_file);
        let authority = data.path(AUTHORITY);
        Ok(Some(Self { listen, secret_key, webhook_secret, authority }))
    }

    /// Starts the mock and makes it the core's provider.
    pub(super) async fn start(
        self,
        settings: &mut Settings,
        edge_port: u16,
    ) -> anyhow::Result<PaymentMock> {
        let Self { listen, secret_key, webhook_secret, authority } = self;
        let mut mock = PaymentMock::start(listen, secret_key, Clock::system()).await?;
        settings.core.payments.provider_url = format!("http://{}", mock.addr());
        let webhook = format!("https://localhost:{edge_port}/api/webhooks/stripe");
        // Without our own authority there is somebody's certificate, and nobody to check it by.
        if authority.exists() {
            mock.tell(&webhook, &authority, &webhook_secret)?;
        } else {
            tracing::warn!(
                "the payment mock tells nobody: it does not trust the edge's certificate"
            );
        }
        Ok(mock)
    }
}
