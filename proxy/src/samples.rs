//! Something for the guards' tests to judge: a small policy and request heads.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use stockade_policy::{Bundle, BundleFiles, Route};

use crate::live_policy::InForce;
use crate::request_head::RequestHead;

const MODEL: &str = include_str!("../../policies/model.conf");
const ROLES: &str = "g, customer, anonymous\ng, admin, customer\ng, auditor, customer\n";
const POLICY: &str = "p, anonymous, things, look, any, allow\np, admin, things, change, any, allow\np, auditor, things, change, any, allow\n";
const ROUTES: &str = r#"
[resources]
things = { owned = false, actions = ["look", "change"] }
[networks]
office = ["192.0.2.0/24"]
nobody = []
[roles]
admin = { network = "office" }
auditor = { mfa = "1h" }
[cors]
origins = ["https://shop.example"]
credentials = true
[routes]
look = { match = "GET /things", needs = "things.look", auth = "optional" }
inside = { match = "GET /inside", needs = "things.look", auth = "optional", network = "office" }
stepped = { match = "GET /stepped", needs = "things.look", auth = "required", mfa = "5m" }
never = { match = "GET /never", needs = "things.look", auth = "optional", network = "nobody" }
change = { match = "POST /things", needs = "things.change", auth = "required", body = { max = "1KiB", media = ["application/json"] } }
"#;

/// The small policy, in force.
pub(crate) fn policy() -> InForce {
    policy_with("", "")
}

/// The same with more rules and routes.
pub(crate) fn policy_with(rules: &str, routes: &str) -> InForce {
    let rules = format!("{POLICY}{rules}");
    let routes = format!("{ROUTES}{routes}");
    let files = [
        ("model.conf", MODEL),
        ("roles.csv", ROLES),
        ("policy.csv", rules.as_str()),
        ("routes.toml", routes.as_str()),
    ];
    let files: BTreeMap<_, _> =
        files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect();
    InForce::new(Bundle::load(&BundleFiles::new(files)).unwrap())
}

pub(crate) fn route<'p>(policy: &'p InForce, id: &str) -> &'p Route {
    policy.bundle.routes().by_id(id).unwrap()
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    fields.iter().map(field).collect()
}

pub(crate) fn head<'a>(method: &'a str, headers: &'a HeaderMap, has_body: bool) -> RequestHead<'a> {
    RequestHead {
        method,
        target: b"/things",
        authority: None,
        headers,
        version: Version::HTTP_11,
        has_body,
    }
}
