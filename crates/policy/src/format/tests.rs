//! Promises of the canonical form.

use std::path::Path;

use super::*;
use crate::files::RUNTIME_FILES;

mod properties;

#[track_caller]
fn check(name: &str, written: &str, expected: &str) {
    assert_eq!(canonical(name, written.as_bytes()).as_deref(), Ok(expected));
    assert_eq!(canonical(name, expected.as_bytes()).as_deref(), Ok(expected), "not stable");
}

#[track_caller]
fn refused(name: &str, bytes: &[u8], code: Code) {
    let findings = canonical(name, bytes).unwrap_err();
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code]);
}

#[test]
fn the_shipped_files_are_canonical() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let cases = std::fs::read_dir(folder.join("cases")).unwrap();
    let cases = cases.map(|entry| format!("cases/{}", entry.unwrap().file_name().display()));
    for name in RUNTIME_FILES.map(str::to_owned).into_iter().chain(cases) {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert_eq!(canonical(&name, text.as_bytes()).as_deref(), Ok(text.as_str()), "{name}");
    }
}

#[test]
fn columns_of_rows_are_aligned() {
    let written = "#  Who.\t\n\n\n# p,role, resource,action,scope,effect\n\
                   p,anonymous,products ,read,any,allow\n  p, super-admin,a,delete,own,deny,shadow\n\
                   #p, staff, a, read, any, allow\n# p, q and r, too, are prose\n\n\n";
    let expected = "\
#  Who.


# p, role,        resource, action, scope,  effect
p,   anonymous,   products, read,   any,    allow
p,   super-admin, a,        delete, own,    deny,   shadow
# p, staff,       a,        read,   any,    allow
# p, q and r, too, are prose
";
    check("policy.csv", written, expected);
    check("roles.csv", "g,b,anonymous\ng,longer,b", "g, b,      anonymous\ng, longer, b\n");
}

#[test]
fn sections_and_leading_fields_are_aligned() {
    let written = r#"# What there is.
[ resources ]
a={owned=true,actions=["read"]}   # so
longer = { actions = [ "read" ,"write", ] }# and so
b = { actions = ["read"] }

[routes] # all of them
  # one by one
x = {match="GET /x",needs="a.read",auth="none"}

longer = { match = "POST /longer" , needs = "longer.write", auth = "required", limits = ["general"], body = { max = "1KiB", media = ["*/*"] } }
y = { auth = "none", match = "GET /y", needs = "a.read" }
[limits]
general = { key = "address", quota = 1, per = "15m" }
[networks]
office = [
    "10.0.0.0/8",   # main
  "192.0.2.0/24",
]
n = []
"#;
    let expected = r#"# What there is.
[resources]
a      = { owned = true, actions = ["read"] }  # so
longer = { actions = ["read", "write",] }      # and so
b      = { actions = ["read"] }

[routes] # all of them
# one by one
x      = { match = "GET /x",       needs = "a.read",       auth = "none" }

longer = { match = "POST /longer", needs = "longer.write", auth = "required", limits = ["general"], body = { max = "1KiB", media = ["*/*"] } }
y      = { auth = "none", match = "GET /y", needs = "a.read" }
[limits]
general = { key = "address", quota = 1, per = "15m" }
[networks]
office = [
    "10.0.0.0/8",   # main
  "192.0.2.0/24",
]
n      = []
"#;
    check("routes.toml", written, expected);
}

#[test]
fn words_of_any_shape_stay_as_they_are() {
    let written = "a . \"b c\" = 1979-05-27 07:32:00\nx='''\n  kept  \n'''\ny = 3.14\n\
                   z={a.b={},c=[[1,2],[ ]]}\nw = {\n  d = 1,  \n}\n[[t . u]]\n";
    let expected = "a.\"b c\" = 1979-05-27 07:32:00\nx       = '''\n  kept  \n'''\ny       = 3.14\n\
                    z       = { a.b = {}, c = [[1, 2], []] }\nw       = {\n  d = 1,\n}\n[[t.u]]\n";
    assert_eq!(document::format(written), expected);
    assert_eq!(document::format(expected), expected);
}

#[test]
fn cases_lose_blanks_at_the_ends_of_lines_unless_they_say_something() {
    check("cases/a.yaml", "- a:  \n    as: []\t\n\n\n", "- a:\n    as: []\n");
    let text = "- a: |\n    kept  \n";
    check("cases/a.yaml", text, text);
}

#[test]
fn the_model_and_an_empty_file_stay() {
    check("model.conf", " [x]  \n", " [x]  \n");
    check("cases/a.yaml", "[]", "[]\n");
}

#[test]
fn what_is_not_understood_is_refused() {
    refused("roles.csv", b"g, a\n", Code::Arity);
    refused("roles.csv", b"g, a, b\r\n", Code::CarriageReturn);
    refused("policy.csv", b"\xef\xbb\xbfp, a, b, c, any, allow\n", Code::ByteOrderMark);
    refused("policy.csv", b"p, a, b, c, any, allow # so\n", Code::InlineComment);
    refused("policy.csv", b"p, a, b, c, any, Allow\n", Code::UnknownEffect);
    refused("routes.toml", b"[resources\n", Code::TomlSyntax);
    refused("routes.toml", b"[resources]\n[routes]\n[rotues]\n", Code::UnknownKey);
    refused("cases/a.yaml", b"- a: [", Code::CaseSyntax);
    refused("policy.csv", &vec![b' '; FILE_BYTES_MAX + 1], Code::FileTooLarge);
    refused("roles.csv", b"\xff", Code::NotUtf8);
}

#[test]
fn a_role_of_another_file_is_not_missed() {
    check("roles.csv", "# nobody inherits\n", "# nobody inherits\n");
    check("policy.csv", "p,x,y,z,any,allow", "p, x, y, z, any,    allow\n");
}
