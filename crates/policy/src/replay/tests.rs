//! Promises of a replay: it finds exactly what differs, and says what it left out.

use proptest::prelude::*;

use super::*;
use crate::files::{BundleFiles, RUNTIME_FILES};
use crate::judge::Caller;
use crate::model::MODEL;
use crate::table::Scope;

const ROLES: &str = "g, admin, staff\ng, staff, customer\ng, customer, anonymous\n";

const POLICY: &str = "\
p, anonymous, products, read,   any, allow
p, customer,  orders,   read,   own, allow
p, staff,     orders,   read,   any, allow
p, admin,     orders,   refund, any, allow
";

const ROUTES: &str = r#"
[resources]
products = { actions = ["read"] }
orders = { owned = true, actions = ["read", "refund"] }
[roles]
admin = { network = "office", mfa = "1h" }
[networks]
office = ["10.0.0.0/8"]
[routes]
products = { match = "GET /products", needs = "products.read", auth = "optional" }
orders = { match = "GET /orders/{id}", needs = "orders.read", auth = "required" }
refund = { match = "POST /orders/{id}/refund", needs = "orders.refund", auth = "required" }
login = { match = "POST /login", needs = "products.read", auth = "none" }
"#;

/// The bundle, with `from` replaced by `to` wherever it stands.
fn edited(from: &str, to: &str) -> Bundle {
    let texts = [MODEL, ROLES, POLICY, ROUTES].map(|text| text.replace(from, to).into_bytes());
    let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts).collect();
    Bundle::load(&BundleFiles::new(files)).unwrap()
}

fn shop() -> Bundle {
    edited("", "")
}

/// A customer reads their order.
const READ: Past<'_> = Past {
    time_ms: 1000,
    decision_id: "d-1",
    method: "GET",
    path: "/orders/1",
    route: "orders",
    code: None,
    client: "192.0.2.1",
    has_account: true,
    held: Some("customer"),
    roles: "customer",
    mfa_secs: None,
    scope: Some("own"),
};

/// The same, refused with this code.
fn refused(code: &'static str) -> Past<'static> {
    Past { code: Some(code), scope: None, roles: "", ..READ }
}

fn replay(bundle: &Bundle, pasts: &[Past<'_>]) -> Summary {
    let mut replay = Replay::new(bundle);
    pasts.iter().for_each(|past| replay.take(past));
    replay.finish()
}

/// Checks that one decision is what this bundle would say, too.
#[track_caller]
fn check_same(bundle: &Bundle, past: Past<'_>) {
    let summary = replay(bundle, &[past]);
    assert_eq!((summary.judged, summary.flipped()), (1, 0), "{past:?}: {summary:?}");
}

/// Checks in which way one decision flips, as `change: before -> after because of lines`.
#[track_caller]
fn check_flip(bundle: &Bundle, past: Past<'_>, expected: &str) {
    let summary = replay(bundle, &[past]);
    let flips = summary.flips();
    let [(flip, count)] = flips.as_slice() else { panic!("{past:?}: {summary:?}") };
    let (change, causes) = (flip.change.as_str(), flip.causes(bundle).join(", "));
    assert_eq!(format!("{change}: {} -> {} by {causes}", flip.before, flip.after), expected);
    assert_eq!((count.count, count.example.as_str()), (1, past.decision_id));
}

/// Checks that one decision is left out, for this reason.
#[track_caller]
fn check_left_out(bundle: &Bundle, past: Past<'_>, expected: LeftOut) {
    let summary = replay(bundle, &[past]);
    let reasons: Vec<_> = summary.left_out.keys().copied().collect();
    assert_eq!((summary.judged, reasons), (0, vec![expected]), "{past:?}");
}

#[test]
fn what_the_bundle_says_too_is_no_flip() {
    let shop = shop();
    let anonymous = Past { held: None, has_account: false, roles: "anonymous", ..READ };
    let products = Past { path: "/products", scope: Some("any"), ..anonymous };
    check_same(&shop, READ);
    check_same(&shop, products);
    check_same(&shop, Past { method: "HEAD", ..products });
    check_same(&shop, Past { method: "POST", path: "/login", ..products });
    check_same(
        &shop,
        Past { path: "/none", held: None, has_account: false, ..refused("no_route") },
    );
    check_same(&shop, Past { method: "PUT", ..refused("method_not_allowed") });
    check_same(&shop, Past { held: None, has_account: false, ..refused("token_missing") });
    check_same(&shop, Past { held: Some("anonymous"), ..refused("permission_denied") });
    let refund = Past { method: "POST", path: "/orders/1/refund", ..refused("permission_denied") };
    check_same(&shop, refund);
    let admin = Past { held: Some("admin"), ..refund };
    check_same(&shop, Past { code: Some("network_not_allowed"), client: "unknown", ..admin });
    check_same(&shop, Past { code: Some("mfa_required"), client: "10.1.1.1", ..admin });
    let fresh = Past { client: "10.1.1.1", mfa_secs: Some(3600), ..admin };
    check_same(&shop, Past { code: None, scope: Some("any"), ..fresh });
    // The body failed after the policy had agreed.
    check_same(&shop, Past { code: Some("body_timeout"), ..READ });
}

#[test]
fn each_way_to_differ_is_told_apart() {
    let no_orders =
        edited("customer,  orders,   read,   own, allow", "customer, orders, read, any, deny");
    let denied = "narrowed: own -> {deny: role} by policy.csv:2";
    check_flip(&no_orders, READ, denied);
    let all_orders = edited("read,   own", "read, any");
    check_flip(&all_orders, READ, "scope_widened: own -> any by policy.csv:2");
    check_flip(
        &all_orders,
        refused("permission_denied"),
        "widened: {deny: role} -> any by policy.csv:2",
    );
    let shop = shop();
    let staff = Past { held: Some("staff"), scope: Some("any"), ..READ };
    check_flip(
        &edited("staff,     orders,   read,   any", "staff, orders, read, own"),
        staff,
        "scope_narrowed: any -> own by policy.csv:2, policy.csv:3",
    );
    check_flip(
        &shop,
        Past { scope: Some("others"), ..READ },
        "scope_widened: others -> own by policy.csv:2",
    );
    let outside = refused("network_not_allowed");
    check_flip(
        &edited("admin = { network", "customer = { network"),
        Past { ..READ },
        "narrowed: own -> {deny: network} by routes.toml:6",
    );
    check_flip(&shop, outside, "widened: {deny: network} -> own by policy.csv:2");
    check_flip(&shop, refused("token_missing"), "widened: {deny: token} -> own by policy.csv:2");
    check_flip(&shop, Past { path: "/gone", ..READ }, "narrowed: own -> {deny: route} by ");
    check_flip(&shop, Past { method: "PUT", ..READ }, "narrowed: own -> {deny: method} by ");
    check_flip(
        &shop,
        Past { held: None, has_account: false, roles: "anonymous", ..READ },
        "narrowed: own -> {deny: token} by routes.toml:11",
    );
    check_flip(
        &shop,
        Past { path: "/gone", ..refused("permission_denied") },
        "refused_otherwise: {deny: role} -> {deny: route} by ",
    );
}

#[test]
fn what_the_policy_did_not_decide_is_left_out() {
    let shop = shop();
    for (code, reason) in [
        ("rate_limited", LeftOut::Limited),
        ("banned", LeftOut::Banned),
        ("body_too_large", LeftOut::Body),
        ("ambiguous_path", LeftOut::Malformed),
        ("token_invalid", LeftOut::BadToken),
        ("origin_not_allowed", LeftOut::Preflight),
        ("internal", LeftOut::OtherRefusal),
    ] {
        check_left_out(&shop, refused(code), reason);
    }
    check_left_out(&shop, Past { scope: None, ..READ }, LeftOut::Preflight);
    check_left_out(&shop, Past { scope: Some("half"), ..READ }, LeftOut::OtherSchema);
    check_left_out(&shop, Past { path: "-", ..refused("no_route") }, LeftOut::NoPath);
}

#[test]
fn what_a_record_does_not_say_is_not_guessed() {
    let shop = shop();
    let nobody = Past { held: None, has_account: false, ..refused("permission_denied") };
    check_left_out(&shop, nobody, LeftOut::CallerNotRecorded);
    // Where no token is read, and where no route answers, it does not matter who asked.
    let unrouted = Past { code: Some("no_route"), method: "POST", path: "/login", ..nobody };
    check_flip(&shop, unrouted, "widened: {deny: route} -> any by policy.csv:1");
    check_same(&shop, Past { path: "/none", ..unrouted });

    let refund = Past { method: "POST", path: "/orders/1/refund", ..READ };
    let admin = Past { held: Some("admin"), client: "10.0.0.0/24", scope: Some("any"), ..refund };
    check_left_out(&shop, admin, LeftOut::AddressNotRecorded);
    check_same(&shop, Past { client: "10.0.0.0/24", ..READ });
    let old = Past { held: None, roles: "admin", client: "10.1.1.1", ..admin };
    check_left_out(&shop, old, LeftOut::SecondFactorNotRecorded);
}

#[test]
fn older_records_and_unknown_roles_are_judged_and_said() {
    let old = Past { held: None, ..READ };
    let summary = replay(&shop(), &[old, READ, Past { held: Some("customer clerk"), ..READ }]);
    assert_eq!((summary.judged, summary.flipped(), summary.by_active_roles), (3, 0, 1));
    assert_eq!(summary.with_unknown_roles, 1);
    assert_eq!(summary.unknown_roles.into_iter().collect::<Vec<_>>(), ["clerk"]);
    check_flip(&shop(), Past { held: Some("clerk"), ..READ }, "narrowed: own -> {deny: role} by ");
}

#[test]
fn flips_are_grouped_and_the_most_frequent_come_first() {
    let refund = Past { method: "POST", path: "/orders/1/refund", route: "refund", ..READ };
    let pasts = [
        Past { time_ms: 9, decision_id: "late", ..refund },
        Past { held: Some("staff"), ..refund },
        Past { time_ms: 5, decision_id: "early", path: "/orders/2/refund", ..refund },
    ];
    let whole = replay(&shop(), &pasts);
    let flips = whole.flips();
    let roles: Vec<_> =
        flips.iter().map(|(flip, count)| (flip.roles.as_str(), count.count)).collect();
    assert_eq!(roles, [("customer", 2), ("staff", 1)]);
    let count = flips[0].1;
    assert_eq!((count.first_ms, count.last_ms, count.example.as_str()), (5, 9, "early"));
    assert_eq!(whole.first_and_last_ms, Some((5, 1000)));
    for split in 0..=pasts.len() {
        let mut sum = replay(&shop(), &pasts[..split]);
        sum.absorb(replay(&shop(), &pasts[split..]));
        assert_eq!(sum, whole);
    }
}

#[test]
fn a_log_of_nonsense_stays_small_and_cannot_move_a_cursor() {
    let shop = shop();
    let mut replay = Replay::new(&shop);
    for number in 0..30_000 {
        let (held, route) =
            (format!("role-{number} \u{1b}[2J"), format!("\u{202e}{}", number % 9000));
        replay.take(&Past { held: Some(&held), route: &route, decision_id: "\u{7}", ..READ });
    }
    let summary = replay.finish();
    let flips = summary.flips();
    let kept: u64 = flips.iter().map(|(_, count)| count.count).sum();
    assert_eq!((kept + summary.beyond, summary.flipped()), (30_000, 30_000));
    assert!(flips.len() <= 10_000 && summary.unknown_roles.len() <= 16);
    assert!(flips.iter().any(|(flip, _)| flip.roles == "(others)"));
    assert!(!format!("{summary:?}").contains(['\u{1b}', '\u{202e}', '\u{7}']));
}

#[test]
fn every_reason_and_change_has_a_place_and_a_word_of_its_own() {
    assert!(LeftOut::ALL.into_iter().enumerate().all(|(at, reason)| reason as usize == at));
    assert!(Change::ALL.into_iter().enumerate().all(|(at, change)| change as usize == at));
    let mut words: Vec<_> = LeftOut::ALL.iter().map(|reason| reason.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), LeftOut::ALL.len());
}

prop_compose! {
    fn any_past()(
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "PUT"]),
        path in prop::sample::select(vec!["/products", "/orders/1", "/orders/2/refund", "/login", "/x"]),
        held in prop::sample::select(vec!["", "customer", "admin", "admin customer", "staff clerk"]),
        is_known in any::<bool>(),
        client in prop::sample::select(vec!["10.0.0.1", "192.0.2.1", "unknown", "::ffff:10.0.0.1"]),
        mfa_secs in prop::option::of(3500..3700u64),
    ) -> Past<'static> {
        let held = is_known.then_some(held);
        let roles = if is_known { "" } else { ANONYMOUS };
        Past { method, path, held, client, mfa_secs, roles, has_account: is_known, ..READ }
    }
}

const ANONYMOUS: &str = "anonymous";

proptest! {
    /// What is worked out once is what the edge's judge would say every time.
    #[test]
    fn a_replay_says_what_the_judge_says(pasts in prop::collection::vec(any_past(), 1..60)) {
        let shop = shop();
        let mut replay = Replay::new(&shop);
        for past in &pasts {
            let roles = past.held.map(|held| shop.role_set(held.split(' ')));
            let caller = roles.map_or(Caller::Anonymous, Caller::Known);
            let at = Circumstances { from: past.client.parse().ok(), mfa_age_secs: past.mfa_secs };
            let expected = shop.judge(&Asker { caller, at }, past.method, past.path);
            let flip = replay.compare(past).unwrap().flip;
            prop_assert_eq!(flip.map_or(Outcome::Allow(Scope::Own), |flip| flip.after), expected);
        }
    }
}
