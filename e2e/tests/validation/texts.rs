//! `naughty_strings.txt`, `sqli_probes.txt`, `xss_probes.txt` and `benign_lookalikes.txt`: texts
//! that have hurt somebody, and texts that look as if they did. Whatever is a name is kept and
//! shown as it was written; what is none is refused, and says where.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stockade_test_support::vectors::{VectorSet, read_lines};

use crate::asked::{asked, percent_encoded};
use crate::places::{Tried, is_line, is_note, movements};
use crate::shop::Shop;

/// Every one of so many texts is a user name at login: judging a password takes its time.
const LOGINS_EVERY: usize = 40;

#[tokio::test]
async fn naughty_strings_are_kept_or_refused() {
    try_list("naughty_strings").await;
}

#[tokio::test]
async fn sql_is_a_text_like_any_other() {
    try_list("sqli_probes").await;
}

#[tokio::test]
async fn markup_is_a_text_like_any_other() {
    try_list("xss_probes").await;
}

#[tokio::test]
async fn what_only_looks_like_an_attack_is_kept() {
    let texts = try_list("benign_lookalikes").await;
    let named = texts.iter().filter(|text| is_line(text, 3, 200)).count();
    assert!(named * 10 >= texts.len() * 9, "{named} of {} are names", texts.len());
}

async fn try_list(name: &str) -> Vec<String> {
    let lines = read_lines(&format!("{name}.txt"));
    let shop = Shop::open().await;
    let (set, twins) = (RefCell::new(VectorSet::new(name)), folded(&lines));
    let mut once = BTreeSet::new();
    let waiting = lines.iter().enumerate().filter(|(_, text)| once.insert(text.as_str()));
    let waiting = RefCell::new(waiting);
    let work = async || {
        let mut guest = shop.guest();
        loop {
            let next = waiting.borrow_mut().next();
            let Some((at, text)) = next else { break };
            let has_a_twin = twins[&fold(text)] > 1;
            let verdict = Tried { text, has_a_twin, line: at + 1 }.everywhere(&mut guest).await;
            set.borrow_mut().note(&format!("{}: {text}", at + 1), verdict);
        }
    };
    let work = || Box::pin(work());
    tokio::join!(work(), work(), work(), work());
    set.into_inner().finish();
    all_are_listed(&shop, &lines).await;
    nobody_gets_in(&shop, &lines).await;
    lines
}

/// How often each text is there for whoever does not tell case and space apart.
fn folded(lines: &[String]) -> BTreeMap<String, usize> {
    let mut folded = BTreeMap::new();
    for line in lines.iter().collect::<BTreeSet<_>>() {
        *folded.entry(fold(line)).or_default() += 1;
    }
    folded
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whatever could be a name or a note is found in the lists byte for byte.
async fn all_are_listed(shop: &Shop, lines: &[String]) {
    let mut guest = shop.guest();
    let products = guest.walk("/api/products", "name").await;
    let descriptions = guest.walk("/api/products", "description").await;
    let categories = guest.walk("/api/categories", "name").await;
    let notes = guest.walk(&movements(), "note").await;
    let reasons = guest.walk(&movements(), "reason").await;
    for text in lines {
        let twin = || lines.iter().any(|other| other != text && fold(other) == fold(text));
        if is_line(text, 3, 200) {
            assert!(products.contains_key(text), "no product is called {text}");
            assert!(descriptions.contains_key(text), "no product is described as {text}");
        }
        if is_line(text, 1, 100) {
            assert!(categories.contains_key(text) || twin(), "no category is called {text}");
        }
        if is_note(text) {
            assert!(notes.contains_key(text) || twin(), "nothing is noted as {text}");
            assert!(reasons.contains_key(text), "nothing was counted because of {text}");
        }
    }
}

/// Nothing that can be written for a user name or a password is one.
async fn nobody_gets_in(shop: &Shop, lines: &[String]) {
    let mut guest = shop.guest();
    for text in lines.iter().step_by(LOGINS_EVERY) {
        let text = percent_encoded(text);
        let form = format!("grant_type=password&username={text}&password={text}");
        let call = asked("POST", "/api/auth/token");
        let call = call.body("application/x-www-form-urlencoded", form);
        let answer = guest.ask(call).await.unwrap();
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid_grant")));
    }
}
