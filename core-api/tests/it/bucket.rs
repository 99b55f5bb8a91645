//! A bucket: a small server that speaks as much of S3 as the core asks for, in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running bucket named `shop`.
pub(crate) struct Bucket {
    pub(crate) address: SocketAddr,
    objects: Objects,
    serving: JoinHandle<()>,
}

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

impl Bucket {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, objects) = (listener.local_addr().unwrap(), Objects::default());
        let kept = Arc::clone(&objects);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let kept = Arc::clone(&kept);
                let answer = service_fn(move |request| answer(Arc::clone(&kept), request));
                // One request for each connection, so that none outlives the server.
                let mut server = http1::Builder::new();
                tokio::spawn(
                    server.keep_alive(false).serve_connection(TokioIo::new(stream), answer),
                );
            }
        });
        Self { address, objects, serving }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    /// Nobody answers there any more.
    pub(crate) fn stop(&self) {
        self.serving.abort();
    }
}

async fn answer(
    objects: Objects,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let signed = head.headers["authorization"].to_str().unwrap();
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=core/"), "{signed}");
    assert!(signed.contains("/eu-test-1/s3/aws4_request"), "{signed}");
    let bytes = body.collect().await.unwrap().to_bytes();
    let mut objects = objects.lock().unwrap();
    let Some(name) = head.uri.path().strip_prefix("/shop/") else {
        assert_eq!((head.method, head.uri.path()), (Method::GET, "/shop"));
        return Ok(Response::new(list(&objects).into()));
    };
    let found = objects.get(name).cloned();
    let status = match (&head.method, &found) {
        (&Method::PUT, _) => {
            objects.insert(name.to_owned(), bytes);
            StatusCode::OK
        }
        (&Method::DELETE, _) => {
            objects.remove(name);
            StatusCode::NO_CONTENT
        }
        (_, Some(_)) => StatusCode::OK,
        (_, None) => StatusCode::NOT_FOUND,
    };
    let mut response = Response::builder().status(status).header("etag", "\"e\"");
    let mut body = found.filter(|_| head.method != Method::PUT).unwrap_or_default();
    if head.method == Method::HEAD {
        response = response.header("content-length", body.len());
        body = Bytes::new();
    }
    Ok(response.body(body.into()).unwrap())
}

fn list(objects: &BTreeMap<String, Bytes>) -> String {
    let mut xml = "<?xml version=\"1.0\"?><ListBucketResult><Name>shop</Name>".to_owned();
    for (name, bytes) in objects {
        write!(
            xml,
            "<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <Size>{}</Size><ETag>\"e\"</ETag></Contents>",
            bytes.len()
        )
        .unwrap();
    }
    xml + "</ListBucketResult>"
}
