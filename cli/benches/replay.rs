//! How quickly a log is replayed, beside what reading it costs anybody.
//!
//! `cargo bench -p stockade-cli --no-default-features --bench replay [-- LINES]` writes a log of
//! so many varied lines (2,000,000 by default) into a temporary folder and reads it in several
//! ways, interleaved in one run: counting its lines, reading every record with serde_json alone,
//! reading it as the replay does, and replaying it with the built `stockade`. The ratios are
//! what counts; the best of some rounds is shown, in CPU time, too, since others may be busy.
#![expect(clippy::print_stdout, reason = "this is what the bench is for")]
#![expect(clippy::indexing_slicing, reason = "where this cannot go on, it has failed")]

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context as _, bail, ensure};
use stockade_audit::Recorded;

const LINES: u64 = 2_000_000;
const ROUNDS: usize = 5;
const BUFFER_BYTES: usize = 256 * 1024;

/// How often a child's memory and time are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Clock ticks of `/proc` in a second, on every Linux there is.
const TICKS: f64 = 100.0;

/// What one reading took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu_secs: f64,
    /// Zero where it was not measured.
    peak_kib: u64,
}

fn main() -> anyhow::Result<()> {
    // Cargo adds a flag of its own.
    let lines = env::args().skip(1).find(|word| word != "--bench");
    let lines = lines.map_or(Ok(LINES), |lines| lines.parse()).context("LINES is a number")?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("access.log");
    write_log(&log, lines)?;
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let strict = strict_copy(&policies, folder.path())?;
    let threads = thread::available_parallelism()?.get();
    let every = format!("replay, {threads} threads");

    let ways: &[(&str, &dyn Fn() -> anyhow::Result<Cost>)] = &[
        ("count lines", &|| in_process(|| count(&log), lines)),
        ("serde_json alone", &|| in_process(|| each_line(&log, by_serde), lines)),
        ("the replay's reader", &|| in_process(|| each_line(&log, by_reader), lines)),
        ("replay, 1 thread", &|| replay(&log, &policies, 1, 0)),
        ("replay, 1 thread, all flip", &|| replay(&log, &strict, 1, 2)),
        (&every, &|| replay(&log, &policies, threads, 0)),
    ];
    let mut best: Vec<Option<Cost>> = vec![None; ways.len()];
    for _ in 0..ROUNDS {
        for (best, (_, way)) in best.iter_mut().zip(ways) {
            let cost = way()?;
            *best = Some(best.map_or(cost, |best| best.or_better(cost)));
        }
    }
    let bytes = fs::metadata(&log)?.len();
    println!("{lines} lines of {} bytes, best of {ROUNDS} rounds\n", bytes / lines.max(1));
    println!(
        "{:<28} {:>12} {:>10} {:>14} {:>10}",
        "", "lines/s", "MB/s", "lines/CPU-s", "peak MiB"
    );
    for ((name, _), cost) in ways.iter().zip(best.into_iter().flatten()) {
        print_row(name, cost, lines, bytes);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn print_row(name: &str, cost: Cost, lines: u64, bytes: u64) {
    let wall = cost.wall.as_secs_f64();
    println!(
        "{name:<28} {:>12.0} {:>10.0} {:>14.0} {:>10}",
        lines as f64 / wall,
        bytes as f64 / wall / 1e6,
        lines as f64 / cost.cpu_secs,
        if cost.peak_kib > 0 {
            format!("{:.1}", cost.peak_kib as f64 / 1024.0)
        } else {
            "-".into()
        },
    );
}

impl Cost {
    fn or_better(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu_secs: self.cpu_secs.min(other.cpu_secs),
            peak_kib: self.peak_kib.max(other.peak_kib),
        }
    }
}

/// Writes a log as the edge does: 25 routes' worth of paths, four kinds of callers, refusals.
fn write_log(path: &Path, lines: u64) -> io::Result<()> {
    let mut log = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    let mut state = 7;
    for number in 0..lines {
        write_line(&mut log, number, &mut || {
            // Xorshift: the same log every time.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        })?;
    }
    log.flush()
}

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "shop-app/4.2.1",
];

/// Method, path before an id, path behind it, route, and what each role gets there.
const REQUESTS: [(&str, &str, &str, &str, [&str; 3]); 8] = [
    ("GET", "/api/products", "", "products", ["any", "any", "any"]),
    ("GET", "/api/products/", "", "product", ["any", "any", "any"]),
    ("GET", "/api/products/", "/skus", "skus", ["any", "any", "any"]),
    ("GET", "/api/orders/", "", "order", ["own", "any", "any"]),
    ("GET", "/api/orders", "", "orders", ["own", "any", "any"]),
    ("POST", "/api/orders/", "/cancel", "cancel-order", ["own", "any", "any"]),
    ("GET", "/api/inventory/", "/movements", "movements", ["", "any", "any"]),
    ("GET", "/api/me", "", "me", ["own", "own", "any"]),
];

/// Customers, staff, and admins, who are on the only network that lets them be.
const CALLERS: [(usize, &str, Option<&str>); 6] = [
    (0, "customer", None),
    (0, "customer", None),
    (0, "customer", None),
    (0, "customer", None),
    (1, "staff", None),
    (2, "admin", Some("127.0.0.1")),
];

fn pick<T: Copy, const N: usize>(of: &[T; N], number: u64) -> T {
    of[usize::try_from(number % N as u64).unwrap_or_default()]
}

fn write_line(log: &mut dyn Write, number: u64, random: &mut dyn FnMut() -> u64) -> io::Result<()> {
    let (method, before, behind, route, scopes) = pick(&REQUESTS, random() >> 8);
    let (column, role, network) = pick(&CALLERS, random() >> 8);
    let bits = random();
    let id = if before.ends_with('/') { uuid(bits, random()) } else { String::new() };
    let client = network.map_or_else(
        || format!("203.{}.{}.{}", bits & 255, bits >> 8 & 255, bits >> 16 & 255),
        str::to_owned,
    );
    let (verdict, scope) = match scopes[column] {
        "" => (r#""status":403,"code":"permission_denied","step":"authorize""#, String::new()),
        scope => (r#""status":200"#, format!(r#","scope":"{scope}""#)),
    };
    writeln!(
        log,
        r#"{{"time_ms":{},"decision_id":"{}","method":"{method}","path":"{before}{id}{behind}","route":"{route}",{verdict},"bytes":{},"duration_us":{},"edge_us":{},"client":"{client}","account":"{}","held":"{role}","roles":"{role}"{scope},"user_agent":"{}","bundle":"{:064x}"}}"#,
        1_790_000_000_000_u64 + number,
        uuid(random(), bits),
        bits % 20_000,
        bits % 90_000,
        bits % 300,
        uuid(bits, bits),
        pick(&AGENTS, bits >> 8),
        7,
    )
}

fn uuid(one: u64, other: u64) -> String {
    let (a, b) = (one >> 32, one >> 16 & 0xffff);
    format!("{a:08x}-{b:04x}-7{:03x}-9{:03x}-{:012x}", one & 0xfff, other & 0xfff, other >> 16)
}

/// The policy with nothing left of it but that everybody may see products, for which everybody
/// is refused elsewhere.
fn strict_copy(policies: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.join("strict");
    fs::create_dir(&copy)?;
    for name in ["model.conf", "roles.csv", "routes.toml"] {
        fs::copy(policies.join(name), copy.join(name))?;
    }
    fs::write(copy.join("policy.csv"), "p, super-admin, products, read, any, allow\n")?;
    Ok(copy)
}

fn in_process(read: impl Fn() -> anyhow::Result<u64>, lines: u64) -> anyhow::Result<Cost> {
    let (start, ticks) = (Instant::now(), ticks("self")?);
    let found = read()?;
    ensure!(found == lines, "{found} of {lines} lines were read");
    let (wall, cpu_secs) = (start.elapsed(), (self::ticks("self")? - ticks) / TICKS);
    Ok(Cost { wall, cpu_secs, peak_kib: 0 })
}

fn count(path: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    each_block(path, |block| sum += memchr::memchr_iter(b'\n', block).count() as u64)?;
    Ok(sum)
}

/// Counts the lines in which `is_record` sees a record.
fn each_line(path: &Path, is_record: fn(&[u8]) -> bool) -> anyhow::Result<u64> {
    let mut sum = 0;
    each_block(path, |block| {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            sum += u64::from(is_record(&block[start..end]));
            start = end + 1;
        }
    })?;
    Ok(sum)
}

fn by_serde(line: &[u8]) -> bool {
    serde_json::from_slice::<Recorded<'_>>(line).is_ok()
}

fn by_reader(line: &[u8]) -> bool {
    Recorded::read(line).is_ok()
}

/// Whole lines at a time, in one buffer.
fn each_block(path: &Path, mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let (mut file, mut buffer, mut filled) = (File::open(path)?, vec![0; BUFFER_BYTES], 0);
    loop {
        let count = file.read(&mut buffer[filled..])?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let whole = memchr::memrchr(b'\n', &buffer[..filled]).map_or(0, |end| end + 1);
        take(&buffer[..whole]);
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

/// Runs the built program over the log, and watches it.
fn replay(log: &Path, policies: &Path, threads: usize, exit: i32) -> anyhow::Result<Cost> {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(["policy", "replay", "--format", "json", "--threads", &threads.to_string()])
        .arg("--policies")
        .args([policies, log])
        .stdout(Stdio::null())
        .spawn()?;
    let pid = child.id().to_string();
    let (ended, end) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let status = child.wait();
        ended.send((status, Instant::now())).is_ok()
    });
    let (mut cpu_ticks, mut peak_kib) = (0.0_f64, 0);
    let (status, ended) = loop {
        match end.recv_timeout(LOOK_EVERY) {
            Ok((status, ended)) => break (status?, ended),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                cpu_ticks = cpu_ticks.max(ticks(&pid).unwrap_or_default());
                peak_kib = peak_kib.max(self::peak_kib(&pid).unwrap_or_default());
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("nobody waits for the replay"),
        }
    };
    ensure!(waiter.join().is_ok_and(|told| told), "the wait failed");
    ensure!(status.code() == Some(exit), "the replay ended with {status}, not {exit}");
    Ok(Cost { wall: ended - start, cpu_secs: cpu_ticks / TICKS, peak_kib })
}

/// The CPU time of a process so far, its threads' included.
fn ticks(pid: &str) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // The fields 14 and 15, of which the first two stand before the last bracket.
    Ok(fields[11].parse::<f64>()? + fields[12].parse::<f64>()?)
}

fn peak_kib(pid: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}
