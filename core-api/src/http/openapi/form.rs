//! A schema in a few words: what a value may be.

use maud::{Markup, html};
use serde_json::Value;

/// For example "list of `OrderLine`, 1 to 100 items", with links to the schemas that have names.
pub(super) fn form(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(forms) = schema[several].as_array() {
            let word = if several == "allOf" { " and " } else { " or " };
            return html! {
                @for (index, one) in forms.iter().enumerate() {
                    @if index > 0 { (word) }
                    (form(one))
                }
            };
        }
    }
    html! {
        (kinds(&schema["type"]))
        @if let Some(format) = schema["format"].as_str() { " (" (format) ")" }
        @if !schema["items"].is_null() { " of " (form(&schema["items"])) }
        @if let Some(words) = schema["enum"].as_array() { ": " (listed(words)) }
        @for bound in bounds(schema) { ", " (bound) }
        @if let Some(pattern) = schema["pattern"].as_str() { ", like " code { (pattern) } }
        @if !schema["default"].is_null() { ", else " code { (schema["default"]) } }
    }
}

/// The names of the types of JSON, with the field's own words for lists.
fn kinds(kind: &Value) -> String {
    let name = |kind: &Value| match kind.as_str() {
        Some("array") => "list",
        Some("integer") => "whole number",
        Some(name) => match name {
            "string" => "text",
            "object" => "object",
            "boolean" => "true or false",
            "number" => "number",
            _ => "nothing",
        },
        None => "anything",
    };
    match kind.as_array() {
        Some(kinds) => kinds.iter().map(name).collect::<Vec<_>>().join(" or "),
        None => name(kind).to_owned(),
    }
}

fn listed(words: &[Value]) -> Markup {
    html! {
        @for (index, word) in words.iter().enumerate() {
            @if index > 0 { ", " }
            code { (word) }
        }
    }
}

/// What keeps a value within limits, in words.
fn bounds(schema: &Value) -> Vec<String> {
    let pairs = [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ];
    let words =
        pairs.into_iter().filter_map(|(least, most, of)| match (&schema[least], &schema[most]) {
            (Value::Null, Value::Null) => None,
            (least, Value::Null) => Some(format!("at least {least}{of}")),
            (Value::Null, most) => Some(format!("at most {most}{of}")),
            (least, most) if least == most => Some(format!("{most}{of}")),
            (least, most) => Some(format!("{least} to {most}{of}")),
        });
    words.collect()
}
