//! Whatever a line of a log holds, it is read as JSON reads it, or refused; and replayed.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stockade_audit::Recorded;
use stockade_fuzz::shipped;
use stockade_policy::Bundle;
use stockade_policy::replay::{Past, Replay};

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::load(&shipped()).expect("it loads"));

fuzz_target!(|line: &[u8]| {
    let Ok(read) = Recorded::read(line) else { return };
    // A number that nobody reads may be out of all range.
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(line) else { return };
    assert_eq!(json["path"].as_str(), Some(&*read.path));
    assert_eq!(json["decision_id"].as_str(), Some(&*read.decision_id));
    let mut replay = Replay::new(&BUNDLE);
    replay.take(&Past {
        time_ms: read.time_ms,
        decision_id: &read.decision_id,
        method: &read.method,
        path: &read.path,
        route: &read.route,
        code: read.code.as_deref(),
        client: &read.client,
        has_account: read.account.is_some(),
        held: read.held.as_deref(),
        roles: &read.roles,
        mfa_secs: read.mfa_s,
        scope: read.scope.as_deref(),
    });
    drop(replay.finish());
});
