//! Images of products, through the edge: `image_uploads.json`, the limits, and what is shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use stockade_test_support::form::{self, Part};
use stockade_test_support::vectors::{VectorSet, read, read_lines};
use stockade_test_support::{Answer, RawTls};

use crate::asked::{Asked, asked};
use crate::shop::{Guest, Shop};

/// Largest image, in bytes.
const MAX: usize = 5 * 1024 * 1024;

/// How much more memory all hostile files may take, in KiB; the largest says it has 1.2 GB.
const MEMORY_KIB: u64 = 48 * 1024;

fn picture() -> Vec<u8> {
    let set = read("image_uploads.json");
    STANDARD.decode(set["cases"][0]["b64"].as_str().unwrap()).unwrap()
}

/// A product, as its path.
async fn product(guest: &mut Guest<'_>) -> String {
    let body = json!({"name": "A probe", "description": ""});
    let answer = guest.ask_as("admin", asked("POST", "/api/products").json(&body)).await.unwrap();
    answer.header("location").unwrap().to_owned()
}

fn upload(product: &str, body: Vec<u8>) -> Asked {
    asked("POST", &format!("{product}/images")).body(form::MEDIA_TYPE, body)
}

/// What was uploaded is shown as an image of ours, and nothing of the sender's choice besides.
async fn is_shown(guest: &mut Guest<'_>, made: &Answer) -> Result<(), String> {
    let image = made.json();
    for url in ["url", "thumbnail_url"] {
        // A token counts for nothing here, not even a bad one.
        let call = asked("GET", image[url].as_str().unwrap()).field("Authorization", "Bearer x");
        let shown = guest.ask(call).await?;
        let name = format!("inline; filename=\"{}.", image["id"].as_str().unwrap());
        let header = |name: &str| shown.header(name).unwrap_or_default().to_owned();
        let is_ours = shown.status == 200
            && Some(header("content-type").as_str()) == image["media_type"].as_str()
            && header("content-disposition").starts_with(&name)
            && header("x-content-type-options") == "nosniff"
            && header("content-security-policy").contains("default-src 'none'")
            && header("cache-control").starts_with("private, max-age=3")
            && !shown.body.windows(7).any(|window| window == b"<script");
        if !is_ours {
            return Err(format!("{url} is shown as {shown:?}"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn hostile_images_get_their_documented_answers() {
    let mut shop = Shop::open().await;
    let (vectors, mut set) = (read("image_uploads.json"), VectorSet::new("image_uploads"));
    let path = product(&mut shop.guest()).await;
    let plain = upload(&path, form::image("image/png", &picture()));
    assert_eq!(shop.guest().ask_as("admin", plain).await.unwrap().status, 201);
    let before = shop.peak_kib();
    for case in vectors["cases"].as_array().unwrap() {
        let bytes = STANDARD.decode(case["b64"].as_str().unwrap()).unwrap();
        let body = form::image(case["content_type"].as_str().unwrap(), &bytes);
        let mut guest = shop.guest();
        let taken = matches!(case["expect"].as_str(), Some("accept" | "reject_or_stripped"));
        let verdict = match guest.ask_as("admin", upload(&path, body)).await {
            Ok(answer) if answer.status == 201 && taken => is_shown(&mut guest, &answer).await,
            Ok(answer) if matches!(answer.status, 415 | 422) && !taken => Ok(()),
            Ok(answer) => Err(format!("{} {}", answer.status, answer.json())),
            Err(fault) => Err(fault),
        };
        set.note(case["id"].as_str().unwrap(), verdict);
    }
    let grown = shop.peak_kib() - before;
    assert!(grown < MEMORY_KIB, "memory grew by {grown} KiB");
    set.finish();
}

#[tokio::test]
async fn names_of_files_count_for_nothing() {
    let shop = Shop::open().await;
    let (vectors, bytes) = (read("image_uploads.json"), picture());
    let mut guest = shop.guest();
    for name in vectors["hostile_filenames"].as_array().unwrap() {
        let path = product(&mut guest).await;
        let (file_name, media_type) = (name.as_str(), Some("image/png"));
        let part = Part { name: "image", file_name, media_type, bytes: &bytes };
        let answer = guest.ask_as("admin", upload(&path, form::multipart(&[part]))).await.unwrap();
        match answer.status {
            201 => is_shown(&mut guest, &answer).await.unwrap(),
            // What breaks the form's own lines is no form.
            400 => assert!(name.as_str().unwrap().contains(['\0', '\r', '"']), "{name}"),
            status => panic!("{status} to {name}"),
        }
    }
}

#[tokio::test]
async fn what_stands_for_an_image_comes_back_as_it_was_sent() {
    let shop = Shop::open().await;
    let mut guest = shop.guest();
    let (path, bytes) = (product(&mut guest).await, picture());
    for line in read_lines("benign_lookalikes.txt").iter().filter(|line| line.len() <= 300) {
        let part = |name, media_type, bytes| Part { name, file_name: None, media_type, bytes };
        let parts = [part("alt", None, line.as_bytes()), part("image", Some("image/png"), &bytes)];
        let call = upload(&path, form::multipart(&parts));
        let made = guest.ask_as("admin", call).await.unwrap().json();
        assert_eq!(made["alt"], line.as_str());
        let read = guest.ask(asked("GET", &path)).await.unwrap().json();
        assert_eq!(read["images"][0]["alt"], line.as_str());
        let one = format!("{path}/images/{}", made["id"].as_str().unwrap());
        assert_eq!(guest.ask_as("admin", asked("DELETE", &one)).await.unwrap().status, 204);
    }
}

#[tokio::test]
async fn five_mebibytes_pass_and_no_more() {
    let shop = Shop::open().await;
    let mut guest = shop.guest();
    let path = product(&mut guest).await;
    let mut bytes = picture();
    bytes.resize(MAX, 0);
    let call = upload(&path, form::image("image/png", &bytes));
    let answer = guest.ask_as("admin", call).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    is_shown(&mut guest, &answer).await.unwrap();

    // The core counts the image, and the edge the body.
    for more in [1, 128 * 1024] {
        bytes.resize(MAX + more, 0);
        let call = upload(&path, form::image("image/png", &bytes));
        let refused = shop.guest().ask_as("admin", call).await.unwrap();
        assert_eq!((refused.status, &refused.json()["code"]), (413, &json!("body_too_large")));
    }
    let raw = asked("POST", &format!("{path}/images")).body("image/png", picture());
    let refused = guest.ask_as("admin", raw).await.unwrap();
    assert_eq!(refused.status, 415);
    for role in ["customer", "staff"] {
        let call = upload(&path, form::image("image/png", &picture()));
        assert_eq!(guest.ask_as(role, call).await.unwrap().status, 403);
    }
}

#[tokio::test]
async fn an_image_that_does_not_arrive_is_not_waited_for() {
    let shop = Shop::open_with("[core.images]\nreceive_timeout_ms = 200").await;
    let path = product(&mut shop.guest()).await;
    let token = format!("Bearer {}", shop.stockade.session("admin").token);
    let call = upload(&path, form::image("image/png", &picture())).field("Authorization", token);
    let door = shop.stockade.door();
    let (mut connection, bytes) = (RawTls::http1(&door).await, call.bytes(&door.host()));
    connection.send(&bytes[..bytes.len() - 40]).await;
    let answer = connection.response().await;
    assert_eq!((answer.status, &answer.json()["code"]), (408, &json!("upload_timeout")));
}

#[tokio::test]
async fn a_link_that_was_not_given_out_shows_nothing() {
    let shop = Shop::open().await;
    let mut guest = shop.guest();
    let path = product(&mut guest).await;
    let call = upload(&path, form::image("image/png", &picture()));
    let made = guest.ask_as("admin", call).await.unwrap().json();
    let url = made["url"].as_str().unwrap();
    let key = url.split('?').next().unwrap();
    for target in [key.to_owned(), format!("{url}A"), url.replace("expires=1", "expires=2")] {
        let refused = guest.ask_as("super-admin", asked("GET", &target)).await.unwrap();
        let code = json!("image_link_invalid");
        assert_eq!((refused.status, &refused.json()["code"]), (403, &code), "{target}");
    }
}
