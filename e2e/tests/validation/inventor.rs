//! Invents values from schemas: such as fit, and such as nearly do. From one seed come always
//! the same.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

/// Texts that fit nowhere, or only just.
const ODD_TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "\u{0}",
    "\u{202e}\u{200b}",
    "Ünïcode 🧪",
    "a\r\nb: c",
    "' OR 1=1 --",
    "<b>&amp;</b>",
    "%00",
    "../..",
    "00000000-0000-0000-0000-000000000000",
    "-1",
    "1e9",
    "null",
    "__proto__",
];

/// How often something is spoilt: one time in so many.
const SPOILT: usize = 12;

/// How many ids and SKUs are asked for again.
const REMEMBERED: usize = 4;

/// Where values come from (SplitMix64).
#[derive(Debug)]
pub(crate) struct Inventor<'d> {
    state: u64,
    document: &'d Value,
    /// What the request is about: the word of its path after `/api`.
    pub(crate) about: String,
    /// Ids that were seen last, by what they are about.
    ids: BTreeMap<String, VecDeque<String>>,
    /// SKUs that were seen last.
    skus: VecDeque<String>,
}

impl<'d> Inventor<'d> {
    pub(crate) fn new(seed: u64, document: &'d Value) -> Self {
        let (about, ids) = (String::new(), BTreeMap::new());
        Self { state: seed, document, about, ids, skus: VecDeque::new() }
    }

    /// Asks for this id from now on.
    pub(crate) fn remember_id(&mut self, id: &str) {
        let ids = self.ids.entry(self.about.clone()).or_default();
        ids.push_front(id.to_owned());
        ids.truncate(REMEMBERED);
    }

    /// Asks for this SKU from now on.
    pub(crate) fn remember_sku(&mut self, sku: &str) {
        self.skus.push_front(sku.to_owned());
        self.skus.truncate(REMEMBERED);
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn one_of<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }

    /// Any text.
    pub(crate) fn odd_text(&mut self) -> String {
        match self.below(ODD_TEXTS.len() + 1) {
            0 => "x".repeat(1 << self.below(14)),
            at => ODD_TEXTS[at - 1].to_owned(),
        }
    }

    /// A value of a schema, or nearly.
    pub(crate) fn value(&mut self, schema: &Value) -> Value {
        if self.one_in(SPOILT) {
            return self.odd_value();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let document = self.document;
            let pointer = reference.trim_start_matches('#');
            return self.value(document.pointer(pointer).unwrap());
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(schemas) = schema[choice].as_array() {
                let schema = self.one_of(schemas);
                return self.value(schema);
            }
        }
        if let Some(values) = schema["enum"].as_array() {
            return self.one_of(values).clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.one_of(kinds),
            kind => kind,
        };
        match kind.as_str().unwrap_or("object") {
            "null" => Value::Null,
            "string" => self.text(schema).into(),
            "integer" => self.whole(schema).into(),
            "boolean" => self.one_in(2).into(),
            "array" => (0..self.below(4)).map(|_| self.value(&schema["items"])).collect(),
            "object" => self.object(schema),
            other => panic!("nobody can invent a value of the type `{other}`"),
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
        };
        let mut object = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let left_out = if required(name) { self.one_in(30) } else { self.one_in(2) };
            if !left_out {
                object.insert(name.clone(), self.value(member));
            }
        }
        if self.one_in(20) {
            object.insert(self.odd_text(), self.odd_value());
        }
        object.into()
    }

    fn text(&mut self, schema: &Value) -> String {
        let (is_id, is_word) = (schema["format"] == "uuid", !schema["pattern"].is_null());
        if schema["pattern"] == "^[A-Z]{3}$" {
            return "EUR".to_owned();
        }
        if (is_id || is_word) && !self.one_in(3) {
            let known = if is_id { self.ids.get(&self.about) } else { Some(&self.skus) };
            let known: Vec<_> = known.into_iter().flatten().cloned().collect();
            if !known.is_empty() {
                // The last one as often as all others.
                let at = if self.one_in(2) { 0 } else { self.below(known.len()) };
                return known[at].clone();
            }
        }
        if is_id {
            return format!("00000000-0000-7000-8000-{:012x}", self.below(1 << 40));
        }
        let edge = |name: &str| schema[name].as_u64().and_then(|edge| usize::try_from(edge).ok());
        let (least, most) = (edge("minLength").unwrap_or(0), edge("maxLength").unwrap_or(40));
        let length = match self.below(4) {
            0 => least,
            1 => most,
            2 => most + 1,
            _ => (least + self.below(12)).min(most),
        };
        let letters = if is_word { "AZaz09" } else { "aZ09é字 ☕" };
        let letters: Vec<_> = letters.chars().collect();
        (0..length).map(|_| *self.one_of(&letters)).collect()
    }

    fn whole(&mut self, schema: &Value) -> i64 {
        let edge = |name: &str, default| schema[name].as_i64().unwrap_or(default);
        let (least, most) = (edge("minimum", 0), edge("maximum", i64::MAX - 1));
        match self.below(8) {
            0 => least,
            1 => most,
            2 => least.saturating_sub(1),
            3 => most.saturating_add(1),
            _ => least.max(0).saturating_add(i64::try_from(self.below(5)).unwrap()),
        }
    }

    fn odd_value(&mut self) -> Value {
        match self.below(8) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!([]),
            3 => json!({}),
            4 => json!(-1),
            5 => json!(1.5),
            6 => json!(u64::MAX),
            _ => self.odd_text().into(),
        }
    }
}
