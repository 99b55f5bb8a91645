//! Promises of the reader: it reads what the log writes, and both ways of reading agree.

use proptest::prelude::*;

use super::{Recorded, Unreadable, any_line, plain_line};
use crate::{DecisionRecord, RecordLog};

/// A record with every field that may be absent.
fn full() -> DecisionRecord<'static> {
    DecisionRecord {
        time_ms: 1_790_000_000_123,
        decision_id: "0199-d",
        method: "GET",
        path: "/api/orders/42",
        route: "read-order",
        status: 200,
        code: Some("body_timeout"),
        step: Some("forward"),
        bytes: 512,
        duration_us: 950,
        edge_us: 50,
        client: "2001:db8::1",
        account: Some("a-1"),
        held: Some("customer admin"),
        roles: "customer",
        mfa_s: Some(0),
        conditions: Some("network=office mfa"),
        scope: Some("own"),
        user_agent: Some("curl/8"),
        bundle: "00ff",
        shadow_bundle: Some("ff00"),
        shadow: Some("deny:role"),
    }
}

/// A record without them.
fn bare() -> DecisionRecord<'static> {
    DecisionRecord {
        code: None,
        step: None,
        account: None,
        held: None,
        mfa_s: None,
        conditions: None,
        scope: None,
        user_agent: None,
        shadow_bundle: None,
        shadow: None,
        ..full()
    }
}

fn written(record: &DecisionRecord<'_>) -> Vec<u8> {
    let (log, mut line) = (RecordLog::default(), Vec::new());
    log.write(record);
    log.flush_to(&mut line).unwrap();
    line
}

/// Checks that the record is read as it was written.
#[track_caller]
fn check_written(record: &DecisionRecord<'_>) {
    let line = written(record);
    let read = Recorded::read(&line).unwrap();
    assert_eq!(read.time_ms, record.time_ms);
    assert_eq!(read.decision_id, record.decision_id);
    assert_eq!(read.method, record.method);
    assert_eq!(read.path, record.path);
    assert_eq!(read.route, record.route);
    assert_eq!(read.code.as_deref(), record.code);
    assert_eq!(read.client, record.client);
    assert_eq!(read.account.as_deref(), record.account);
    assert_eq!(read.held.as_deref(), record.held);
    assert_eq!(read.roles, record.roles);
    assert_eq!(read.mfa_s, record.mfa_s);
    assert_eq!(read.scope.as_deref(), record.scope);
}

/// Checks that the quick reader says what serde_json says, or nothing.
#[track_caller]
fn check_agreement(line: &[u8]) {
    if let Some(quick) = plain_line::read(line) {
        assert_eq!(Ok(quick), any_line::read(line), "{}", String::from_utf8_lossy(line));
    }
}

/// Checks that serde_json alone has the say about a line.
#[track_caller]
fn check_left_to_serde(line: &str, expected: Result<&str, Unreadable>) {
    assert_eq!(plain_line::read(line.as_bytes()), None, "{line}");
    let read = Recorded::read(line.as_bytes()).map(|read| read.path.into_owned());
    assert_eq!(read, expected.map(str::to_owned), "{line}");
}

const LINE: &str = r#"{"time_ms":1,"decision_id":"d","method":"GET","path":"/a","route":"-","status":200,"bytes":0,"duration_us":0,"edge_us":0,"client":"c","roles":"","bundle":"b"}"#;

#[test]
fn every_line_of_the_log_is_read_quickly() {
    for record in [full(), bare()] {
        let line = written(&record);
        assert!(plain_line::read(line.strip_suffix(b"\n").unwrap()).is_some());
        check_written(&record);
    }
}

#[test]
fn fields_may_come_in_any_order_and_new_ones_are_skipped() {
    let line = r#"{"roles":"","new":{"x":[]},"client":"c","route":"-","path":"/é","method":"GET","decision_id":"d","held":"staff admin","mfa_s":0,"time_ms":1,"newer":77}"#;
    let read = Recorded::read(line.as_bytes()).unwrap();
    assert_eq!((read.held.as_deref(), read.mfa_s), (Some("staff admin"), Some(0)));
    assert_eq!((read.path.as_ref(), read.time_ms), ("/é", 1));
}

#[test]
fn whatever_needs_care_is_left_to_serde() {
    assert!(plain_line::read(LINE.as_bytes()).is_some());
    assert!(plain_line::read(LINE.replace("/a", "/é").as_bytes()).is_some());
    let edited = |from: &str, to: &str| {
        assert!(LINE.contains(from));
        LINE.replacen(from, to, 1)
    };
    check_left_to_serde(&edited("/a", r"/\u00e9\n"), Ok("/é\n"));
    check_left_to_serde(&edited(r#""path""#, r#""p\u0061th""#), Ok("/a"));
    check_left_to_serde(&edited(",\"path\"", ", \"path\""), Ok("/a"));
    check_left_to_serde(&edited("}", ",\"new\":1}"), Ok("/a"));
    check_left_to_serde(&edited(",\"bundle\":\"b\"", ""), Ok("/a"));
    check_left_to_serde(&edited("}", ",\"code\":null}"), Ok("/a"));
    check_left_to_serde(&edited("}", ",\"x\":[{}]}\r"), Ok("/a"));
    check_left_to_serde(&edited(":1", ":18446744073709551616"), Err(Unreadable::OtherShape));
    for (from, to) in [("\"path\":\"/a\",", ""), (":1", ":-1"), (":1", ":1.0"), ("\"d\"", "1")] {
        check_left_to_serde(&edited(from, to), Err(Unreadable::OtherShape));
    }
    check_left_to_serde(&edited("}", ",\"path\":\"/b\"}"), Err(Unreadable::OtherShape));
    check_left_to_serde("[]", Err(Unreadable::OtherShape));
    for (from, to) in [(":1", ":01"), ("}", ""), ("}", "}}"), ("/a", "/\ta"), ("}", ",}")] {
        check_left_to_serde(&edited(from, to), Err(Unreadable::NotJson));
    }
    check_left_to_serde("", Err(Unreadable::NotJson));
}

/// A text as a client, or an operator, could bring it into a record.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[ -~]{0,40}", 1 => any::<String>()]
}

prop_compose! {
    fn anything()(
        time_ms in any::<u64>(), status in any::<u16>(), bytes in any::<u64>(),
        texts in prop::array::uniform8(text()),
        maybes in prop::array::uniform5(prop::option::of(text())),
    ) -> (u64, u16, u64, [String; 8], [Option<String>; 5]) {
        (time_ms, status, bytes, texts, maybes)
    }
}

/// A line of the log with a few bytes changed, moved or cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let base =
        prop_oneof![Just(written(&full())), Just(written(&bare())), Just(LINE.as_bytes().to_vec())];
    let byte = prop_oneof![
        prop::sample::select(
            b"\"\\{}[]:,0123456789-+.eEntu \t\n\r\x00\x1f\x7f\x80\xc3\xff".to_vec()
        ),
        any::<u8>()
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..5u8, byte), 0..6);
    (base, edits).prop_map(|(mut line, edits)| {
        for (at, kind, byte) in edits {
            let at = at.index(line.len() + 1);
            match kind {
                0 => line.insert(at, byte),
                1 if at < line.len() => line[at] = byte,
                2 if at < line.len() => drop(line.remove(at)),
                3 => line.truncate(at),
                _ => line.extend_from_within(at.saturating_sub(12)..at),
            }
        }
        line
    })
}

proptest! {
    #[test]
    fn any_record_is_read_as_it_was_written((time_ms, status, bytes, texts, maybes) in anything()) {
        let [decision_id, method, path, route, client, roles, bundle, _] = &texts;
        let [code, held, account, scope, user_agent] = maybes.each_ref().map(Option::as_deref);
        check_written(&DecisionRecord {
            time_ms, decision_id, method, path, route, status, code, held, bytes, client, account,
            roles, scope, user_agent, bundle, ..full()
        });
    }

    #[test]
    fn both_readings_agree_on_whatever_is_left_of_a_line(line in mutated()) {
        check_agreement(&line);
        let read = Recorded::read(&line);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        prop_assert_eq!(read, any_line::read(line));
    }
}

#[test]
fn a_line_that_is_no_text_is_no_json_wherever_it_is_not() {
    let line = written(&full());
    let agent = String::from_utf8(line.clone()).unwrap().find("curl/8").unwrap();
    let mut broken = line;
    broken[agent] = 0x8b;
    assert_eq!(Recorded::read(&broken), Err(Unreadable::NotJson));
}
