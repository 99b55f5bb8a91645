//! Decision records, as they stand in the access log.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::deadline::eventually;

/// The record of one decision, once it is written.
pub(crate) async fn find(log: &Path, decision_id: &str) -> Value {
    let id = json!(decision_id);
    eventually(format!("the record of {decision_id}"), || {
        let text = fs::read_to_string(log).ok()?;
        let mut records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        records.find(|record: &Value| record["decision_id"] == id)
    })
    .await
}
