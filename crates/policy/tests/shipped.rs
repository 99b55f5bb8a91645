//! Promises of the shipped `policies/`: it loads, its cases hold, its matrix is the reviewed one.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests and their helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use stockade_policy::{Bundle, BundleFiles, Code, RUNTIME_FILES, RouteMatch, cases, matrix};

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

#[test]
fn its_cases_hold() {
    let bundle = bundle();
    let mut results = Vec::new();
    for entry in fs::read_dir(folder().join("cases")).unwrap() {
        let path = entry.unwrap().path();
        let file = format!("cases/{}", path.file_name().unwrap().display());
        let cases = cases::parse(&file, &fs::read(&path).unwrap(), &bundle);
        results.extend(cases.unwrap().iter().map(|case| case.run(&bundle)));
    }
    let failed: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() > 30);
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
    assert_eq!(found("POST", "/api/inventory/LAMP-1/movements"), "receive-stock");
    assert_eq!(found("GET", "/api/inventory/LAMP-1"), "");
}
