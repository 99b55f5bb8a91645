//! `/api/docs`: the interface as a page for people, made from the OpenAPI document.
//!
//! It is one file without scripts, pictures or anything else to fetch, so that it can be kept and
//! read offline; its own style is all that its content policy allows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::http::HeaderName;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::form::form;

const STYLE: &str = include_str!("readable.css");

/// The page, and the policy by which it shows its own style and nothing else.
struct Page {
    html: String,
    content_policy: String,
}

/// `GET /api/docs`.
pub(in crate::http) async fn read() -> ([(HeaderName, &'static str); 2], &'static str) {
    static PAGE: OnceLock<Page> = OnceLock::new();
    let page = PAGE.get_or_init(|| Page::of(&super::described()));
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, page.content_policy.as_str()),
    ];
    (headers, &page.html)
}

impl Page {
    fn of(document: &Value) -> Self {
        let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        let content_policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        Self { html: page(document).into_string(), content_policy }
    }
}

/// One operation: its method, its path, and what the document says of it.
type Listed<'d> = (&'d str, &'d str, &'d Value);

fn page(document: &Value) -> Markup {
    let info = &document["info"];
    let by_tag = by_tag(document);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (text(&info["title"])) " " (text(&info["version"])) ": the interface" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav aria-label="Operations" { (contents(&by_tag)) }
                main {
                    h1 { (text(&info["title"])) " " small { (text(&info["version"])) } }
                    p { (prose(text(&info["description"]))) }
                    p { "For programs: " a href="/api/openapi.json" { "openapi.json" } "." }
                    @for (tag, operations) in &by_tag {
                        h2 id={ "tag-" (tag) } { (tag) }
                        @for operation in operations { (described(operation)) }
                    }
                    h2 id="schemas" { "schemas" }
                    @for (name, schema) in members(at(document, "/components/schemas")) {
                        (schema_section(name, schema))
                    }
                }
            }
        }
    }
}

fn by_tag(document: &Value) -> BTreeMap<&str, Vec<Listed<'_>>> {
    let mut by_tag: BTreeMap<&str, Vec<Listed<'_>>> = BTreeMap::new();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            let tag = text(at(operation, "/tags/0"));
            by_tag.entry(tag).or_default().push((method, path, operation));
        }
    }
    by_tag
}

fn contents(by_tag: &BTreeMap<&str, Vec<Listed<'_>>>) -> Markup {
    html! {
        ul {
            @for (tag, operations) in by_tag {
                li {
                    a href={ "#tag-" (tag) } { (tag) }
                    ul {
                        @for (_, _, operation) in operations {
                            li {
                                a href={ "#" (text(&operation["operationId"])) } {
                                    (text(&operation["summary"]))
                                }
                            }
                        }
                    }
                }
            }
            li { a href="#schemas" { "schemas" } }
        }
    }
}

fn described((method, path, operation): &Listed<'_>) -> Markup {
    html! {
        section id=(text(&operation["operationId"])) {
            h3 { (text(&operation["summary"])) }
            p.request { code { b { (method.to_uppercase()) } " " (path) } }
            p { (prose(text(&operation["description"]))) }
            p { "Needs " code { (text(&operation["x-stockade-permission"])) } "." }
            (parameters(&operation["parameters"]))
            @for (media_type, content) in members(at(operation, "/requestBody/content")) {
                p { "Takes " code { (media_type) } ": " (form(&content["schema"])) }
            }
            (answers(&operation["responses"]))
        }
    }
}

fn parameters(parameters: &Value) -> Markup {
    let Some(parameters) = parameters.as_array() else { return Markup::default() };
    html! {
        table {
            thead { tr { th { "parameter" } th { "in" } th { "form" } th { "meaning" } } }
            tbody {
                @for parameter in parameters {
                    tr {
                        td { code { (text(&parameter["name"])) } (needed(&parameter["required"])) }
                        td { (text(&parameter["in"])) }
                        td { (form(&parameter["schema"])) }
                        td { (prose(text(&parameter["description"]))) }
                    }
                }
            }
        }
    }
}

fn needed(required: &Value) -> Markup {
    html! { @if required == true { " " span.needed { "needed" } } }
}

fn answers(responses: &Value) -> Markup {
    html! {
        table {
            thead { tr { th { "answer" } th { "body" } th { "meaning" } } }
            tbody {
                @for (status, response) in members(responses) {
                    tr {
                        td { code { (status) } }
                        td {
                            @for (media_type, content) in members(&response["content"]) {
                                code { (media_type) } " " (form(&content["schema"])) " "
                            }
                        }
                        td {
                            (prose(text(&response["description"])))
                            @for (name, header) in members(&response["headers"]) {
                                br;
                                code { (name) } ": " (prose(text(&header["description"])))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn schema_section(name: &str, schema: &Value) -> Markup {
    let is_needed = |member: &str| {
        schema["required"].as_array().is_some_and(|needed| needed.iter().any(|n| n == member))
    };
    let properties = members(&schema["properties"]);
    html! {
        section id={ "schema-" (name) } {
            h3 { (name) }
            p { (prose(text(&schema["description"]))) }
            @if properties.clone().next().is_none() {
                p { (form(schema)) }
            } @else {
                table {
                    thead { tr { th { "member" } th { "form" } th { "meaning" } } }
                    tbody {
                        @for (member, schema) in properties {
                            tr {
                                td { code { (member) } (needed(&is_needed(member).into())) }
                                td { (form(schema)) }
                                td { (prose(text(&schema["description"]))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The members of an object; none of anything else.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> + Clone {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// What is at a place (RFC 6901); `null` where there is nothing.
fn at<'d>(value: &'d Value, pointer: &str) -> &'d Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// A text; empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Words in which backticks mark code.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, piece) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}
