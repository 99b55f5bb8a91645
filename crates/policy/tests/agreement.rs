//! The table says what the files say: it, Casbin and a naive reading agree on 100,000 cells of
//! random policies with hierarchies, denies, scopes, sets of roles and conditions.
//!
//! `cargo run --release -p stockade-policy --example agreement -- 10000000` does more of the same.
#![expect(clippy::indexing_slicing, reason = "numbers below come from the tables they index")]

#[path = "../examples/agreement/casbin_reading.rs"]
mod casbin_reading;
#[path = "../examples/agreement/compare.rs"]
mod compare;
#[path = "../examples/agreement/naive_reading.rs"]
mod naive_reading;
#[path = "../examples/agreement/random.rs"]
mod random;
#[path = "../examples/agreement/world.rs"]
mod world;

const CELLS: u64 = 100_000;

#[test]
fn table_casbin_and_a_naive_reading_agree() {
    let tally = compare::compare(CELLS, 1).unwrap();
    println!("{tally:?}");
    // The sample is no sample of trifles.
    assert!(tally.cells >= CELLS && tally.policies >= 100, "{tally:?}");
    for share in [tally.allowed, tally.inactive, tally.sets] {
        assert!(share > CELLS / 10, "{tally:?}");
    }
    assert_eq!(compare::compare(1000, 7), compare::compare(1000, 7));
}
