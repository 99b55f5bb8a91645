//! A bare Pingora proxy: Pingora's own TLS listener, one thread, everything forwarded, no logic.
//!
//! What `stockade-proxy` is measured against. It sets nothing that Pingora leaves alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use async_trait::async_trait;
use pingora::listeners::tls::TlsSettings;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service};
use pingora::server::Server;
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;

/// Serves the bare Pingora proxy of `edge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Where HTTPS is served.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The upstream's Unix socket.
    #[arg(long, value_name = "PATH")]
    upstream: PathBuf,
    /// The certificate, PEM.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Its key, PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Keep Pingora's default runtime, whose threads steal work from each other.
    #[arg(long)]
    work_stealing: bool,
}

struct Bare {
    upstream: HttpPeer,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(self.upstream.clone()))
    }
}

pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    // Pingora would install another provider of cryptography than the edge's.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let text = |path: &PathBuf| path.to_str().map(str::to_owned).context("a path is not UTF-8");
    let upstream = HttpPeer::new_uds(&text(&flags.upstream)?, false, String::new())?;
    let mut tls = TlsSettings::intermediate(&text(&flags.certificate)?, &text(&flags.key)?)?;
    tls.enable_h2();

    let conf = ServerConf { threads: 1, work_stealing: flags.work_stealing, ..Default::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Bare { upstream });
    service.add_tls_with_settings(&flags.listen.to_string(), None, tls);
    server.add_service(service);
    server.run_forever()
}
