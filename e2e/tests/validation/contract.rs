//! The interface's description, as it is served, held against what is answered.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};
use stockade_test_support::Answer;

use crate::asked::Asked;
use crate::edge_codes::EDGE_CODES;

const PROBLEM: &str = "application/problem+json";

/// Every operation, with the schemas of its answers.
#[derive(Debug)]
pub(crate) struct Contract {
    operations: Vec<Operation>,
    problem: Validator,
}

#[derive(Debug)]
struct Operation {
    method: String,
    path: String,
    answers: BTreeMap<u16, Described>,
}

/// What is described of the answers with one status.
#[derive(Debug)]
struct Described {
    /// By media type.
    bodies: BTreeMap<String, Validator>,
    codes: Vec<String>,
}

impl Contract {
    /// Of an OpenAPI 3.1 document.
    pub(crate) fn read(document: &Value) -> Self {
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let answers = operation["responses"].as_object().unwrap().iter();
                let answers = answers
                    .map(|(status, answer)| (status.parse().unwrap(), described(document, answer)));
                let (method, path) = (method.to_uppercase(), path.clone());
                operations.push(Operation { method, path, answers: answers.collect() });
            }
        }
        let problem = json!({"$ref": "#/components/schemas/Problem"});
        Self { operations, problem: validator(document, &problem) }
    }

    /// What is wrong with an answer, if something is.
    pub(crate) fn fault(&self, asked: &Asked, answer: &Answer) -> Option<String> {
        let is_head = asked.method == "HEAD";
        let operation = self.operation(asked);
        let described = operation.and_then(|operation| operation.answers.get(&answer.status));
        if answer.header("content-type") == Some(PROBLEM) && !is_head {
            return self.fault_of_problem(described, answer);
        }
        if is_head && answer.status >= 400 {
            let known = EDGE_CODES.iter().any(|(status, _)| *status == answer.status);
            return (!known && described.is_none()).then(|| "an undocumented status".to_owned());
        }
        let Some(described) = described.filter(|_| answer.status < 400) else {
            return Some(format!("an undocumented {}", answer.status));
        };
        if described.bodies.is_empty() || is_head {
            return (!answer.body.is_empty()).then(|| "a body where none is expected".to_owned());
        }
        let media = answer.header("content-type").unwrap_or_default();
        let Some(schema) = described.bodies.get(media) else {
            return Some(format!("a body of the undocumented type `{media}`"));
        };
        off_schema(schema, answer)
    }

    /// The operation that a target leads to, if one does.
    fn operation(&self, asked: &Asked) -> Option<&Operation> {
        let path = asked.target.split('?').next().unwrap_or_default();
        let method = if asked.method == "HEAD" { "GET" } else { &asked.method };
        let fits = |template: &str| {
            let mut segments = path.split('/');
            let fit = template.split('/').all(|part| {
                segments.next().is_some_and(|segment| part.starts_with('{') || part == segment)
            });
            fit && segments.next().is_none()
        };
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.method == method && fits(&operation.path))
    }

    fn fault_of_problem(&self, described: Option<&Described>, answer: &Answer) -> Option<String> {
        let schema = described.and_then(|described| described.bodies.get(PROBLEM));
        if let Some(fault) = off_schema(schema.unwrap_or(&self.problem), answer) {
            return Some(fault);
        }
        let problem = answer.json();
        let code = problem["code"].as_str().unwrap();
        let by_core = described.is_some_and(|described| described.codes.iter().any(|c| c == code));
        if !by_core && !EDGE_CODES.contains(&(answer.status, code)) {
            return Some(format!("the undocumented code `{code}`"));
        }
        let whole = problem["status"] == answer.status
            && problem["type"] == format!("urn:stockade:problem:{code}")
            && problem["decision_id"].as_str() == answer.header("request-id");
        (!whole).then(|| format!("a problem that contradicts itself: {problem}"))
    }
}

fn described(document: &Value, answer: &Value) -> Described {
    let bodies = answer["content"].as_object().into_iter().flatten();
    let bodies = bodies.map(|(media, body)| (media.clone(), validator(document, &body["schema"])));
    let codes = answer["x-stockade-codes"].as_array().into_iter().flatten();
    let codes = codes.map(|code| code.as_str().unwrap().to_owned());
    Described { bodies: bodies.collect(), codes: codes.collect() }
}

/// A schema of the document. What a named schema does not name must not be there.
fn validator(document: &Value, schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    if schema["$ref"].is_string() {
        schema["unevaluatedProperties"] = json!(false);
    }
    schema["components"] = document["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn off_schema(schema: &Validator, answer: &Answer) -> Option<String> {
    let media = answer.header("content-type").unwrap_or_default();
    if !media.ends_with("json") {
        return answer.body.is_empty().then(|| format!("an empty body of the type `{media}`"));
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Some("a body that is not JSON".to_owned());
    };
    let errors = schema.iter_errors(&body);
    let errors: Vec<_> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| format!("off its schema: {}", errors.join("; ")))
}
