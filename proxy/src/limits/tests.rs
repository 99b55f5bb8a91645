//! What a quota promises.

use proptest::prelude::*;

use super::*;

const LOGIN: Quota = Quota { id: 1, requests: 5, window_secs: 900 };
const SECOND: u64 = 1_000_000;

fn who(last: u8) -> Subject<'static> {
    Subject::address(Some(IpAddr::from([192, 0, 2, last])))
}

#[test]
fn a_quota_can_be_spent_at_once_and_comes_back_evenly() {
    let limiter = Limiter::new();
    for left in (0..5).rev() {
        assert_eq!(limiter.spend(LOGIN, who(1), SECOND).remaining, left);
    }
    let refused = limiter.spend(LOGIN, who(1), SECOND);
    assert_eq!((refused.remaining, refused.retry_after_secs), (0, Some(180)));
    assert_eq!(limiter.spend(LOGIN, who(1), SECOND + 179 * SECOND).retry_after_secs, Some(1));
    assert_eq!(limiter.spend(LOGIN, who(1), SECOND + 180 * SECOND).retry_after_secs, None);
    assert_eq!(limiter.spend(LOGIN, who(1), 901 * SECOND * 2).remaining, 4);
}

#[test]
fn what_was_spent_stays_with_a_limit_that_changes_and_is_at_most_its_quota() {
    let limiter = Limiter::new();
    for _ in 0..6 {
        limiter.spend(LOGIN, who(1), SECOND);
    }
    let relaxed = Quota { window_secs: 10, ..LOGIN };
    assert_eq!(limiter.look(relaxed, who(1), SECOND).retry_after_secs, Some(2));
    assert_eq!(limiter.spend(relaxed, who(1), SECOND).retry_after_secs, Some(2));
    assert_eq!(limiter.spend(relaxed, who(1), 3 * SECOND).retry_after_secs, None);
}

#[test]
fn one_does_not_spend_anothers_quota() {
    let limiter = Limiter::new();
    for _ in 0..6 {
        limiter.spend(LOGIN, who(1), SECOND);
    }
    assert_eq!(limiter.spend(LOGIN, who(2), SECOND).remaining, 4);
    let other = Quota { id: 2, ..LOGIN };
    assert_eq!(limiter.spend(other, who(1), SECOND).remaining, 4);
    assert_eq!(limiter.spend(LOGIN, Subject::Principal("a"), SECOND).remaining, 4);
}

#[test]
fn a_v6_client_is_its_network_and_looking_spends_nothing() {
    let limiter = Limiter::new();
    let v6 = |text: &str| Subject::address(Some(text.parse().unwrap()));
    limiter.spend(LOGIN, v6("2001:db8::1"), SECOND);
    assert_eq!(limiter.look(LOGIN, v6("2001:db8::ffff"), SECOND).remaining, 3);
    assert_eq!(limiter.look(LOGIN, v6("2001:db8::ffff"), SECOND).remaining, 3);
    assert_eq!(limiter.look(LOGIN, v6("2001:db8:0:1::1"), SECOND).remaining, 4);
}

#[test]
fn a_flood_of_addresses_meets_a_limit_and_bounded_memory() {
    let limiter = Limiter::with_room_for(64);
    let admitted = (0..10_000_u32)
        .map(|n| Subject::address(Some(IpAddr::from(n.to_be_bytes()))))
        .filter(|who| limiter.spend(LOGIN, *who, SECOND).retry_after_secs.is_none())
        .count();
    let kept: usize = limiter.shards.iter().map(|shard| shard.lock().unwrap().whole_at.len()).sum();
    assert!(kept <= 64 + SHARDS, "{kept} keys");
    assert!(admitted <= 64 + SHARDS * 5, "{admitted} admitted");
}

#[test]
fn what_is_whole_is_forgotten_to_make_room() {
    let limiter = Limiter::with_room_for(16);
    for n in 0..200_u32 {
        limiter.spend(LOGIN, Subject::address(Some(IpAddr::from(n.to_be_bytes()))), SECOND);
    }
    let later = 2_000 * SECOND;
    assert_eq!(limiter.spend(LOGIN, who(9), later).remaining, 4);
}

proptest! {
    /// Whatever the pattern, no window holds more than twice the quota, and a steady caller at
    /// the quota's pace is never refused.
    #[test]
    fn no_window_holds_more_than_burst_and_refill(pauses in proptest::collection::vec(0_u64..400, 1..120)) {
        let limiter = Limiter::new();
        let (mut now, mut admitted) = (SECOND, Vec::new());
        for pause in pauses {
            now += pause * SECOND;
            if limiter.spend(LOGIN, who(1), now).retry_after_secs.is_none() {
                admitted.push(now);
            }
        }
        for (at, start) in admitted.iter().enumerate() {
            let window = admitted[at..].iter().filter(|&&time| time < start + 900 * SECOND).count();
            prop_assert!(window <= 10);
        }
    }
}
