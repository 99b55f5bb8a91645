//! `stockade policy simulate`: what the shipped policy says to curl command lines.

use super::*;

/// Exit code and output over the shipped policy.
fn simulate(line: &str, flags: &[&str]) -> (Option<i32>, String, String) {
    let folder = shipped().display().to_string();
    let words = ["policy", "simulate", line, "--policies", folder.as_str()];
    told(stockade(words.into_iter().chain(flags.iter().copied())))
}

/// A token with these claims, in base64url, and no signature to speak of.
fn token(claims: &str) -> String {
    format!("e30.{claims}.c2ln")
}

/// `{"roles":["customer","nobody"]}`
const CUSTOMER: &str = "eyJyb2xlcyI6WyJjdXN0b21lciIsIm5vYm9keSJdfQ";

#[test]
fn an_allowed_request_is_a_yes() {
    let (code, out, _) = simulate("curl -d {} https://shop/api/orders?x=1", &["--as", "customer"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("POST /api/orders\nroute:       place-order (routes.toml:"), "{out}");
    assert!(out.contains("\npermission:  orders.create\n"), "{out}");
    assert!(out.contains("\noutcome:     own\n"), "{out}");
}

#[test]
fn a_denied_request_is_a_no_with_its_reason() {
    for (line, flags, deny) in [
        ("curl https://shop/api/orders", &[][..], "token"),
        ("curl -X DELETE https://shop/api/products/1", &["--as", "customer"], "role"),
        ("curl -X DELETE https://shop/api/products/1", &["--as", "super-admin"], "network"),
        ("curl -X DELETE https://shop/api/products", &["--as", "staff"], "method"),
        ("curl https://shop/nowhere", &["--as", "staff"], "route"),
    ] {
        let (code, out, _) = simulate(line, flags);
        assert_eq!(code, Some(2), "{line}: {out}");
        assert!(out.contains(&format!("\noutcome:     {{deny: {deny}}}, ")), "{line}: {out}");
    }
}

#[test]
fn a_tokens_claims_are_taken_with_a_loud_word() {
    let line =
        format!("curl -H 'Authorization: Bearer {}' https://shop/api/orders", token(CUSTOMER));
    let (code, out, _) = simulate(&line, &[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("THE TOKEN IS NOT VERIFIED"), "{out}");
    assert!(
        out.contains("roles:       customer\n             `nobody` is no role of the policy\n")
    );

    let (_, out, _) = simulate(&line, &["--as", "staff"]);
    assert!(!out.contains("NOT VERIFIED") && out.contains("roles:       staff\n"), "{out}");
    let (code, out, _) = simulate(&line, &["--anonymous"]);
    assert_eq!(code, Some(2));
    assert!(out.contains("roles:       none\n") && out.contains("{deny: token}"), "{out}");
    let (code, _, err) = simulate("curl --oauth2-bearer secret https://shop/", &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no JSON web token"), "{err}");
}

#[test]
fn the_answer_is_a_case_that_holds() {
    let folder = copy_of_shipped();
    let lines = [
        ("curl https://shop/api/products", &[][..]),
        (
            "curl -X DELETE https://shop/api/products/1",
            &["--as", "super-admin", "--from", "::1", "--mfa", "5m"],
        ),
        ("curl -I https://shop/api/orders", &["--as", "staff", "--as", "customer"]),
        ("curl -I https://shop/api/products", &["--as", "staff,customer", "--from", "unknown"]),
        ("curl https://shop/api/me", &[]),
    ];
    let cases: Vec<_> = lines
        .iter()
        .map(|(line, flags)| {
            let (_, out, _) = simulate(line, flags);
            out.split_once("# as a case\n").unwrap().1.to_owned()
        })
        .collect();
    std::fs::write(folder.path().join("cases/orders.yaml"), cases.concat()).unwrap();
    let path = folder.path().display().to_string();
    let (code, out, err) = told(stockade(["policy", "test", &path]));
    assert_eq!(code, Some(0), "{}{out}{err}", cases.concat());
}

#[test]
fn what_the_edge_refuses_never_reaches_the_policy() {
    for path in ["/api/../admin", "//api", "/api/%2e%2e/x", "/api%2fx", "/api;x", "/a\u{e9}"] {
        let (code, out, err) =
            simulate(&format!("curl 'https://shop{path}'"), &["--as", "customer"]);
        assert_eq!(code, Some(2), "{path}: {out}{err}");
        assert!(out.contains("outcome:     refused before the policy is asked: the "), "{out}");
    }
    let (_, out, _) = simulate("curl https://shop/api/%70roducts", &[]);
    assert!(out.starts_with("GET /api/products\n"), "{out}");
}

#[test]
fn words_behind_two_dashes_are_the_same() {
    let folder = shipped().display().to_string();
    let quoted = simulate("curl -sX DELETE https://shop/api/products/1", &["--as", "staff"]);
    let words = ["policy", "simulate", "--policies", &folder, "--as", "staff", "--"];
    let words = words.into_iter().chain(["curl", "-sX", "DELETE", "https://shop/api/products/1"]);
    assert_eq!(told(stockade(words)), quoted);
}

#[test]
fn what_is_not_understood_is_named() {
    for (line, flags, reason) in [
        ("curl --proxy x https://shop/", &[][..], "curl's flag `--proxy` is not known here"),
        ("curl 'https://shop/", &[], "the curl command line is cut off"),
        (
            "curl https://shop/",
            &["--as", "king"],
            "the role `king` is not known; there are anonymous, ",
        ),
        ("curl https://shop/", &["--from", "here"], "invalid value 'here'"),
        ("curl https://shop/", &["--mfa", "5"], "`5` is not a time such as 90s"),
    ] {
        let (code, out, err) = simulate(line, flags);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{line}");
        assert!(err.contains(reason), "{line}: {err}");
    }
}

#[test]
fn programs_are_answered() {
    let flags = ["--as", "super-admin", "--format", "json"];
    let (code, out, _) = simulate("curl -X DELETE https://shop/api/products/1", &flags);
    assert_eq!(code, Some(2));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&answer["version"], &answer["route"]), (&1.into(), &"delete-product".into()));
    assert_eq!(answer["permission"], "products.delete");
    assert_eq!(answer["outcome"]["deny"], "network");
    assert_eq!(answer["unverified"], false);
    let (_, out, _) = simulate("curl https://shop/api/products", &["--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["outcome"], "any");
}
