//! What is known of one operation: what it takes and every answer it gives.
//!
//! Each property of an operation brings the refusals that come with it, as the extractors and
//! the layers do that stand behind it.

use std::collections::{BTreeMap, BTreeSet};

use stockade_contract::problem::MEDIA_TYPE;
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    Content, Header, HeaderBuilder, RefOr, Required, Response, ResponseBuilder, Schema,
};

use super::bearer_needed;
use super::schemas::{self, problem, text};
use crate::http::RouteFacts;
use crate::http::page::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::ids::ProductId;
use crate::images::ImageKey;
use crate::sku::Sku;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// Schemas by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// One operation, for those who use it.
pub(crate) struct Docs {
    operation: OperationBuilder,
    answers: BTreeMap<u16, Answer>,
    schemas: Schemas,
}

/// What is answered with one status.
#[derive(Default)]
struct Answer {
    description: &'static str,
    content: Option<RefOr<Schema>>,
    /// JSON where it is none of these.
    media_types: &'static [&'static str],
    headers: Vec<(&'static str, Header)>,
    /// The codes of problems.
    codes: BTreeSet<&'static str>,
    is_oauth: bool,
}

impl Docs {
    /// An operation on the shop, in a few words: its database may be out of reach, or too many
    /// may wait.
    pub(crate) fn new(summary: &'static str) -> Self {
        Self::of_program(summary).refuses(503, &["busy"])
    }

    /// One that the program answers by itself; whatever it does, the edge has to vouch for the
    /// request.
    pub(crate) fn of_program(summary: &'static str) -> Self {
        let operation = OperationBuilder::new().summary(Some(summary));
        Self { operation, answers: BTreeMap::new(), schemas: Vec::new() }
            .refuses(401, &["assertion_missing", "assertion_invalid"])
            .refuses(403, &["assertion_mismatch"])
            .refuses(500, &["internal"])
    }

    /// More than fits into a few words.
    pub(crate) fn says(mut self, description: &'static str) -> Self {
        self.operation = self.operation.description(Some(description));
        self
    }

    /// Answers with a body.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16, description: &'static str) -> Self {
        let content = Some(self.use_schema::<T>());
        let answer = self.answers.entry(status).or_default();
        (answer.description, answer.content) = (description, content);
        self
    }

    /// Answers with a page of a list.
    pub(crate) fn answers_page<T: ToSchema>(mut self, description: &'static str) -> Self {
        let name = format!("PageOf{}", T::name());
        let page = schemas::page(self.use_schema::<T>());
        self.schemas.push((name.clone(), page));
        let answer = self.answers.entry(200).or_default();
        (answer.description, answer.content) = (description, Some(schemas::named(name)));
        self
    }

    /// Answers with whatever else is JSON.
    pub(crate) fn answers_json(mut self, description: &'static str) -> Self {
        let answer = self.answers.entry(200).or_default();
        (answer.description, answer.content) = (description, Some(schemas::object()));
        self
    }

    /// Answers with something else than JSON, of one of these media types.
    pub(crate) fn answers_media(
        mut self,
        media_types: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        let answer = self.answers.entry(200).or_default();
        (answer.description, answer.media_types) = (description, media_types);
        self
    }

    /// Answers 204.
    pub(crate) fn answers_nothing(mut self, description: &'static str) -> Self {
        self.answers.entry(204).or_default().description = description;
        self
    }

    /// Answers 202.
    pub(crate) fn accepts(mut self, description: &'static str) -> Self {
        self.answers.entry(202).or_default().description = description;
        self
    }

    /// The answers of success carry a header.
    pub(crate) fn header(mut self, name: &'static str, description: &'static str) -> Self {
        for (_, answer) in self.answers.iter_mut().filter(|(status, _)| **status < 300) {
            let header = HeaderBuilder::new().schema(Some(text())).description(Some(description));
            answer.headers.push((name, header.build()));
        }
        self
    }

    /// Answers with a problem of one of these codes.
    pub(crate) fn refuses(mut self, status: u16, codes: &[&'static str]) -> Self {
        self.answers.entry(status).or_default().codes.extend(codes);
        self
    }

    /// Its problems of this status have the members of RFC 6749, 5.2, too.
    pub(crate) fn refuses_as_oauth(mut self, codes: &[&'static str]) -> Self {
        self = self.refuses(400, codes);
        self.answers.entry(400).or_default().is_oauth = true;
        self
    }

    /// Takes a JSON body.
    pub(crate) fn takes<T: ToSchema>(self) -> Self {
        self.body::<T>(JSON)
            .refuses(400, &["invalid_json"])
            .refuses(413, &["body_too_large"])
            .refuses(415, &["unsupported_media_type"])
            .refuses(422, &["invalid_request"])
    }

    /// Takes a form.
    pub(crate) fn takes_form<T: ToSchema>(self) -> Self {
        self.body::<T>(FORM).refuses(413, &["body_too_large"])
    }

    /// Takes an image in a form.
    pub(crate) fn takes_image<T: ToSchema>(self) -> Self {
        self.body::<T>(MULTIPART)
            .refuses(400, &["invalid_form"])
            .refuses(413, &["body_too_large"])
            .refuses(415, &["unsupported_media_type"])
            .refuses(422, &["invalid_request"])
    }

    /// Takes a JSON body that is somebody else's to describe.
    pub(crate) fn takes_unread(mut self) -> Self {
        let body = RequestBodyBuilder::new().content(JSON, Content::new(Some(schemas::object())));
        self.operation =
            self.operation.request_body(Some(body.required(Some(Required::True)).build()));
        self
    }

    fn body<T: ToSchema>(mut self, media_type: &str) -> Self {
        let content = Content::new(Some(self.use_schema::<T>()));
        let body = RequestBodyBuilder::new().content(media_type, content);
        self.operation =
            self.operation.request_body(Some(body.required(Some(Required::True)).build()));
        self
    }

    /// Is about the one thing its path names.
    pub(crate) fn finds(self) -> Self {
        self.refuses(404, &["not_found"])
    }

    /// Is given out in pages.
    pub(crate) fn paged(self) -> Self {
        let limit = schemas::whole(1, i64::from(LIMIT_MAX), Some(i64::from(LIMIT_DEFAULT)));
        self.query("limit", limit, "Most items of the page.")
            .query("cursor", text(), "The `next` of the page before.")
            .refuses(422, &["invalid_request"])
    }

    /// Takes a parameter in its query.
    pub(crate) fn query(
        self,
        name: &str,
        schema: impl Into<RefOr<Schema>>,
        description: &str,
    ) -> Self {
        self.in_query(name, Required::False, schema, description)
    }

    /// Takes a parameter in its query that has to be there.
    pub(crate) fn needs_query(
        self,
        name: &str,
        schema: impl Into<RefOr<Schema>>,
        description: &str,
    ) -> Self {
        self.in_query(name, Required::True, schema, description)
    }

    fn in_query(
        mut self,
        name: &str,
        required: Required,
        schema: impl Into<RefOr<Schema>>,
        description: &str,
    ) -> Self {
        let parameter = parameter(name, ParameterIn::Query, required);
        let parameter = parameter.schema(Some(schema)).description(Some(description));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// Is about what accounts own.
    pub(crate) fn owned(mut self) -> Self {
        self.operation = self.operation.security(bearer_needed());
        self.refuses(403, &["account_needed"])
    }

    /// Is done in one's own name.
    pub(crate) fn own_name(self) -> Self {
        self.owned().refuses(403, &["own_only"])
    }

    /// Is done once for each key.
    pub(crate) fn keyed(self) -> Self {
        let description = "Names this attempt: 1 to 255 visible ASCII characters. The same \
            request under the same key is answered again and done once, for a day.";
        self.request_header("Idempotency-Key", description)
            .header("Idempotency-Replayed", "`true` where the answer was given before.")
            .refuses(400, &["idempotency_key_missing", "idempotency_key_invalid"])
            .refuses(422, &["idempotency_key_reused"])
    }

    /// Is made on a version.
    pub(crate) fn versioned(self) -> Self {
        self.request_header("If-Match", "The `ETag` of what the change is made on, or `*`.")
            .refuses(412, &["precondition_failed"])
            .refuses(428, &["precondition_required"])
    }

    /// Counts what fails.
    pub(crate) fn throttled(self) -> Self {
        self.refuses(429, &["login_locked"])
    }

    /// Needs a session in which its owner proved themselves just now.
    pub(crate) fn secured(self) -> Self {
        self.own_name()
            .refuses(401, &["mfa_required", "login_required"])
            .refuses(403, &["session_needed"])
    }

    fn request_header(mut self, name: &str, description: &str) -> Self {
        let parameter = parameter(name, ParameterIn::Header, Required::True);
        let parameter = parameter.schema(Some(text())).description(Some(description));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// Refers to a schema and keeps it, with whatever it refers to.
    fn use_schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        schemas::named(name)
    }

    /// The operation of this route, and the schemas it uses.
    pub(super) fn describe(mut self, facts: &RouteFacts) -> (Operation, Schemas) {
        let permission = [("x-stockade-permission", facts.permission)];
        let mut operation = self
            .operation
            .operation_id(Some(facts.operation))
            .tag(tag(facts.path))
            .extensions(Some(permission.into_iter().collect::<Extensions>()));
        for part in facts.path.split('/').filter_map(|part| part.strip_prefix('{')) {
            operation = operation.parameter(path_parameter(part.trim_end_matches('}')));
        }
        for (status, answer) in self.answers {
            operation = operation.response(status.to_string(), answer.describe());
        }
        self.schemas.extend([
            ("Problem".to_owned(), problem()),
            ("OAuthProblem".to_owned(), schemas::oauth_problem()),
        ]);
        (operation.build(), self.schemas)
    }
}

impl Answer {
    fn describe(self) -> Response {
        let mut response = ResponseBuilder::new().description(self.description);
        if let Some(content) = self.content {
            response = response.content(JSON, Content::new(Some(content)));
        }
        for media_type in self.media_types {
            response = response.content(*media_type, Content::new(Some(text())));
        }
        for (name, header) in self.headers {
            response = response.header(name, header);
        }
        if !self.codes.is_empty() {
            let codes: Vec<_> = self.codes.iter().map(|code| format!("`{code}`")).collect();
            let schema = if self.is_oauth { "OAuthProblem" } else { "Problem" };
            let content = Content::new(Some(schemas::named(schema.to_owned())));
            let codes_in = Vec::from_iter(self.codes);
            response = response
                .description(format!("A problem: {}.", codes.join(", ")))
                .content(MEDIA_TYPE, content)
                .extensions(Some(Extensions::from_iter([("x-stockade-codes", codes_in)])));
        }
        response.build()
    }
}

/// What it is about: the path's first word, without the prefix of all.
fn tag(path: &str) -> &str {
    path.trim_start_matches("/api/").split(['/', '.']).next().unwrap_or_default()
}

fn path_parameter(name: &str) -> Parameter {
    let schema = match name {
        "sku" => schemas::of::<Sku>(),
        "key" => schemas::of::<ImageKey>(),
        "provider" => text().into(),
        // All ids look alike.
        _ => schemas::of::<ProductId>(),
    };
    parameter(name, ParameterIn::Path, Required::True).schema(Some(schema)).build()
}

fn parameter(name: &str, place: ParameterIn, required: Required) -> ParameterBuilder {
    ParameterBuilder::new().name(name).parameter_in(place).required(required)
}
