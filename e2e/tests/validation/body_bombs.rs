//! `body_bombs.json`: small bodies that say they are large ones, packed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stockade_test_support::vectors::{VectorSet, read};

use crate::asked::asked;
use crate::shop::Shop;

/// How much more memory all of them may take, in KiB; the smallest bomb unpacks to 10 MB.
const MEMORY_KIB: u64 = 8 * 1024;

#[tokio::test]
async fn a_packed_body_is_refused_and_not_unpacked() {
    let mut shop = Shop::open().await;
    let (mut set, vectors) = (VectorSet::new("body_bombs"), read("body_bombs.json"));
    // What any request takes is taken before it counts.
    let plain = asked("POST", "/api/products").body("application/json", vec![b' '; 60_000]);
    assert_eq!(shop.guest().ask_as("admin", plain).await.unwrap().status, 400);
    let before = shop.peak_kib();
    for case in vectors.as_array().unwrap() {
        let packed = STANDARD.decode(case["b64"].as_str().unwrap()).unwrap();
        let coding = case["content_encoding"].as_str().unwrap();
        for (role, target) in [("admin", "/api/products"), ("customer", "/api/auth/register")] {
            let call = asked("POST", target)
                .field("Content-Encoding", coding)
                .body("application/json", packed.clone());
            let verdict = match shop.guest().ask_as(role, call).await {
                // Larger than any body, whatever is in it; else it is the coding.
                Ok(answer) if answer.status == 413 && packed.len() > 16 * 1024 => Ok(()),
                Ok(answer) if answer.status == 415 => Ok(()),
                Ok(answer) => Err(format!("{}", answer.status)),
                Err(fault) => Err(fault),
            };
            set.note(&format!("{} to {target}", case["id"].as_str().unwrap()), verdict);
        }
    }
    let grown = shop.peak_kib() - before;
    assert!(grown < MEMORY_KIB, "memory grew by {grown} KiB");
    set.finish();
}
