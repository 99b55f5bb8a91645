//! Cases spread over a few edges. An edge has one case at a time, so that what its recorder
//! heard belongs to that case.

use std::cell::RefCell;

use serde_json::Value;
use stockade_test_support::{EdgeAlone, EdgeSetup, PolicyFolder, Recorded};

/// The target of the request after a case.
const LAST: &str = "/the-last-of-this-case";

/// An edge that takes any body for anybody, and gives up on silent clients soon.
pub(crate) fn open_to_everybody() -> EdgeSetup {
    let routes = r#"
[resources]
anything = { actions = ["do"] }
[routes]
everything = { match = "* /{**rest}", needs = "anything.do", auth = "none", body = { max = "1MiB", media = ["*/*"] } }
root       = { match = "* /", needs = "anything.do", auth = "none", body = { max = "1MiB", media = ["*/*"] } }
"#;
    let policies = PolicyFolder::with(routes, "p, anonymous, anything, do, any, allow\n");
    EdgeSetup::default()
        .policies(policies)
        .edge("workers = 1")
        .connections("head_timeout_ms = 1000\nbody_timeout_ms = 1000\nidle_timeout_ms = 1000")
}

/// What the upstream heard of one case.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) requests: Vec<Recorded>,
    /// Bytes that were no request.
    pub(crate) malformed: Vec<String>,
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts = self.requests.iter().map(|request| String::from_utf8_lossy(&request.raw));
        write!(f, "the upstream heard {:?}", texts.collect::<Vec<_>>())?;
        write!(f, ", and malformed {:?}", self.malformed)
    }
}

impl Upstream {
    /// What was heard since the last case. One more request goes the whole way first, so that
    /// what the edge had sent on by now has been heard.
    pub(crate) async fn since(edge: &EdgeAlone, malformed_before: usize) -> Self {
        assert_eq!(edge.visitor().get(LAST).send().await.status, 200);
        let malformed = edge.recorder().malformed().split_off(malformed_before);
        let mut requests = edge.recorder().take();
        requests.retain(|request| request.target != LAST);
        Self { requests, malformed }
    }
}

/// What is to be said of every case, each tried on one of four edges.
pub(crate) async fn try_all<V>(
    setup: fn() -> EdgeSetup,
    cases: &[Value],
    case: impl AsyncFn(&EdgeAlone, &Value) -> V,
) -> Vec<V> {
    let (waiting, verdicts) = (RefCell::new(cases.iter()), RefCell::new(Vec::new()));
    let work = async || {
        let edge = setup().start().await;
        loop {
            let next = waiting.borrow_mut().next();
            let Some(next) = next else { break };
            // A request that came late would be taken for one of the next case.
            assert_eq!(edge.recorder().take(), [], "heard before {next}");
            let verdict = case(&edge, next).await;
            verdicts.borrow_mut().push(verdict);
        }
        assert_eq!(edge.recorder().take(), [], "heard after the last case");
    };
    let edge = || Box::pin(work());
    tokio::join!(edge(), edge(), edge(), edge());
    verdicts.into_inner()
}

/// A member that is a text.
pub(crate) fn text<'v>(case: &'v Value, name: &str) -> &'v str {
    case[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {case}"))
}

/// Text that stands for bytes, one for each character (latin-1).
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}
