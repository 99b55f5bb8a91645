//! `stockade policy replay` as a part of a pipe: a stream is read as a file is, in little memory.

use std::io::Write as _;
use std::process::{Child, Stdio};

use super::*;

/// A record of a customer, whose order is this one.
fn record(order: usize) -> String {
    format!(
        r#"{{"time_ms":1790000000{:03},"decision_id":"d-{order}","method":"GET","path":"/api/orders/{order}","route":"order","status":200,"bytes":512,"duration_us":900,"edge_us":40,"client":"198.51.100.7","account":"a-{order}","held":"customer","roles":"customer","scope":"own","user_agent":"{}","bundle":"00"}}{}"#,
        order % 1000,
        "agent ".repeat(30),
        "\n"
    )
}

/// The verb, waiting for its standard input.
fn waiting() -> Child {
    let policies = shipped().display().to_string();
    let mut command = stockade(["policy", "replay", "-", "--policies", &policies]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Exit code, standard output and standard error, once its input has ended.
fn ended(mut child: Child) -> (Option<i32>, String, String) {
    drop(child.stdin.take());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_stream_is_read_as_a_file_is() {
    let text: String = (0..2000).map(record).collect::<String>() + "{\"time_ms\":17";
    let mut child = waiting();
    child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    let streamed = ended(child);
    assert_eq!((streamed.0, streamed.2.as_str()), (Some(0), ""), "{}", streamed.1);
    assert!(streamed.1.starts_with("replayed: 2,000 decisions"), "{}", streamed.1);

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let (file, policies) = (file.path().display().to_string(), shipped().display().to_string());
    let (code, out, err) = told(stockade(["policy", "replay", &file, "--policies", &policies]));
    let out = out.replace(&file, "standard input");
    assert_eq!((code, out, err), streamed);
}

/// The most memory the process has had, in KiB, as the system counts it.
fn peak_kib(child: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn a_long_stream_takes_no_more_memory_than_a_short_one() {
    let chunk: String = (0..2000).map(record).collect();
    let mut child = waiting();
    let mut feed = |count: usize| {
        let stdin = child.stdin.as_mut().unwrap();
        (0..count).for_each(|_| stdin.write_all(chunk.as_bytes()).unwrap());
        peak_kib(&child)
    };
    let early = feed(4);
    let late = feed(80);
    assert!(late < early + 8 * 1024, "{early} KiB, then {late} KiB");
    let (code, out, _) = ended(child);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("replayed: 168,000 decisions"), "{out}");
}
