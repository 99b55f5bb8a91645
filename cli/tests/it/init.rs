//! `stockade init`: a starter that every other verb is content with, and that touches nothing.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use stockade_settings::Settings;

use super::*;

fn init(folder: &Path, upstream: &str) -> (Option<i32>, String, String) {
    let folder = folder.display().to_string();
    told(stockade(["init", &folder, "--upstream", upstream]))
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn every_verb_is_content_with_a_fresh_start() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = init(folder.path(), "http://127.0.0.1:3000");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("\nstockade-proxy --config stockade.toml\n"), "{out}");
    let policies = folder.path().join("policies").display().to_string();
    for verb in [
        &["coverage", "--min", "100"][..],
        &["check", "--strict"],
        &["test"],
        &["matrix", "--check"],
        &["fmt", "--check"],
    ] {
        let words = ["policy"].iter().chain(verb).copied().chain([policies.as_str()]);
        let (code, out, err) = told(stockade(words));
        assert_eq!(code, Some(0), "{verb:?}: {out}{err}");
    }
}

#[test]
fn the_settings_name_the_service_and_files_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(init(folder.path(), "http://localhost:3000").0, Some(0));
    let edge = Settings::load(&folder.path().join("stockade.toml")).unwrap().edge;
    assert_eq!(edge.upstream.address, Some(SocketAddr::from(([127, 0, 0, 1], 3000))));
    assert!(edge.listen.ip().is_loopback() && edge.ops_listen.ip().is_loopback());

    let folder = tempfile::tempdir().unwrap();
    assert_eq!(init(folder.path(), "unix:/run/app.sock").0, Some(0));
    let edge = Settings::load(&folder.path().join("stockade.toml")).unwrap().edge;
    assert_eq!(edge.upstream.socket.as_deref(), Some(Path::new("/run/app.sock")));
}

/// Whatever a program of this build makes itself is there; the rest it says how to make.
#[test]
fn keys_are_made_or_told_how_to_make() {
    let folder = tempfile::tempdir().unwrap();
    let (_, out, _) = init(folder.path(), "http://127.0.0.1:3000");
    let edge = Settings::load(&folder.path().join("stockade.toml")).unwrap().edge;
    let named = [
        edge.tls.certificate_file.unwrap(),
        edge.tls.private_key_file.unwrap(),
        edge.upstream.assertion_secret_file.unwrap(),
    ];
    for path in named {
        let name = path.strip_prefix(folder.path()).unwrap().display().to_string();
        if cfg!(feature = "serve") {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{name}");
        } else {
            assert!(out.contains(&name), "{out}");
        }
    }
}

#[test]
fn one_file_in_the_way_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/roles.csv"), "mine").unwrap();
    let (code, out, err) = init(folder.path(), "http://127.0.0.1:3000");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.ends_with("/policies/roles.csv` is there already, and nothing is overwritten\n"));
    assert_eq!(files_below(folder.path()), [folder.path().join("policies/roles.csv")]);
    assert_eq!(fs::read_to_string(folder.path().join("policies/roles.csv")).unwrap(), "mine");
}

#[test]
fn a_service_elsewhere_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = init(folder.path(), "http://192.0.2.1:80");
    assert_eq!(code, Some(1));
    assert!(err.contains("not on this machine"), "{err}");
    assert!(files_below(folder.path()).is_empty());
}
