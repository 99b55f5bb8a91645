//! Promises of the shipped `policies/`: it loads, its cases hold, its matrix is the reviewed one.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests and their helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use stockade_policy::{
    Bundle, BundleFiles, Code, LimitCount, LimitKey, RUNTIME_FILES, Route, RouteMatch, cases,
    coverage, lint, matrix,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn bundle() -> Bundle {
    let read = |name: &str| (name.to_owned(), fs::read(folder().join(name)).unwrap());
    let files = BundleFiles::new(RUNTIME_FILES.into_iter().map(read).collect());
    Bundle::load(&files).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

#[test]
fn it_loads_and_is_proven_whole() {
    let start = Instant::now();
    let bundle = bundle();
    println!("loaded and proven in {:?}: {} cells", start.elapsed(), bundle.proof().cells);
    assert_eq!(bundle.proof().cells, bundle.roles().count() * bundle.permissions().count() * 2);
}

/// Every file of cases: its name within the folder, and its text.
fn case_files() -> Vec<(String, String)> {
    let read = |path: PathBuf| {
        let name = format!("cases/{}", path.file_name().unwrap().display());
        (name, fs::read_to_string(&path).unwrap())
    };
    let entries = fs::read_dir(folder().join("cases")).unwrap();
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn all_cases(bundle: &Bundle) -> Vec<cases::Case> {
    let parse = |(file, text): (String, String)| cases::parse(&file, text.as_bytes(), bundle);
    case_files().into_iter().flat_map(|file| parse(file).unwrap()).collect()
}

#[test]
fn its_cases_hold() {
    let bundle = bundle();
    let results: Vec<_> = all_cases(&bundle).iter().map(|case| case.run(&bundle)).collect();
    let failed: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    assert!(failed.is_empty() && results.len() > 200, "{failed:#?}");
}

#[test]
fn its_cases_try_every_route_and_every_role_and_miss_every_rule() {
    let bundle = bundle();
    let cases = all_cases(&bundle);
    let (routes, roles, rules) =
        (bundle.routes().len(), bundle.roles().count(), bundle.rules().len());
    let coverage = coverage::measure(bundle, &cases);
    assert_eq!(coverage.missing().collect::<Vec<_>>(), Vec::<&coverage::Missing>::new());
    assert_eq!((coverage.routes.total, coverage.rules.total), (routes * roles, rules));
    assert_eq!(coverage.percent(), 100);
}

#[test]
fn nothing_in_it_is_odd() {
    assert_eq!(lint(&bundle()), []);
}

#[test]
fn its_matrix_is_the_reviewed_one() {
    let golden = fs::read_to_string(folder().join("golden/matrix.txt")).unwrap();
    assert_eq!(matrix::render(&bundle()), golden);
}

#[test]
fn its_readme_lists_every_code() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for code in Code::ALL {
        let row = format!("| {code} | {} |", code.meaning());
        assert!(readme.contains(&row), "README.md lacks: {row}");
    }
}

#[test]
fn its_routes_lead_where_they_say() {
    let bundle = bundle();
    let found = |method, path| match bundle.routes().find(method, path) {
        RouteMatch::Found(route) => route.id.as_str(),
        RouteMatch::MethodNotAllowed { allow } => allow,
        RouteMatch::NotFound => "",
    };
    assert_eq!(found("POST", "/api/orders"), "place-order");
    assert_eq!(found("PUT", "/api/orders"), "GET, HEAD, POST");
    assert_eq!(found("POST", "/api/inventory/LAMP-1/movements"), "move-stock");
    assert_eq!(found("GET", "/api/inventory/LAMP-1"), "PATCH");
    assert_eq!(found("GET", "/api/inventory/LAMP-1/shelf"), "");
    assert_eq!(bundle.routes().allow("/api/products/42"), Some("DELETE, GET, HEAD, PATCH"));
}

#[test]
fn its_limits_reach_every_route_and_spare_orders_from_one_address() {
    let bundle = bundle();
    let limits = |route: &Route| {
        let limits = route.limits.iter().filter_map(|id| bundle.limits().get(*id));
        limits.map(|limit| limit.name.to_string()).collect::<Vec<_>>()
    };
    for route in bundle.routes().iter() {
        let expected: &[&str] = match route.id.as_str() {
            "place-order" | "cancel-order" | "fulfil-order" | "ship-order" | "deliver-order"
            | "return-order" | "put-cart-line" | "del-cart-line" | "open-payment" | "refund" => {
                &["writes"]
            }
            "webhook" => &["webhooks", "forgery"],
            "image" => &["images"],
            "export" => &["general", "exports"],
            "token" | "mfa" | "reset-password" | "verify-email" | "change-password"
            | "confirm-totp" => &["general", "login"],
            "register" | "forgot-password" => &["general", "accounts"],
            _ => &["general"],
        };
        assert_eq!(limits(route), expected, "{}", route.id);
    }
    let login = bundle.limits().find("login").unwrap();
    assert_eq!((login.quota.get(), login.count), (5, LimitCount::Failures));
    let writes = bundle.limits().find("writes").unwrap();
    assert_eq!((writes.quota.get(), writes.key), (3000, LimitKey::Principal));
}

#[test]
fn its_example_of_cors_is_valid() {
    let routes = fs::read_to_string(folder().join("routes.toml")).unwrap();
    let (before, example) = routes.split_once("# [cors]\n").unwrap();
    let (example, after) = example.split_once("\n\n").unwrap();
    let example: String = example.lines().map(|line| format!("{}\n", &line[2..])).collect();
    let routes = format!("{before}[cors]\n{example}\n{after}");
    let read = |name: &str| match name {
        "routes.toml" => (name.to_owned(), routes.clone().into_bytes()),
        _ => (name.to_owned(), fs::read(folder().join(name)).unwrap()),
    };
    let files = BundleFiles::new(RUNTIME_FILES.into_iter().map(read).collect());
    let bundle = Bundle::load(&files).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert!(bundle.cors().unwrap().allows("https://shop.example"));
}
