//! Where the built programs and the repository's own files are.

use std::path::{Path, PathBuf};

/// A built program, beside the test that is running.
///
/// # Panics
/// When nobody has built it.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    // target/debug/deps/it-0123 stands beside target/debug/stockade.
    let folder = test.parent().and_then(Path::parent).expect("tests are built two folders deep");
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "`{}` is not there; run `cargo build --bins` first",
        program.display()
    );
    program
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let members = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    members.and_then(Path::parent).expect("this crate is two folders deep").to_owned()
}

/// The policies the repository ships.
pub fn policies() -> PathBuf {
    repository().join("policies")
}
