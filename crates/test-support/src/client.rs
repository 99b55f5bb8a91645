//! A well-behaved client over TLS. Every request has a connection of its own, unless it is sent
//! on one that is open.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use crate::deadline::soon;
use crate::door::Door;

/// Which HTTP a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// Both, for what must not depend on it.
    pub const BOTH: [Self; 2] = [Self::Http1, Self::Http2];

    /// Its name in ALPN.
    pub fn alpn(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

/// Somebody who sends requests.
#[derive(Debug, Clone)]
pub struct Client {
    door: Door,
    protocol: Protocol,
    from: Option<IpAddr>,
    token: Option<String>,
}

impl Client {
    /// Somebody at this door, without a token.
    pub fn new(door: Door, protocol: Protocol) -> Self {
        Self { door, protocol, from: None, token: None }
    }

    /// The same client, speaking another protocol.
    #[must_use]
    pub fn over(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The same client, at another address of this machine, such as 127.0.0.2.
    ///
    /// # Panics
    /// When the text is no address.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        self.from = Some(address.parse().unwrap());
        self
    }

    /// The same client, showing this token with every request.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// A request without a body.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A request that will be given a body.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// A request with any method.
    ///
    /// # Panics
    /// When the method is no token.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let mut call = Call {
            client: self.clone(),
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        if let Some(token) = &self.token {
            call = call.header("authorization", &format!("Bearer {token}"));
        }
        call
    }

    /// The access token that the password grant gives (RFC 6749, 4.3).
    ///
    /// # Panics
    /// When the login is refused.
    pub async fn log_in(&self, username: &str, password: &str) -> String {
        let fields = [("grant_type", "password"), ("username", username), ("password", password)];
        let answer = self.post("/api/auth/token").form(&fields).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A connection to send several requests on.
    ///
    /// # Errors
    /// When nobody listens, or the handshake fails.
    pub async fn connect(&self) -> io::Result<Connection> {
        let config = Arc::new(self.door.tls(&[&TLS13, &TLS12], &[self.protocol.alpn()]));
        let stream = TokioIo::new(self.door.shake_hands(config, self.from).await?);
        match self.protocol {
            Protocol::Http1 => {
                let (sender, driver) = http1::handshake(stream).await.map_err(io::Error::other)?;
                tokio::spawn(driver);
                Ok(Connection::Http1(sender))
            }
            Protocol::Http2 => {
                let opening = http2::handshake(TokioExecutor::new(), stream).await;
                let (sender, driver) = opening.map_err(io::Error::other)?;
                tokio::spawn(driver);
                Ok(Connection::Http2(sender))
            }
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub enum Connection {
    /// One request after the other.
    Http1(http1::SendRequest<Full<Bytes>>),
    /// Many requests at once.
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A request about to be sent.
#[derive(Debug, Clone)]
pub struct Call {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// Adds a header; one that is there stays.
    ///
    /// # Panics
    /// When it is no header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    /// Makes a repetition of the request harmless.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With a body of this media type.
    #[must_use]
    pub fn body(mut self, media: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", media)
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With the body of a form. The values are for a form as they are: letters and digits.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Sends it on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(self) -> Answer {
        let text = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("no answer to {text}: {error}"))
    }

    /// Sends it on a connection of its own, if there can be one.
    ///
    /// # Errors
    /// When nobody listens, or the connection ends before the answer.
    pub async fn try_send(self) -> io::Result<Answer> {
        let mut connection = soon("a connection", self.client.connect()).await?;
        self.send_on(&mut connection).await
    }

    /// Sends it on an open connection.
    ///
    /// # Errors
    /// When the connection ends before the answer.
    pub async fn send_on(self, connection: &mut Connection) -> io::Result<Answer> {
        let exchange = async {
            let response = match connection {
                Connection::Http1(sender) => {
                    sender.ready().await.map_err(io::Error::other)?;
                    sender.send_request(self.request(&self.path)).await
                }
                Connection::Http2(sender) => {
                    let url = format!("https://{}{}", self.client.door.host(), self.path);
                    sender.send_request(self.request(&url)).await
                }
            };
            Answer::read(response.map_err(io::Error::other)?).await
        };
        soon(format!("an answer to {} {}", self.method, self.path), exchange).await
    }

    fn request(&self, target: &str) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(&self.method).uri(target);
        *request.headers_mut().unwrap() = self.headers.clone();
        if target == self.path {
            request = request.header(header::HOST, self.client.door.host());
        }
        request.body(Full::from(self.body.clone())).unwrap()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Which HTTP it came over.
    pub version: Version,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as it is.
    pub body: Bytes,
}

impl Answer {
    async fn read(response: Response<hyper::body::Incoming>) -> io::Result<Self> {
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let status = head.status.as_u16();
        Ok(Self { status, version: head.version, headers: head.headers, body })
    }

    /// A header's value, if it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().unwrap();
        assert!(values.next().is_none(), "`{name}` is there twice: {:?}", self.headers);
        Some(value)
    }

    /// The body, read as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It is a refusal with this status and code, in the form of RFC 9457; its decision id.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["code"], json!(code), "{problem}");
        assert_eq!(problem["status"], json!(status));
        assert_eq!(problem["type"], json!(format!("urn:stockade:problem:{code}")));
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        let id = problem["decision_id"].as_str().expect("a decision id");
        assert_eq!(self.header("request-id"), Some(id));
        id.to_owned()
    }
}

/// Pays a payment at the provider's mock, which speaks plain HTTP/1.1.
pub(crate) async fn pay(mock: SocketAddr, opened: &Value) {
    let told = |name: &str| opened[name].as_str().unwrap();
    let path = format!("/v1/payment_intents/{}/confirm", told("provider_ref"));
    let form = format!("payment_method=pm_card_visa&client_secret={}", told("client_secret"));
    let exchange = async {
        let stream = tokio::net::TcpStream::connect(mock).await.unwrap();
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        let request = Request::post(path).header(header::HOST, "localhost");
        let request = request.body(Full::new(Bytes::from(form))).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::OK);
    };
    soon(format!("a payment at the mock {mock}"), exchange).await;
}

/// Asks an ops listener, which speaks plain HTTP/1.1.
pub(crate) async fn plain_get(address: SocketAddr, path: &str) -> (u16, String) {
    let exchange = async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        let request = Request::get(path).header(header::HOST, "localhost");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status: StatusCode = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    };
    soon(format!("{path} of the ops listener {address}"), exchange).await
}
