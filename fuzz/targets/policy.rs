//! Whatever the policy's files hold, loading answers, and what it takes can be asked anything.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use stockade_fuzz::{ask_everything, shipped_with};
use stockade_policy::Bundle;

/// One in so many bundles is proven: the proof is Casbin's work and a thousand times slower.
const PROVEN_ONE_IN: u8 = 64;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((which, bytes)) = input.split_first() else { return Corpus::Reject };
    let files = shipped_with(usize::from(*which), bytes);
    let Ok(unproven) = Bundle::compile(&files) else { return Corpus::Keep };
    if bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) % PROVEN_ONE_IN == 0 {
        let bundle = unproven.prove(&mut || ()).expect("what compiles is proven");
        ask_everything(&bundle);
    }
    Corpus::Keep
});
