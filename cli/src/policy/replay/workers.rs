//! Threads that take turns in reading blocks, and judge what they have read side by side.

use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::anyhow;
use stockade_audit::{Recorded, Unreadable};
use stockade_policy::Bundle;
use stockade_policy::replay::{LeftOut, Past, Replay, Summary};

use super::blocks::{Block, Blocks};

/// Judges everything in `blocks`, with so many threads.
pub(super) fn replay(bundle: &Bundle, blocks: Blocks, threads: usize) -> anyhow::Result<Summary> {
    let blocks = Mutex::new(blocks);
    let others = threads.saturating_sub(1);
    thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(|| work(bundle, &blocks))).collect();
        let mut sum = work(bundle, &blocks);
        for other in others {
            let part =
                other.join().unwrap_or_else(|_| Err(anyhow!("a thread of the replay failed")));
            sum = sum.and_then(|mut sum| {
                sum.absorb(part?);
                Ok(sum)
            });
        }
        sum
    })
}

fn work(bundle: &Bundle, blocks: &Mutex<Blocks>) -> anyhow::Result<Summary> {
    let (mut replay, mut block) = (Replay::new(bundle), Block::default());
    loop {
        let next = {
            let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.next(&mut block).inspect_err(|_| blocks.give_up())
        };
        if !next? {
            return Ok(replay.finish());
        }
        take(&mut replay, &block);
    }
}

fn take(replay: &mut Replay<'_>, block: &Block) {
    let mut offset = 0;
    for (number, line) in lines(block.bytes()).enumerate() {
        let is_rest = number == 0 && block.is_inside_a_line;
        if !is_rest {
            take_line(replay, block, offset, line);
        }
        offset += line.len() as u64;
    }
}

fn take_line(replay: &mut Replay<'_>, block: &Block, offset: u64, line: &[u8]) {
    let is_whole = line.ends_with(b"\n");
    let left_out = match Recorded::read(line) {
        _ if line == b"\n" => return,
        _ if !is_whole && !block.is_cut => LeftOut::LongLine,
        Ok(record) => return replay.take(&past(&record)),
        Err(Unreadable::NotJson) if !is_whole => LeftOut::CutLine,
        Err(Unreadable::NotJson) => LeftOut::NotJson,
        Err(Unreadable::OtherShape) => LeftOut::OtherSchema,
    };
    let offset = block.offset + offset;
    replay.leave_out(left_out, (block.log, offset), || format!("{}, byte {offset}", block.name));
}

fn past<'a>(record: &'a Recorded<'_>) -> Past<'a> {
    Past {
        time_ms: record.time_ms,
        decision_id: &record.decision_id,
        method: &record.method,
        path: &record.path,
        route: &record.route,
        code: record.code.as_deref(),
        client: &record.client,
        has_account: record.account.is_some(),
        held: record.held.as_deref(),
        roles: &record.roles,
        mfa_secs: record.mfa_s,
        scope: record.scope.as_deref(),
    }
}

/// The lines with their ends; the last may lack one.
fn lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}
