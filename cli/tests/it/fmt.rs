//! `stockade policy fmt`: files are aligned, whole or not at all, and mean the same.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn fmt(folder: &Path, flags: &[&str]) -> (Option<i32>, String, String) {
    let folder = folder.display().to_string();
    let words = ["policy", "fmt"].into_iter().chain(flags.iter().copied());
    told(stockade(words.chain([folder.as_str()])))
}

/// A folder in which two files are out of form.
fn untidy() -> tempfile::TempDir {
    let folder = copy_of_shipped();
    edit(folder.path(), "policy.csv", "p,   customer,    orders,", "p,customer,orders,");
    edit(folder.path(), "routes.toml", "accounts    = {", "accounts={");
    folder
}

#[test]
fn the_shipped_files_are_formatted() {
    let (code, out, _) = fmt(&shipped(), &["--check"]);
    assert_eq!((code, out.as_str()), (Some(0), "ok: 11 files, 0 changed\n"));
}

#[test]
fn check_names_what_is_not_formatted_and_leaves_it() {
    let folder = untidy();
    let before = fs::read(folder.path().join("policy.csv")).unwrap();
    let (code, out, _) = fmt(folder.path(), &["--check"]);
    let expected = "policy.csv: not formatted\nroutes.toml: not formatted\n\
                    2 of 11 files not formatted; run `stockade policy fmt`\n";
    assert_eq!((code, out.as_str()), (Some(2), expected));
    assert_eq!(fs::read(folder.path().join("policy.csv")).unwrap(), before);
}

#[test]
fn formatting_brings_the_files_back_into_form() {
    let folder = untidy();
    let (code, out, _) = fmt(folder.path(), &[]);
    let expected = "policy.csv: formatted\nroutes.toml: formatted\nok: 11 files, 2 changed\n";
    assert_eq!((code, out.as_str()), (Some(0), expected));
    for name in ["policy.csv", "routes.toml"] {
        let formatted = fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(formatted, fs::read_to_string(shipped().join(name)).unwrap());
    }
    assert_eq!(fmt(folder.path(), &["--check"]).0, Some(0));
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.display().to_string().starts_with('.')), "{left:?}");
}

#[test]
fn modes_and_links_stay() {
    let folder = untidy();
    let real = folder.path().join("real.csv");
    fs::rename(folder.path().join("policy.csv"), &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.csv", folder.path().join("policy.csv")).unwrap();
    assert_eq!(fmt(folder.path(), &[]).0, Some(0));
    assert!(folder.path().join("policy.csv").is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read(&real).unwrap(), fs::read(shipped().join("policy.csv")).unwrap());
}

#[test]
fn one_file_that_is_not_understood_keeps_all_as_they_are() {
    let folder = untidy();
    edit(folder.path(), "roles.csv", "g,   staff,", "g    staff,");
    let before = fs::read(folder.path().join("policy.csv")).unwrap();
    let (code, out, _) = fmt(folder.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(out.starts_with("roles.csv:"), "{out}");
    assert!(out.ends_with("1 finding: nothing is formatted\n"), "{out}");
    assert_eq!(fs::read(folder.path().join("policy.csv")).unwrap(), before);
}

#[test]
fn programs_are_answered() {
    let folder = untidy();
    let (code, out, _) = fmt(folder.path(), &["--check", "--format", "json"]);
    assert_eq!(code, Some(2));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["unformatted"], serde_json::json!(["policy.csv", "routes.toml"]));
    assert_eq!((&report["files"], &report["written"]), (&11.into(), &false.into()));
}

#[test]
fn a_folder_without_a_policy_is_not_formatted() {
    let empty = tempfile::tempdir().unwrap();
    let (code, _, err) = fmt(empty.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(err.ends_with("holds no files of a policy\n"), "{err}");
}
