//! Signing keys follow each other without anybody being logged out.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;
use jsonwebtoken::decode_header;

use crate::accounts::{claims, login, register};
use crate::call::Answer;
use crate::world::{BEGINNING, World, signing_key};

fn beside(world: &World, suffix: &str) -> PathBuf {
    let file = world.settings.signing_key_file.as_ref().unwrap();
    PathBuf::from(format!("{}.{suffix}", file.display()))
}

fn write_key(path: &PathBuf, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&draft, path).unwrap();
}

async fn published(world: &World) -> Vec<String> {
    let set = world.call("GET", "/internal/jwks").by("edge").send().await;
    let keys = set.body["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn until_published(world: &World, count: usize) -> Vec<String> {
    loop {
        let keys = published(world).await;
        if keys.len() == count {
            return keys;
        }
        tokio::task::yield_now().await;
    }
}

fn kid(tokens: &Answer) -> String {
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    decode_header(tokens.text("access_token")).unwrap().kid.unwrap()
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_after_its_last_token() {
    let world = World::start().await;
    register(&world, "ann", "ann@example.org").send().await.created();
    let first = kid(&login(&world, "ann").send().await);
    assert_eq!(published(&world).await, std::slice::from_ref(&first));

    write_key(&beside(&world, &BEGINNING.to_string()), &signing_key());
    let keys = until_published(&world, 2).await;
    let second = keys[1].clone();
    world.clock.advance(Duration::from_secs(599));
    let old = login(&world, "ann").send().await;
    assert_eq!(kid(&old), first);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(kid(&login(&world, "ann").send().await), second);
    // Tokens of the first key are still believed, also after a restart.
    let world = world.restart().await;
    claims(&world, old.text("access_token")).await;
    assert_eq!(kid(&login(&world, "ann").send().await), second);
    world.clock.advance(Duration::from_secs(900 + 299));
    assert_eq!(published(&world).await, [first, second.clone()]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(published(&world).await, [second]);
}
