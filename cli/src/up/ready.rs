//! `ready.json`: where everything is, written when everything answers and gone when it does not.

use std::net::SocketAddr;

use serde::Serialize;
use stockade_core_api::{Core, PaymentMock};
use stockade_proxy::Proxy;

use super::certificates::AUTHORITY;
use super::data_dir::DataDir;

const FILE: &str = "ready.json";

/// Where a running system is.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    /// The edge, for clients.
    url: String,
    listen: SocketAddr,
    /// The edge's metrics and probes.
    ops: SocketAddr,
    /// The core's metrics and probes.
    core_ops: SocketAddr,
    /// The mock of a payment provider, where it takes the place of a real one.
    #[serde(skip_serializing_if = "Option::is_none")]
    payments: Option<SocketAddr>,
    /// The authority to trust.
    ca: String,
    /// The demo's accounts.
    demo: String,
    pid: u32,
}

impl Ready {
    pub(super) fn of(
        data: &DataDir,
        proxy: &Proxy,
        core: &Core,
        mock: Option<&PaymentMock>,
    ) -> Self {
        let listen = proxy.addr();
        Self {
            url: format!("https://localhost:{}", listen.port()),
            listen,
            ops: proxy.ops_addr(),
            core_ops: core.ops_addr(),
            payments: mock.map(PaymentMock::addr),
            ca: data.path(AUTHORITY).display().to_string(),
            demo: data.path("demo.json").display().to_string(),
            pid: std::process::id(),
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn authority(&self) -> &str {
        &self.ca
    }

    pub(super) fn demo(&self) -> &str {
        &self.demo
    }

    pub(super) fn ops(&self) -> SocketAddr {
        self.ops
    }

    pub(super) fn payments(&self) -> Option<SocketAddr> {
        self.payments
    }

    pub(super) fn write(&self, data: &DataDir) -> anyhow::Result<()> {
        data.write(FILE, format!("{}\n", serde_json::to_string_pretty(self)?).as_bytes())?;
        Ok(())
    }
}

pub(super) fn remove(data: &DataDir) {
    data.remove(FILE);
}
