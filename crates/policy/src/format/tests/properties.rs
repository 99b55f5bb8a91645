//! Properties: formatting changes blanks and nothing else, and doing it twice does no more.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use toml_parser::lexer::TokenKind;

use super::*;
use crate::bundle::Bundle;
use crate::files::BundleFiles;
use crate::model::MODEL;

const ROUTES: &str = r#"# What there is.
[resources]
orders = { owned = true, actions = ["read", "write"] }
carts = { actions = ["read"] } # nobody's

[roles]
staff = { network = "office" }
[networks]
office = [
  "10.0.0.0/8", # main

  "192.0.2.0/24",
]
[limits]
general = { key = "address", quota = 10, per = "1m" }
logins = { key = "address", quota = 1000, per = "15m", count = "failures" }
[cors]
origins = ["https://shop.example"]
max_age = "5m"
[routes]
# one by one
orders = { match = "GET /orders/{id}", needs = "orders.read", auth = "required", limits = ["general"] }

write = { match = "POST /orders", needs = "orders.write", auth = "required", body = { max = "1KiB", media = ["application/json"] } }
odd = { auth = "optional", network = "office", match = "* /odd/{**rest}", needs = "carts.read" }
"#;

const ROLES: [&str; 4] = ["anonymous", "staff", "a", "quite-a-long-name"];
const PERMISSIONS: [[&str; 3]; 3] =
    [["orders", "read", "own"], ["orders", "write", "any"], ["carts", "read", "any"]];

/// As many blanks as the next of these numbers says.
fn blanks(numbers: &mut impl Iterator<Item = usize>) -> &'static str {
    ["", " ", "  ", "\t", " \t "][numbers.next().unwrap_or(0)]
}

/// The document with other blanks around its tokens.
fn respaced(text: &str, numbers: &[usize]) -> String {
    let (mut out, mut numbers) = (String::new(), numbers.iter().copied().cycle());
    for token in toml_parser::Source::new(text).lex() {
        let token_text = &text[token.span().start()..token.span().end()];
        match token.kind() {
            TokenKind::Whitespace => out.push(' '),
            // A comment would take the blanks behind it for its own.
            TokenKind::Comment => out.push_str(token_text),
            TokenKind::Dot | TokenKind::Atom => out.push_str(token_text),
            _ => {
                out.push_str(blanks(&mut numbers));
                out.push_str(token_text);
                out.push_str(if token.kind() == TokenKind::Newline {
                    ""
                } else {
                    blanks(&mut numbers)
                });
            }
        }
    }
    out
}

/// Rows, comments and blank lines with blanks of any kind.
fn rows(rows: impl Iterator<Item = Vec<&'static str>>, numbers: &[usize]) -> String {
    let (mut out, mut numbers) = (String::new(), numbers.iter().copied().cycle());
    for row in rows {
        match numbers.next().unwrap_or(0) {
            0 => out.push_str("\n# a comment, with commas, \n"),
            1 => out.push_str("\t\n"),
            2 => out.push_str("#p,a,b,c,any,allow\n"),
            _ => {}
        }
        for (number, cell) in row.iter().enumerate() {
            out.push_str(if number == 0 { "" } else { "," });
            out.push_str(blanks(&mut numbers));
            out.push_str(cell);
            out.push_str(blanks(&mut numbers));
        }
        out.push('\n');
    }
    out
}

/// Everything a bundle says, but for its hash.
fn meaning(texts: &[String; 4]) -> Result<String, Vec<Finding>> {
    let files = RUNTIME_FILES.map(str::to_owned).into_iter();
    let files = files.zip(texts.iter().map(|text| text.clone().into_bytes())).collect();
    let bundle = Bundle::load(&BundleFiles::new(files))?;
    Ok(format!("{bundle:?}").replace(&bundle.hash().to_string(), ""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The bundle is the same before and after, line numbers included.
    #[test]
    fn a_bundle_means_the_same(
        links in btree_set((1_usize..4, 0_usize..3), 0..6),
        rules in btree_map((0_usize..4, 0_usize..3, any::<bool>()), any::<bool>(), 1..10),
        numbers in vec(0_usize..5, 1..40),
    ) {
        let top = ROLES.map(|role| vec!["g", "top", role]);
        let links = links.into_iter().filter(|(senior, junior)| senior > junior);
        let links = links.map(|(senior, junior)| vec!["g", ROLES[senior], ROLES[junior]]);
        let rules = rules.into_iter().map(|((role, permission, deny), shadow)| {
            let [resource, action, scope] = PERMISSIONS[permission];
            let effect = if deny { "deny" } else { "allow" };
            let mark: &[_] = if shadow { &["shadow"] } else { &[] };
            [&["p", ROLES[role], resource, action, scope, effect], mark].concat()
        });
        let written = [
            MODEL.to_owned(),
            rows(top.into_iter().chain(links), &numbers),
            rows(rules, &numbers),
            respaced(ROUTES, &numbers),
        ];
        let mut formatted = written.clone();
        for (name, text) in RUNTIME_FILES.iter().zip(&mut formatted) {
            *text = canonical(name, text.as_bytes()).unwrap();
            let again = canonical(name, text.as_bytes()).unwrap();
            prop_assert_eq!(&again, &*text, "not stable");
        }
        let before = meaning(&written);
        prop_assert!(before.is_ok(), "{:?}", before);
        prop_assert_eq!(before, meaning(&formatted));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// A document of any tokens says the same before and after, where it says anything.
    #[test]
    fn a_document_means_the_same(
        words in vec(
            prop::sample::select(vec![
                "a", "b", "c", " = ", "1", "'x, y'", "\"# no\"", "1979-05-27 07:32:00", "3.5", ".", ",",
                "[", "]", "{", "}", "\n", "\n", "# so\n", " ", "\t", "'''\n  z \n'''", "true",
                "a = ", "b = { ", " }", "x = [1,\n 2, ]\n", "[t]\n", "[[u]]\n",
            ]),
            0..24,
        ),
    ) {
        let text = words.concat();
        if let Ok(before) = toml::from_str::<toml::Table>(&text) {
            let formatted = document::format(&text);
            prop_assert_eq!(toml::from_str::<toml::Table>(&formatted), Ok(before), "{}", formatted);
            prop_assert_eq!(document::format(&formatted), formatted);
        }
    }

    /// The same for values nested in each other.
    #[test]
    fn a_value_means_the_same(
        table in btree_map("[a-z]{1,4}", value(), 0..6),
        numbers in vec(0_usize..5, 1..20),
    ) {
        let lines: Vec<_> = table.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let text = respaced(&lines.concat(), &numbers);
        let before: toml::Table = toml::from_str(&text).unwrap();
        let formatted = document::format(&text);
        prop_assert_eq!(toml::from_str::<toml::Table>(&formatted), Ok(before), "{}", formatted);
        prop_assert_eq!(document::format(&formatted), formatted);
    }

    /// Whatever bytes a file holds, it is formatted or refused.
    #[test]
    fn no_bytes_make_formatting_panic(file in 0_usize..5, bytes in vec(any::<u8>(), 0..200)) {
        let names = ["model.conf", "roles.csv", "policy.csv", "routes.toml", "cases/a.yaml"];
        let _formatted = canonical(names[file], &bytes);
    }
}

/// A value on one line.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "'x, {y} = 1'",
        "\"# \\\" no\"",
        "2.5",
        "true",
        "1979-05-27",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(3, 16, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(",")));
        let table = btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|fields| {
            let fields: Vec<_> =
                fields.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        prop_oneof![list, table]
    })
}
