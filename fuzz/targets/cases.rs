//! Whatever a file of cases holds, it is read and tried, or refused.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stockade_fuzz::shipped;
use stockade_policy::{Bundle, cases};

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::load(&shipped()).expect("it loads"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(cases) = cases::parse("cases/fuzz.yaml", bytes, &BUNDLE) {
        for case in cases {
            case.run(&BUNDLE);
        }
    }
});
