//! Whose tokens are believed, from the settings.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use stockade_settings::{Issuer, TokenAlgorithm};

use crate::clock;
use crate::token::keys::{IssuerKeys, IssuerRules, KeySet};

/// Why an issuer cannot be believed as it is set.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// A key set on disk cannot be used.
    #[error("cannot use the key set `{}` (`edge.issuers.jwks_file`): {why}", .path.display())]
    KeySet {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// HS256 without its bounds.
    #[error(
        "the issuer `{0}` uses HS256, where whoever verifies can sign: set `accept_until` and \
         `max_role` for it, and no other algorithm, and give its keys in a `jwks_file`"
    )]
    Unbounded(String),
    /// No algorithm at all.
    #[error("the issuer `{0}` has no algorithms; name at least one, such as \"ES256\"")]
    NoAlgorithm(String),
    /// A date that is not a day.
    #[error("the issuer `{0}`: `accept_until` is not a day such as 2027-06-30")]
    NotADay(String),
    /// The same name twice.
    #[error("the issuer `{0}` is there twice")]
    Twice(String),
}

/// The issuers, as the edge runs with them.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    pub(crate) all: Vec<Arc<IssuerKeys>>,
    /// Those whose keys the upstream serves.
    pub(crate) fetched: Vec<Arc<IssuerKeys>>,
}

impl Issuers {
    pub(crate) fn load(settings: &[Issuer]) -> Result<Self, IssuerError> {
        let mut issuers = Self::default();
        for issuer in settings {
            let keys = Arc::new(IssuerKeys::new(rules(issuer)?));
            if issuers.all.iter().any(|known| known.rules().name == issuer.issuer) {
                return Err(IssuerError::Twice(issuer.issuer.clone()));
            }
            match &issuer.jwks_file {
                Some(path) => keys.replace(read(path, &issuer.algorithms)?),
                None => issuers.fetched.push(keys.clone()),
            }
            issuers.all.push(keys);
        }
        Ok(issuers)
    }
}

fn rules(issuer: &Issuer) -> Result<IssuerRules, IssuerError> {
    let name = || issuer.issuer.clone();
    if issuer.algorithms.is_empty() {
        return Err(IssuerError::NoAlgorithm(name()));
    }
    let bounded = issuer.accept_until.is_some()
        && issuer.max_role.is_some()
        && issuer.jwks_file.is_some()
        && issuer.algorithms.len() == 1;
    if issuer.algorithms.contains(&TokenAlgorithm::Hs256) && !bounded {
        return Err(IssuerError::Unbounded(name()));
    }
    let day = |date: &toml::value::Datetime| {
        let date = date.date.ok_or_else(|| IssuerError::NotADay(name()))?;
        Ok(clock::start_of_day(date.year.into(), date.month.into(), date.day.into()))
    };
    Ok(IssuerRules {
        name: name(),
        audience: issuer.audience.clone(),
        algorithms: issuer.algorithms.clone(),
        token_type: issuer.token_type,
        subject_claim: issuer.subject_claim.clone(),
        roles_claim: issuer.roles_claim.clone(),
        accept_until: issuer.accept_until.as_ref().map(day).transpose()?,
        max_role: issuer.max_role.clone(),
    })
}

fn read(path: &PathBuf, algorithms: &[TokenAlgorithm]) -> Result<KeySet, IssuerError> {
    let failed = |why: String| IssuerError::KeySet { path: path.clone(), why };
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    KeySet::parse(&bytes, algorithms).map_err(|error| failed(error.to_string()))
}
