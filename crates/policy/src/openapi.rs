//! Compares the routes with what the upstream says of itself in an OpenAPI document.
//!
//! The edge asks for the permission a route `needs`; the upstream demands the one its handler
//! declares, and says which in `x-stockade-permission`. Where these two tables differ, a request
//! that the policy allows is refused further in, or an operation cannot be reached at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::Bundle;
use crate::files::{FILE_BYTES_MAX, ROUTES_FILE};
use crate::finding::{Code, Finding, Findings, Place};
use crate::names::RouteId;
use crate::route_table::RouteMatch;

/// As much of a document as is compared.
#[derive(Debug, serde::Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

/// What a path item holds besides operations (OpenAPI 3.1, 4.8.9).
const NO_OPERATIONS: [&str; 4] = ["$ref", "description", "parameters", "servers"];

/// One operation of the document.
#[derive(Debug)]
struct Operation<'d> {
    method: String,
    path: &'d str,
    permission: &'d str,
}

/// Everything in which the bundle's routes and an OpenAPI document (JSON, at most 4 MiB) differ.
/// `file` is what the document is called in findings.
pub fn compare(bundle: &Bundle, file: &str, bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Findings::default();
    if let Some(document) = parse(file, bytes, &mut findings) {
        let operations = operations(file, &document, &mut findings);
        let mut reached = BTreeSet::new();
        for operation in &operations {
            reached.extend(find_route(bundle, file, operation, &mut findings));
        }
        note_unreached(bundle, file, &reached, &mut findings);
    }
    findings.into_sorted()
}

fn parse(file: &str, bytes: &[u8], findings: &mut Findings) -> Option<Document> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = "the document is larger than 4 MiB";
        findings.add(Code::FileTooLarge, Place::start_of(file), message, "make it smaller");
        return None;
    }
    let parsed = serde_json::from_slice(bytes);
    parsed
        .inspect_err(|error| {
            let bounded = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let (line, column) = (bounded(error.line()), bounded(error.column()));
            let message = format!("it is no OpenAPI document: {error}");
            let fix = "name an OpenAPI 3.1 document in JSON";
            findings.add(Code::OpenApiSyntax, Place { file, line, column }, message, fix);
        })
        .ok()
}

fn operations<'d>(
    file: &str,
    document: &'d Document,
    findings: &mut Findings,
) -> Vec<Operation<'d>> {
    let mut found = Vec::new();
    for (path, item) in &document.paths {
        for (method, operation) in item {
            if NO_OPERATIONS.contains(&method.as_str()) || method.starts_with("x-") {
                continue;
            }
            let method = method.to_ascii_uppercase();
            match operation.get("x-stockade-permission").and_then(serde_json::Value::as_str) {
                Some(permission) => found.push(Operation { method, path, permission }),
                None => {
                    let message = format!("`{method} {path}` names no permission");
                    let fix = "let the upstream say it in `x-stockade-permission`";
                    findings.add(Code::OpenApiSyntax, Place::start_of(file), message, fix);
                }
            }
        }
    }
    found
}

/// The route that leads to an operation, noting where there is none or it needs something else.
fn find_route(
    bundle: &Bundle,
    file: &str,
    operation: &Operation<'_>,
    findings: &mut Findings,
) -> Option<RouteId> {
    let Operation { method, path, permission } = operation;
    let RouteMatch::Found(route) = bundle.routes().find(method, &sample(path)) else {
        let message = format!("no route leads to `{method} {path}`");
        let fix = format!("write one that needs `{permission}`, or take the operation away");
        findings.add(Code::OperationWithoutRoute, Place::start_of(file), message, fix);
        return None;
    };
    let needs = bundle.permission_name(route.needs);
    if needs != *permission {
        let message =
            format!("`{}` needs `{needs}`, and `{method} {path}` demands `{permission}`", route.id);
        let at = Place { file: ROUTES_FILE, line: route.line, column: 1 };
        findings.add(Code::PermissionDiffers, at, message, format!("write `{permission}`"));
    }
    Some(route.index)
}

/// A path that the template describes: a parameter is any one segment.
fn sample(template: &str) -> String {
    let segment =
        |segment: &str| if segment.starts_with('{') { "x".to_owned() } else { segment.to_owned() };
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn note_unreached(
    bundle: &Bundle,
    file: &str,
    reached: &BTreeSet<RouteId>,
    findings: &mut Findings,
) {
    for route in bundle.routes().iter().filter(|route| !reached.contains(&route.index)) {
        let message = format!(
            "`{}` leads to `{} {}`, which `{file}` does not know",
            route.id, route.method, route.pattern
        );
        let at = Place { file: ROUTES_FILE, line: route.line, column: 1 };
        findings.add(Code::RouteWithoutOperation, at, message, "remove the route");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::tests::bundle;

    const DOCUMENT: &str = r#"{"openapi": "3.1.0", "paths": {
        "/products": {"get": {"x-stockade-permission": "products.read"}},
        "/orders": {"get": {"x-stockade-permission": "orders.read"}, "parameters": []},
        "/orders/{number}/refund": {"post": {"x-stockade-permission": "orders.refund"}},
        "/login": {"post": {"x-stockade-permission": "products.read"}}
    }}"#;

    #[track_caller]
    fn check(from: &str, to: &str, expected: &[(Code, &str)]) {
        assert!(DOCUMENT.contains(from));
        let document = DOCUMENT.replacen(from, to, 1);
        let found = compare(&bundle(), "openapi.json", document.as_bytes());
        let told: Vec<_> = found.iter().map(|f| (f.code, f.message.as_str())).collect();
        assert_eq!(told, expected, "{from} -> {to}");
    }

    #[test]
    fn equal_tables_leave_nothing_to_say() {
        check("", "", &[]);
    }

    #[test]
    fn every_difference_is_told() {
        check(
            "orders.refund",
            "orders.read",
            &[(
                Code::PermissionDiffers,
                "`refund` needs `orders.refund`, and `POST /orders/{number}/refund` demands \
                 `orders.read`",
            )],
        );
        check(
            "/login",
            "/log-in",
            &[
                (Code::OperationWithoutRoute, "no route leads to `POST /log-in`"),
                (
                    Code::RouteWithoutOperation,
                    "`login` leads to `POST /login`, which `openapi.json` does not know",
                ),
            ],
        );
        let nameless = "`GET /products` names no permission";
        let unknown = "`products` leads to `GET /products`, which `openapi.json` does not know";
        check(
            r#"{"x-stockade-permission": "products.read"}"#,
            "{}",
            &[(Code::OpenApiSyntax, nameless), (Code::RouteWithoutOperation, unknown)],
        );
    }

    #[test]
    fn what_is_no_document_is_told_where() {
        let found = compare(&bundle(), "openapi.json", b"{\n  \"paths\": 7\n}");
        let places: Vec<_> = found.iter().map(|f| (f.code, f.line)).collect();
        assert_eq!(places, [(Code::OpenApiSyntax, 2)]);
        let large = vec![b' '; FILE_BYTES_MAX + 1];
        assert_eq!(compare(&bundle(), "openapi.json", &large)[0].code, Code::FileTooLarge);
    }
}
