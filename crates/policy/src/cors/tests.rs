//! Promises of the section `[cors]`.

use super::*;
use crate::finding::Findings;
use crate::routes_file::RoutesFile;
use crate::source::Source;

/// Reads `lines` as the section, the first of them on line 2.
fn read(lines: &str) -> (Option<Cors>, Vec<(Code, u32, u32)>) {
    let mut findings = Findings::default();
    let text = format!("[cors]\n{lines}\n[resources]\n[routes]\n");
    let source = Source::read("routes.toml", text.as_bytes(), &mut findings).unwrap();
    let file = RoutesFile::read(&source, &mut findings).unwrap();
    let found = findings.into_sorted();
    (file.cors, found.iter().map(|f| (f.code, f.line, f.column)).collect())
}

fn cors(lines: &str) -> Cors {
    let (cors, found) = read(lines);
    assert_eq!(found, []);
    cors.unwrap()
}

#[test]
fn an_origin_is_compared_byte_by_byte() {
    let cors = cors(r#"origins = ["https://shop.example", "http://localhost:3000"]"#);
    assert!(cors.allows("https://shop.example") && cors.allows("http://localhost:3000"));
    for origin in [
        "",
        "null",
        "https://shop.example/",
        "https://shop.example:443",
        "https://Shop.example",
        "http://shop.example",
        "https://www.shop.example",
        "https://shop.example.evil",
        "http://localhost",
    ] {
        assert!(!cors.allows(origin), "{origin}");
    }
}

#[test]
fn what_is_left_out_is_what_the_shop_needs() {
    let cors = cors(r#"origins = ["https://shop.example"]"#);
    assert_eq!((cors.credentials, cors.max_age_secs), (false, 600));
    assert_eq!(*cors.headers, HEADERS.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(*cors.expose, EXPOSE.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert!(EXPOSE.iter().chain(HEADERS).all(|name| is_header(name)));
}

#[test]
fn everything_can_be_written() {
    let cors = cors(
        "origins = []\ncredentials = true\nmax_age = \"24h\"\nheaders = [\"x-a\"]\nexpose = []",
    );
    assert_eq!((cors.credentials, cors.max_age_secs), (true, 86400));
    assert_eq!((&*cors.headers, cors.expose.len()), (&["x-a".to_owned()][..], 0));
    assert!(!cors.allows("https://shop.example"));
}

#[test]
fn what_is_not_exact_is_refused() {
    let origins = "origins = [\"https://shop.example\"]\n";
    for (line, found) in [
        ("max_age = \"25h\"", (Code::BadDuration, 3, 11)),
        ("max_age = 600", (Code::WrongKind, 3, 11)),
        ("credentials = \"yes\"", (Code::WrongKind, 3, 15)),
        ("headers = [\"*\"]", (Code::BadHeader, 3, 12)),
        ("headers = [\"x-*\"]", (Code::BadHeader, 3, 12)),
        ("headers = [\"\"]", (Code::BadHeader, 3, 12)),
        ("expose = [\"a\", \"ETag\"]", (Code::BadHeader, 3, 16)),
        ("expose = [\"a, b\"]", (Code::BadHeader, 3, 11)),
        ("expose = [\"a\", \"a\"]", (Code::Duplicate, 3, 16)),
        ("expose = \"etag\"", (Code::WrongKind, 3, 10)),
        ("methods = [\"GET\"]", (Code::UnknownKey, 3, 1)),
    ] {
        assert_eq!(read(&format!("{origins}{line}")).1, [found], "{line}");
    }
    assert_eq!(read("").1, [(Code::MissingKey, 1, 2)]);
    assert_eq!(read("origins = [\"https://a\", \"*\"]").1, [(Code::BadOrigin, 2, 25)]);
    assert_eq!(read("origins = \"https://a\"").1, [(Code::WrongKind, 2, 11)]);
    assert_eq!(read("origins = [\"https://a\", \"https://a\"]").1, [(Code::Duplicate, 2, 25)]);
}

#[test]
fn a_mistake_leaves_no_section() {
    assert!(
        read("").0.is_none() && read("origins = [\"https://a\"]\nmax_age = \"1w\"").0.is_none()
    );
}

#[test]
fn lists_are_bounded() {
    let list = |count: usize| {
        let origins: Vec<_> = (0..count).map(|n| format!("\"https://a{n}.example\"")).collect();
        format!("origins = [{}]", origins.join(","))
    };
    assert_eq!(cors(&list(LIST_MAX)).origins.len(), LIST_MAX);
    assert_eq!(read(&list(LIST_MAX + 1)).1.first().map(|found| found.0), Some(Code::TooMany));
    assert!(is_header(&"a".repeat(64)) && !is_header(&"a".repeat(65)));
}
