//! Whatever method and path are asked for, one outcome comes back, and always the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stockade_fuzz::shipped_with;
use stockade_policy::{Asker, Bundle, Caller, Circumstances, Outcome, RoleSet};

/// Every kind of pattern, overlapping as far as they may.
const ROUTES: &[u8] = br#"
[resources]
orders = { owned = true, actions = ["read", "create", "cancel"] }
products = { actions = ["create", "delete", "read", "update"] }
categories = { actions = ["create", "delete", "read"] }
inventory = { actions = ["move", "read"] }
accounts = { owned = true, actions = ["read"] }
auth = { actions = ["password", "refresh", "register", "token"] }
docs = { actions = ["read"] }
sessions = { owned = true, actions = ["end"] }
[routes]
root = { match = "GET /", needs = "products.read", auth = "optional" }
a = { match = "GET /a", needs = "orders.read", auth = "required" }
ab = { match = "* /a/b", needs = "orders.create", auth = "required" }
ax = { match = "GET /a/{x}", needs = "products.read", auth = "none" }
axc = { match = "POST /a/{x}/c", needs = "orders.cancel", auth = "required" }
axr = { match = "GET /a/{x}/{**r}", needs = "products.read", auth = "optional" }
rest = { match = "* /{**rest}", needs = "docs.read", auth = "optional" }
"#;

static BUNDLE: LazyLock<Bundle> =
    LazyLock::new(|| Bundle::load(&shipped_with(3, ROUTES)).expect("it loads"));

fuzz_target!(|input: (&str, &str, u64)| {
    let (method, path, roles) = input;
    let held: RoleSet = BUNDLE.roles().filter(|role| roles >> role.index() & 1 == 1).collect();
    let caller = Caller::holding(&BUNDLE, held);
    let asker = Asker { caller, at: Circumstances { from: None, mfa_age_secs: Some(roles) } };
    let judgement = BUNDLE.examine(&asker, method, path);
    assert_eq!(BUNDLE.judge(&asker, method, path), judgement.outcome);
    if let Outcome::Allow(_) = judgement.outcome {
        assert!(judgement.route.is_some(), "nothing is allowed without a route");
    }
});
