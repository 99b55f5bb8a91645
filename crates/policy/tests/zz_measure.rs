#![allow(warnings)]
use std::fmt::Write;
use std::time::Instant;
use stockade_policy::*;
fn run(roles: usize, resources: usize, actions: usize) {
    let mut g = String::from("g, r0, anonymous\n");
    for r in 1..roles - 1 {
        writeln!(g, "g, r{r}, r{}", if r % 8 == 0 { 0 } else { r - 1 }).unwrap();
    }
    let acts: Vec<_> = (0..actions).map(|a| format!("\"a{a}\"")).collect();
    let mut t = String::from("[resources]\n");
    for o in 0..resources {
        writeln!(t, "o{o} = {{ owned = true, actions = [{}] }}", acts.join(",")).unwrap();
    }
    t.push_str("[routes]\nx = { match = \"GET /x\", needs = \"o0.a0\", auth = \"required\" }\n");
    let mut p = String::new();
    let mut n = 0;
    for r in 0..roles - 1 {
        for o in 0..resources {
            for a in 0..actions {
                n += 1;
                let s = ["own", "others", "any"][n % 3];
                let e = if n % 50 == 0 { "deny" } else { "allow" };
                writeln!(p, "p, r{r}, o{o}, a{a}, {s}, {e}").unwrap();
            }
        }
    }
    let model = include_str!("../../../policies/model.conf");
    let files = [("model.conf", model), ("roles.csv", &g), ("policy.csv", &p), ("routes.toml", &t)];
    let files = BundleFiles::new(
        files.iter().map(|(n, t)| (n.to_string(), t.as_bytes().to_vec())).collect(),
    );
    let start = Instant::now();
    let b = Bundle::load(&files).unwrap();
    println!(
        "{n} rules, {roles} roles, {resources}x{actions}: {:?}, {} cells",
        start.elapsed(),
        b.proof().cells
    );
}
#[test]
fn measure() {
    run(5, 8, 4);
    run(21, 125, 4);
    run(21, 50, 10);
    run(6, 500, 4);
    run(51, 20, 10);
}
