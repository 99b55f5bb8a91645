//! Which database is meant: the one that is named, or `DATABASE_URL`, or what `stockade up` makes.

use super::*;

const NAMED: &str = "sqlite:/nowhere/named.db";
const ENVIRONMENT: &str = "sqlite:/nowhere/environment.db";

#[track_caller]
fn refused(arguments: &[&str], environment: &str, expected: &str) {
    let mut command = stockade(arguments.iter().copied());
    command.env("DATABASE_URL", environment);
    let (code, out, err) = told(command);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains(expected), "{err}");
}

#[test]
fn the_environment_names_the_database_where_nobody_does() {
    refused(&["verify"], ENVIRONMENT, "/nowhere/environment.db");
    refused(&["audit", "verify"], ENVIRONMENT, "/nowhere/environment.db");
}

#[test]
fn what_is_named_comes_before_the_environment() {
    refused(&["verify", NAMED], ENVIRONMENT, "/nowhere/named.db");
    refused(&["audit", "verify", "--database", NAMED], ENVIRONMENT, "/nowhere/named.db");
}
