#![allow(warnings)]
use stockade_policy::*;
use std::fs;
fn load(edits: &[(&str,&str,&str)]) -> Result<Bundle, Vec<Finding>> {
    let f = "/tmp/policies.next/policies/";
    Bundle::load(&BundleFiles::new(RUNTIME_FILES.iter().map(|n| {
        let mut t = fs::read_to_string(format!("{f}{n}")).unwrap();
        for (file, a, b) in edits { if file == n { assert!(t.contains(a)); t = t.replacen(a, b, 1); } }
        (n.to_string(), t.into_bytes())
    }).collect()))
}
fn test(b: &Bundle) {
    let mut n = 0; let mut bad = 0;
    let mut files: Vec<_> = fs::read_dir("/tmp/policies.next/policies/cases").unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for p in files {
        let name = format!("cases/{}", p.file_name().unwrap().display());
        for c in cases::parse(&name, &fs::read(&p).unwrap(), b).unwrap() {
            let r = c.run(b); n += 1;
            if !r.passed() { bad += 1; println!("{}:{}: {}: expected {}, got {}", r.file, r.line, r.sentence, r.expected, r.got); }
        }
    }
    println!("{bad} of {n} cases do not hold");
}
#[test] fn x() {
    let b = load(&[]).unwrap();
    println!("ok: {} roles, {} permissions, {} routes, {} cells", b.roles().count(), b.permissions().count(), b.routes().len(), b.proof().cells);
    test(&b);
    fs::write("/tmp/policies.next/policies/golden/matrix.txt", matrix::render(&b)).unwrap();
    for f in load(&[("policy.csv","orders,     create","order,      create"),("policy.csv","read,     own,   allow","read,     own,   Allow"),("routes.toml","\"127.0.0.1/32\"","\"127.0.0.1/8\"")]).unwrap_err() { println!("{f}"); }
    for f in load(&[("routes.toml","\"15m\" }","\"15\" }"),("routes.toml","limits = [\"writes\"], body","limits = [\"write\"], body"),("routes.toml","# [cors]\n# origins = [\"https://shop.example\"]","[cors]\norigins = [\"https://shop.example/\"]"),]).unwrap_err() { println!("{f}"); }
    let w = load(&[("policy.csv","create,   own,   allow","create,   any,   allow")]).unwrap();
    test(&w);
    let (o, n) = (matrix::render(&b), matrix::render(&w));
    for (a, b) in o.lines().zip(n.lines()) { if a != b { println!("- {a}\n+ {b}"); } }
}
