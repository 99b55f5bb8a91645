//! `routes.toml`: resources, conditions of roles, networks, limits, CORS, headers and routes.

use std::num::NonZeroU32;

use crate::activation::Condition;
use crate::cors::Cors;
use crate::finding::{Code, Findings, Place};
use crate::headers::{self, ResponseHeader};
use crate::limits::Limits;
use crate::measure::read_duration;
use crate::names::{PermissionId, RouteId};
use crate::network::Networks;
use crate::pattern::{MatchError, MethodRule, Pattern, parse_match};
use crate::resources::Resources;
use crate::roles::ANONYMOUS;
use crate::route::{Auth, BodyRule, Route, RouteName};
use crate::source::Source;
use crate::toml_reader::{self, Entry, Text, TomlReader};

mod body;

/// Everything `routes.toml` says, with names resolved.
#[derive(Debug, Default)]
pub(crate) struct RoutesFile<'s> {
    pub(crate) resources: Resources,
    pub(crate) networks: Networks,
    pub(crate) limits: Limits,
    pub(crate) cors: Option<Cors>,
    pub(crate) headers: Vec<(ResponseHeader, String)>,
    pub(crate) conditions: Vec<RoleCondition<'s>>,
    pub(crate) routes: Vec<(Route, Place<'s>)>,
}

/// A line of `[roles]`.
#[derive(Debug)]
pub(crate) struct RoleCondition<'s> {
    pub(crate) role: String,
    pub(crate) at: Place<'s>,
    pub(crate) condition: Condition,
}

impl<'s> RoutesFile<'s> {
    /// Reads the file. Nothing comes back where it is no TOML; else what could be read.
    pub(crate) fn read(source: &'s Source<'s>, findings: &mut Findings) -> Option<Self> {
        let document = toml_reader::parse(source, findings)?;
        let mut reader = TomlReader::new(source, findings);
        let document = reader.document(&document);
        let known = ["resources", "roles", "networks", "limits", "cors", "headers", "routes"];
        let [resources, roles, networks, limits, cors, headers, routes] =
            reader.keys(&document, known)?;
        let resources = reader.required(&document, "resources", resources);
        let routes = reader.required(&document, "routes", routes);

        let mut file = Self::default();
        if let Some(section) = resources {
            file.resources = Resources::read(&section, &mut reader);
        }
        if let Some(section) = networks {
            file.networks = Networks::read(&section, &mut reader);
        }
        if let Some(section) = limits {
            file.limits = Limits::read(&section, &mut reader);
        }
        file.cors = cors.and_then(|section| Cors::read(&section, &mut reader));
        if let Some(section) = headers {
            file.headers = headers::read(&section, &mut reader);
        }
        if let Some(section) = roles {
            file.read_conditions(&section, &mut reader);
        }
        if let Some(section) = routes {
            file.read_routes(&section, &mut reader);
        }
        Some(file)
    }

    fn read_conditions(&mut self, section: &Entry<'_>, reader: &mut TomlReader<'s, '_>) {
        for entry in reader.entries(section) {
            let Some([network, mfa]) = reader.keys(&entry, ["network", "mfa"]) else { continue };
            let at = reader.place(entry.key_at);
            let condition = Condition {
                network: network.and_then(|name| self.networks.resolve(&name, reader)),
                mfa_secs: mfa.and_then(|age| read_role_mfa(&entry, &age, reader)),
                line: at.line,
            };
            self.conditions.push(RoleCondition { role: entry.key.to_owned(), at, condition });
        }
    }

    fn read_routes(&mut self, section: &Entry<'_>, reader: &mut TomlReader<'s, '_>) {
        for entry in reader.entries(section) {
            reader.expect_name("route", &entry);
            let at = reader.place(entry.key_at);
            let Ok(index) = u16::try_from(self.routes.len()) else {
                let fix = "a bundle holds 65536 routes";
                return reader.findings().add(Code::TooMany, at, "one route too many", fix);
            };
            if let Some(route) = self.read_route(RouteId(index), &entry, reader) {
                self.routes.push((route, at));
            }
        }
    }

    fn read_route(
        &self,
        index: RouteId,
        entry: &Entry<'_>,
        reader: &mut TomlReader<'_, '_>,
    ) -> Option<Route> {
        let known = ["match", "needs", "auth", "network", "limits", "body", "mfa", "mode"];
        let [matches, needs, auth, network, limits, body, mfa, mode] = reader.keys(entry, known)?;
        let matches = reader.required(entry, "match", matches);
        let needs = reader.required(entry, "needs", needs);
        let auth = reader.required(entry, "auth", auth);

        let matches = matches.and_then(|value| read_match(&value, reader));
        let needs = needs.and_then(|value| self.read_needs(&value, reader));
        let words = Auth::ALL.map(|auth| (auth.as_str(), auth));
        let auth = auth.and_then(|value| {
            reader.word(&value, Code::UnknownAuth, "way of authentication", words)
        });
        // SECURITY: a network that cannot be resolved must not become "everywhere": it is a
        // finding, and a bundle with findings is refused.
        let network = network.and_then(|value| self.networks.resolve(&value, reader));
        let limits = limits.map(|value| self.limits.read_of_route(&value, auth, reader));
        let limits = limits.unwrap_or_default();
        let body = match body {
            Some(value) => body::read(&value, reader)?,
            None => BodyRule::default(),
        };
        let mfa_secs = mfa.and_then(|age| read_mfa(&age, auth, reader));
        let mode = reader.mode(mode);
        let (method, pattern) = matches?;
        let id = RouteName(entry.key.to_owned());
        let line = reader.place(entry.key_at).line;
        let (needs, auth, mode) = (needs?, auth?, mode?);
        Some(Route {
            id,
            index,
            method,
            pattern,
            needs,
            auth,
            network,
            limits,
            body,
            mfa_secs,
            mode,
            line,
        })
    }

    fn read_needs(
        &self,
        entry: &Entry<'_>,
        reader: &mut TomlReader<'_, '_>,
    ) -> Option<PermissionId> {
        let Text { text, at } = reader.string(entry)?;
        let found = self.resources.find(text);
        if found.is_none() {
            let message = format!("the permission `{text}` is not declared");
            let fix = self.resources.advice(text);
            let place = reader.place(at);
            reader.findings().add(Code::UnknownPermission, place, message, fix);
        }
        found
    }
}

/// How old the second factor of whoever holds a role may be.
fn read_role_mfa(
    role: &Entry<'_>,
    age: &Entry<'_>,
    reader: &mut TomlReader<'_, '_>,
) -> Option<NonZeroU32> {
    if role.key == ANONYMOUS {
        let place = reader.place(age.key_at);
        let message = "a second factor is wanted of callers without a token that could tell of one";
        let fix = "remove it, or write it for the roles above";
        reader.findings().add(Code::MfaWithoutToken, place, message, fix);
    }
    read_duration(age, reader)
}

/// How old a second factor may be. Only a token can tell of one.
fn read_mfa(
    entry: &Entry<'_>,
    auth: Option<Auth>,
    reader: &mut TomlReader<'_, '_>,
) -> Option<NonZeroU32> {
    if auth.is_some_and(|auth| auth != Auth::Required) {
        let place = reader.place(entry.key_at);
        let message = "a second factor is wanted, and no token is required that could tell of one";
        reader.findings().add(Code::MfaWithoutToken, place, message, "write `auth = \"required\"`");
    }
    read_duration(entry, reader)
}

fn read_match(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<(MethodRule, Pattern)> {
    let Text { text, at } = reader.string(entry)?;
    match parse_match(text) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            let (code, fix) = match error {
                MatchError::Method => {
                    (Code::BadMethod, "write DELETE, GET, OPTIONS, PATCH, POST, PUT or `*`")
                }
                MatchError::Shape
                | MatchError::NoSlash
                | MatchError::TooLong
                | MatchError::NotLast
                | MatchError::Parameter
                | MatchError::Literal => (Code::BadPattern, "write it like `GET /api/orders/{id}`"),
            };
            let place = reader.place(at);
            reader.findings().add(code, place, format!("`{text}`: {error}"), fix);
            None
        }
    }
}
