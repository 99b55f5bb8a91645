//! A connection to the core, on which the edge's word is given for every request.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use stockade_contract::assertion::{Assertion, AssertionKey, Keyring, Scope};
use stockade_core_api::{Clock, RouteFacts, routes};
use tokio::net::UnixStream;

use super::shop::SECRET;

/// An account; orders need none that exists.
const ACCOUNT: &str = "0198f3a2-7c51-7d60-9a11-5b1c7e20d4aa";

/// A connection to the core.
pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    keyring: Keyring,
    clock: Clock,
}

impl Line {
    pub(super) async fn connect(socket: &Path) -> anyhow::Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let keyring = Keyring::new(AssertionKey::derive(SECRET, "core")?);
        Ok(Self { sender, keyring, clock: Clock::system() })
    }

    /// Posts JSON to a path of this route; whatever is not 201 is an error.
    pub(super) async fn post(
        &mut self,
        route: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Bytes> {
        let assertion = self.keyring.sign(&self.assertion(&Method::POST, route, path)?);
        let request = Request::post(path)
            .header("host", "core")
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .header("stockade-assertion", assertion)
            .body(Full::from(body.to_string()))?;
        self.ask(request, 201).await
    }

    /// Reads a path of this route; whatever is not 200 is an error.
    pub(super) async fn get(&mut self, route: &str, path: &str) -> anyhow::Result<Bytes> {
        let assertion = self.keyring.sign(&self.assertion(&Method::GET, route, path)?);
        let request = Request::get(path)
            .header("host", "core")
            .header("stockade-assertion", assertion)
            .body(Full::default())?;
        self.ask(request, 200).await
    }

    async fn ask(&mut self, request: Request<Full<Bytes>>, wanted: u16) -> anyhow::Result<Bytes> {
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status == wanted, "{status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    fn assertion(&self, method: &Method, route: &str, path: &str) -> anyhow::Result<Assertion> {
        Ok(Assertion {
            audience: "core".to_owned(),
            request_id: "bench".to_owned(),
            method: method.to_string(),
            permission: permission(method, route)?.to_owned(),
            path_and_query: path.to_owned(),
            subject: ACCOUNT.to_owned(),
            session: String::new(),
            roles: "customer".to_owned(),
            scope: if route.starts_with("/api/orders") { Scope::Own } else { Scope::Any },
            authenticated_at: 0,
            client_address: "unknown".to_owned(),
            bundle: "bench".to_owned(),
            expires_at: self.clock.now().secs() + 30,
        })
    }
}

/// What the core's route table says. It is made once: it is the core's work, not a client's.
fn permission(method: &Method, route: &str) -> anyhow::Result<&'static str> {
    static ROUTES: OnceLock<Vec<RouteFacts>> = OnceLock::new();
    let fits = |facts: &&RouteFacts| facts.method == method.as_str() && facts.path == route;
    let facts = ROUTES.get_or_init(routes).iter().find(fits).context("no such route")?;
    Ok(facts.permission)
}
