//! What the fuzz targets share: the shipped policy, whole or with one file replaced.

use std::collections::BTreeMap;

use stockade_policy::{
    Asker, Bundle, BundleFiles, Caller, Circumstances, Outcome, RUNTIME_FILES, RoleSet,
};

const SHIPPED: [&[u8]; 4] = [
    include_bytes!("../../policies/model.conf"),
    include_bytes!("../../policies/roles.csv"),
    include_bytes!("../../policies/policy.csv"),
    include_bytes!("../../policies/routes.toml"),
];

/// The shipped policy.
pub fn shipped() -> BundleFiles {
    let files = RUNTIME_FILES.iter().zip(SHIPPED);
    BundleFiles::new(files.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect())
}

/// The shipped policy with one file (its number counted round) replaced.
pub fn shipped_with(which: usize, bytes: &[u8]) -> BundleFiles {
    let which = which % RUNTIME_FILES.len();
    let mut files: BTreeMap<String, Vec<u8>> = RUNTIME_FILES
        .iter()
        .zip(SHIPPED)
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
        .collect();
    files.insert(RUNTIME_FILES[which].to_owned(), bytes.to_vec());
    BundleFiles::new(files)
}

/// Asks a bundle everything: every role on every route. What is allowed there is allowed by the
/// roles alone.
pub fn ask_everything(bundle: &Bundle) {
    let at = Circumstances { from: None, mfa_age_secs: Some(0) };
    for role in bundle.roles() {
        let held = RoleSet::of(role);
        let asker = Asker { caller: Caller::holding(bundle, held), at };
        for route in bundle.routes().iter() {
            let outcome = bundle.judge(&asker, route.method.as_str(), route.pattern.as_str());
            if let Outcome::Allow(scope) = outcome {
                assert!(bundle.is_owned(route.needs) || scope.as_str() == "any");
            }
        }
    }
}
