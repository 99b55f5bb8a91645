//! Promises of `/api/products/{id}/images` and of the links to images.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use stockade_core_api::{Report, verify_images};
use stockade_settings::BucketSettings;
use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::form::{self, Part};
use stockade_test_support::vectors;

use crate::bucket::Bucket;
use crate::call::{Answer, Call};
use crate::clamd::{self, Manner, VIRUS};
use crate::world::World;

const PNG: &str = "image/png";

/// How long files outlive their image.
const GRACE: Duration = Duration::from_hours(24);

fn picture(width: u32, height: u32) -> Vec<u8> {
    let pixels =
        RgbImage::from_fn(width, height, |x, y| Rgb([x.to_le_bytes()[0], 0, y.to_le_bytes()[0]]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(pixels).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A product, as its path.
async fn product(world: &World) -> String {
    let body = json!({"name": "Vase", "description": ""});
    let published = world.call("POST", "/api/products").json(&body).send().await;
    published.created();
    published.header("location").unwrap().to_owned()
}

fn upload(world: &World, product: &str, body: Vec<u8>) -> Call {
    world.call("POST", format!("{product}/images")).bytes(form::MEDIA_TYPE, body)
}

async fn uploaded(world: &World, product: &str, bytes: &[u8]) -> Answer {
    let answer = upload(world, product, form::image(PNG, bytes)).send().await;
    answer.created();
    answer
}

async fn get(world: &World, url: &Value) -> Answer {
    world.call("GET", url.as_str().unwrap()).send().await
}

fn folder(world: &World) -> PathBuf {
    world.settings.images.folder.clone().unwrap()
}

fn files(world: &World) -> usize {
    fs::read_dir(folder(world)).unwrap().count()
}

async fn verified(world: &World) -> Report {
    let settings = &world.settings;
    verify_images(settings.store.url.as_ref().unwrap(), None, &settings.images).await.unwrap()
}

#[tokio::test]
async fn an_image_is_shown_until_it_is_removed() {
    let world = World::start().await;
    let path = product(&world).await;
    let bytes = picture(1000, 900);
    let parts = [
        Part { name: "alt", file_name: None, media_type: None, bytes: "Väse <b>".as_bytes() },
        Part {
            name: "image",
            file_name: Some("../x.php"),
            media_type: Some("image/PNG"),
            bytes: &bytes,
        },
    ];
    let made = upload(&world, &path, form::multipart(&parts)).send().await;
    made.created();
    assert_eq!((made.text("alt"), made.text("media_type")), ("Väse <b>", PNG));
    assert_eq!((&made.body["width"], &made.body["height"]), (&json!(1000), &json!(900)));
    assert_eq!(made.body["thumbnail_width"], 667);
    assert_eq!(made.body["thumbnail_height"], 600);

    let read = world.call("GET", &path).send().await;
    assert_eq!((read.header("etag"), &read.body["images"]), (Some("\"2\""), &json!([made.body])));
    let list = world.call("GET", format!("{path}/images")).send().await;
    assert_eq!(list.body, json!({"items": [made.body], "next": null}));
    let all = world.call("GET", "/api/products?limit=100").send().await;
    assert_eq!(all.body["items"].as_array().unwrap().last().unwrap(), &read.body);

    for (url, width) in [("url", 1000), ("thumbnail_url", 667)] {
        let shown = get(&world, &made.body[url]).await;
        assert_eq!((shown.status.as_u16(), shown.header("content-type")), (200, Some(PNG)));
        assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(shown.header("cache-control"), Some("private, max-age=3600, immutable"));
        let name = format!("inline; filename=\"{}.png\"", made.text("id"));
        assert_eq!(shown.header("content-disposition"), Some(&*name));
        assert_eq!(shown.header("content-length").unwrap(), shown.bytes.len().to_string());
        assert_eq!(image::load_from_memory(&shown.bytes).unwrap().width(), width);
    }
    let head = world.call("HEAD", made.text("url")).permission("images.read").send().await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    assert!(verified(&world).await.is_intact());

    let world = world.restart().await;
    let image = format!("{path}/images/{}", made.text("id"));
    assert_eq!(world.call("DELETE", &image).send().await.status.as_u16(), 204);
    world.call("DELETE", &image).send().await.refused(404, "not_found");
    get(&world, &made.body["url"]).await.refused(404, "not_found");
    let read = world.call("GET", &path).send().await;
    assert_eq!((read.header("etag"), &read.body["images"]), (Some("\"3\""), &json!([])));
    assert_eq!(files(&world), 2);
    assert!(verified(&world).await.is_intact());
    world.clock.advance(GRACE);
    eventually_yes("the files are gone", || async { files(&world) == 0 }).await;
}

#[tokio::test]
async fn a_link_is_good_for_an_hour_and_as_it_was_given_out() {
    let world = World::start().await;
    let path = product(&world).await;
    let made = uploaded(&world, &path, &picture(4, 4)).await;
    let url = made.text("url");
    let (place, signature) = url.split_once("&signature=").unwrap();
    let (place, expires) = place.split_once("?expires=").unwrap();
    for forged in [
        place.to_owned(),
        format!("{place}?expires={expires}"),
        format!("{place}?expires={expires}&signature="),
        format!("{place}?expires={expires}&signature={signature}A"),
        format!("{place}?expires=9999999999&signature={signature}"),
        format!("{place}?expires=-1&signature={signature}"),
        format!("{place}?variant=thumbnail&expires={expires}&signature={signature}"),
        format!("{place}?variant=original&expires={expires}&signature={signature}"),
        format!("{url}&signature={signature}"),
        format!("{url}&more=1"),
        url.replace(place, "/api/images/00000000000000000000000000000000"),
    ] {
        world.call("GET", &forged).send().await.refused(403, "image_link_invalid");
    }
    for unknown in [url.to_uppercase().replace("/API/IMAGES", "/api/images"), format!("{place}0?x")]
    {
        world.call("GET", unknown).send().await.refused(404, "not_found");
    }
    world.clock.advance(Duration::from_secs(3_599));
    let shown = world.call("GET", url).send().await;
    assert_eq!(shown.header("cache-control"), Some("private, max-age=1, immutable"));
    world.clock.advance(Duration::from_secs(1));
    world.call("GET", url).send().await.refused(403, "image_link_expired");
    let fresh = world.call("GET", path).send().await;
    assert_eq!(get(&world, &fresh.body["images"][0]["url"]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_form_is_one_image_and_nothing_else() {
    let world = World::start().await;
    let path = product(&world).await;
    let bytes = picture(2, 2);
    let part = |name, media_type| Part { name, file_name: Some("x"), media_type, bytes: &bytes };
    let alt = |bytes| Part { name: "alt", file_name: None, media_type: None, bytes };
    let (image, long) = (part("image", Some(PNG)), "x".repeat(301));
    let large = vec![b'x'; 5000];
    for (parts, status, code) in [
        (vec![], 422, "invalid_request"),
        (vec![alt(b"alone")], 422, "invalid_request"),
        (vec![image, image], 422, "invalid_request"),
        (vec![image, part("other", Some(PNG))], 422, "invalid_request"),
        (vec![alt(b"a"), image, alt(b"b")], 422, "invalid_request"),
        (vec![image, alt(b"\xff")], 422, "invalid_request"),
        (vec![image, alt(b"a\nb")], 422, "invalid_request"),
        (vec![image, alt(long.as_bytes())], 422, "invalid_request"),
        (vec![image, alt(&large)], 413, "body_too_large"),
        (vec![part("image", None)], 415, "unsupported_media_type"),
        (vec![part("image", Some("application/octet-stream"))], 415, "unsupported_media_type"),
        (vec![part("image", Some("image/svg+xml"))], 415, "unsupported_media_type"),
        (vec![part("image", Some("image/jpeg"))], 422, "image_type_mismatch"),
    ] {
        upload(&world, &path, form::multipart(&parts)).send().await.refused(status, code);
    }
    let body = form::image(PNG, &bytes);
    for (media, body, status, code) in [
        ("image/png", bytes.clone(), 415, "unsupported_media_type"),
        (
            "multipart/mixed; boundary=stockade-boundary",
            body.clone(),
            415,
            "unsupported_media_type",
        ),
        ("multipart/form-data", body.clone(), 400, "invalid_form"),
        ("multipart/form-data; boundary=other", body.clone(), 400, "invalid_form"),
        (form::MEDIA_TYPE, body[..body.len() - 30].to_vec(), 400, "invalid_form"),
        (form::MEDIA_TYPE, Vec::new(), 400, "invalid_form"),
    ] {
        let call = world.call("POST", format!("{path}/images")).bytes(media, body);
        call.send().await.refused(status, code);
    }
    let elsewhere = "/api/products/018f0000-0000-7000-8000-000000000000";
    upload(&world, elsewhere, body).send().await.refused(404, "not_found");
    assert_eq!(files(&world), 0);
}

#[tokio::test]
async fn an_image_has_five_mebibytes_at_most_and_a_product_twelve() {
    const MAX: usize = 5 * 1024 * 1024;
    let world = World::start().await;
    let path = product(&world).await;
    // What follows the end of a picture is no part of it.
    let mut bytes = picture(2, 2);
    bytes.resize(MAX, 0);
    let made = uploaded(&world, &path, &bytes).await;
    let shown = get(&world, &made.body["url"]).await;
    assert!(shown.bytes.len() < 200, "{}", shown.bytes.len());
    bytes.push(0);
    let refused = upload(&world, &path, form::image(PNG, &bytes)).send().await;
    refused.refused(413, "body_too_large");

    for _ in 1..12 {
        uploaded(&world, &path, &picture(1, 1)).await;
    }
    let body = form::image(PNG, &picture(1, 1));
    upload(&world, &path, body.clone()).send().await.refused(409, "too_many_images");
    let list = world.call("GET", format!("{path}/images")).send().await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 12);
    let one = format!("{path}/images/{}", made.text("id"));
    world.call("DELETE", one).send().await;
    // Of two who see eleven, one is the twelfth.
    let calls = [upload(&world, &path, body.clone()), upload(&world, &path, body)];
    let [one, other] = calls.map(|call| async move { call.send().await.status.as_u16() });
    let mut statuses = <[u16; 2]>::from(tokio::join!(one, other));
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let metrics = world.metrics().await;
    assert!(
        metrics.contains("stockade_core_image_uploads_total{outcome=\"stored\"} 13"),
        "{metrics}"
    );
    assert!(metrics.contains("image_uploads_total{outcome=\"too_many_images\"} 2"), "{metrics}");
}

#[tokio::test]
async fn hostile_files_and_names_get_their_documented_answers() {
    let world = World::start().await;
    let path = product(&world).await;
    let set = vectors::read("image_uploads.json");
    for case in set["cases"].as_array().unwrap() {
        let bytes = STANDARD.decode(case["b64"].as_str().unwrap()).unwrap();
        let body = form::image(case["content_type"].as_str().unwrap(), &bytes);
        let status = upload(&world, &path, body).send().await.status.as_u16();
        let expected: &[u16] = match case["expect"].as_str().unwrap() {
            "accept" | "reject_or_stripped" => &[201],
            _ => &[415, 422],
        };
        assert!(expected.contains(&status), "{}: {status}", case["id"]);
    }
    let png = picture(2, 2);
    let fresh = product(&world).await;
    for (at, name) in set["hostile_filenames"].as_array().unwrap().iter().enumerate() {
        let file_name = name.as_str();
        let part = Part { name: "image", file_name, media_type: Some(PNG), bytes: &png };
        let path = if at < 12 { &path } else { &fresh };
        let answer = upload(&world, path, form::multipart(&[part])).send().await;
        assert!(answer.status.as_u16() < 500, "{name}: {answer:?}");
        if answer.status.as_u16() == 201 {
            let shown = get(&world, &answer.body["url"]).await;
            let told = shown.header("content-disposition").unwrap();
            assert_eq!(told, format!("inline; filename=\"{}.png\"", answer.text("id")));
        }
    }
}

#[tokio::test]
async fn images_go_with_their_product() {
    let world = World::start().await;
    let path = product(&world).await;
    let made = uploaded(&world, &path, &picture(4, 4)).await;
    let withdrawn = world.call("DELETE", &path).header("if-match", "*").send().await;
    assert_eq!(withdrawn.status.as_u16(), 204);
    get(&world, &made.body["url"]).await.refused(404, "not_found");
    world.call("GET", format!("{path}/images")).send().await.refused(404, "not_found");
    let one = format!("{path}/images/{}", made.text("id"));
    world.call("DELETE", one).send().await.refused(404, "not_found");
    let body = form::image(PNG, &picture(1, 1));
    upload(&world, &path, body).send().await.refused(404, "not_found");
    assert!(verified(&world).await.is_intact());
    world.clock.advance(GRACE);
    eventually_yes("the files are gone", || async { files(&world) == 0 }).await;
    assert!(verified(&world).await.is_intact());
}

#[tokio::test]
async fn a_file_that_cannot_be_removed_keeps_no_other() {
    let world = World::start().await;
    let path = product(&world).await;
    let first = uploaded(&world, &path, &picture(4, 4)).await;
    let second = uploaded(&world, &path, &picture(5, 5)).await;
    // A folder of its name, with something in it, is not removed.
    let key = first.text("url")["/api/images/".len()..].split('?').next().unwrap();
    let stuck = folder(&world).join(key);
    fs::remove_file(&stuck).unwrap();
    fs::create_dir(&stuck).unwrap();
    fs::write(stuck.join("in the way"), "").unwrap();
    for image in [&first, &second] {
        let one = format!("{path}/images/{}", image.text("id"));
        assert_eq!(world.call("DELETE", one).send().await.status.as_u16(), 204);
        world.clock.advance(Duration::from_secs(1));
    }
    world.clock.advance(GRACE);
    let alone = || async {
        let all = sqlx::query_scalar::<_, Vec<u8>>("SELECT key FROM image_removal");
        let waiting = all.fetch_all(&mut world.database().await).await.unwrap();
        let names =
            waiting.iter().map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect());
        names.collect::<Vec<String>>() == [key]
    };
    eventually_yes("only what cannot be removed waits", alone).await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_for_long() {
    let world = World::start().await;
    let path = product(&world).await;
    let images = folder(&world);
    fs::remove_dir(&images).unwrap();
    fs::write(&images, "in the way").unwrap();
    let body = form::image(PNG, &picture(4, 4));
    let refused = upload(&world, &path, body).send().await;
    refused.refused(503, "image_service_unavailable");
    assert!(refused.header("retry-after").is_some());
    let shown = world.call("GET", &path).send().await;
    assert_eq!(shown.body["images"], json!([]));

    // What may have been written by then is under its key, which the database knows.
    fs::remove_file(&images).unwrap();
    fs::create_dir(&images).unwrap();
    let mut database = world.database().await;
    let key: Vec<u8> =
        sqlx::query_scalar("SELECT key FROM image_removal").fetch_one(&mut database).await.unwrap();
    let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    for ending in ["", "-thumbnail#1"] {
        fs::write(images.join(format!("{name}{ending}")), "half").unwrap();
    }
    assert!(verified(&world).await.is_intact());
    world.clock.advance(GRACE);
    eventually_yes("the files are gone", || async { files(&world) == 0 }).await;
    let count = "SELECT count(*) FROM image_removal";
    let forgotten = || async {
        let mut database = world.database().await;
        sqlx::query_scalar::<_, i64>(count).fetch_one(&mut database).await.unwrap() == 0
    };
    eventually_yes("nothing waits to be removed", forgotten).await;
}

#[tokio::test]
async fn verify_tells_what_is_missing_and_what_is_of_no_image() {
    let world = World::start().await;
    let path = product(&world).await;
    let made = uploaded(&world, &path, &picture(4, 4)).await;
    let key = made.text("url")["/api/images/".len()..].split('?').next().unwrap().to_owned();
    fs::remove_file(folder(&world).join(format!("{key}-thumbnail"))).unwrap();
    fs::write(folder(&world).join("notes.txt"), "mine").unwrap();
    let report = verified(&world).await;
    let told: Vec<_> = report.broken.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(told, [&*format!("image `{key}`"), "file `notes.txt`"], "{report}");
    get(&world, &made.body["thumbnail_url"]).await.refused(500, "internal");
    assert_eq!(get(&world, &made.body["url"]).await.status.as_u16(), 200);
}

/// A world with a scanner.
async fn scanned(manner: Manner) -> World {
    let sockets = tempfile::tempdir().unwrap().keep();
    let socket = sockets.join("clamd.ctl");
    clamd::listen(&socket, manner);
    World::start_with(|settings| {
        settings.scanner.address = Some(format!("unix:{}", socket.display()));
        settings.scanner.timeout_ms = 300.try_into().unwrap();
    })
    .await
}

#[tokio::test]
async fn a_scanner_has_to_agree() {
    let world = scanned(Manner::Plain).await;
    let path = product(&world).await;
    uploaded(&world, &path, &picture(4, 4)).await;
    let infected = [&picture(4, 4), VIRUS].concat();
    let refused = upload(&world, &path, form::image(PNG, &infected)).send().await;
    refused.refused(422, "image_infected");
    assert!(!refused.body.to_string().contains("Virus"), "{refused:?}");
    // What is no image at all is not even shown to it.
    let text = upload(&world, &path, form::image(PNG, VIRUS)).send().await;
    text.refused(422, "image_type_mismatch");
    let metrics = world.metrics().await;
    for counted in ["clean\"} 1", "infected\"} 1", "failed\"} 0"] {
        assert!(metrics.contains(&format!("image_scans_total{{outcome=\"{counted}")), "{metrics}");
    }
    assert_eq!(files(&world), 2);
}

#[tokio::test]
async fn without_the_scanners_word_nothing_is_taken() {
    let gone = World::start_with(|settings| {
        settings.scanner.address = Some("unix:/nowhere/clamd.ctl".to_owned());
    });
    for world in [gone.await, scanned(Manner::Silent).await, scanned(Manner::Overwhelmed).await] {
        let path = product(&world).await;
        let body = form::image(PNG, &picture(4, 4));
        let refused = upload(&world, &path, body).send().await;
        refused.refused(503, "image_service_unavailable");
        assert_eq!(refused.header("retry-after"), Some("5"));
        let metrics = world.metrics().await;
        assert!(metrics.contains("image_scans_total{outcome=\"failed\"} 1"), "{metrics}");
        assert_eq!(files(&world), 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut settings = crate::world::settings(folder.path());
    settings.scanner.address = Some("nowhere".to_owned());
    let clock = stockade_core_api::Clock::system();
    let error = stockade_core_api::Core::start(&settings, clock).await.unwrap_err().to_string();
    assert!(error.contains("core.scanner.address `nowhere`"), "{error}");
}

#[tokio::test]
async fn an_image_that_takes_too_long_to_arrive_is_refused() {
    let world = World::start_with(|settings| {
        settings.images.receive_timeout_ms = 200.try_into().unwrap();
    })
    .await;
    let path = product(&world).await;
    let slow = upload(&world, &path, form::image(PNG, &picture(4, 4)));
    let stream = slow.begin().await;
    let answer = slow.read(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close") && answer.contains("upload_timeout"), "{answer}");
}

#[tokio::test]
async fn a_bucket_serves_as_a_folder_does() {
    let bucket = Bucket::start().await;
    let world = World::start_with(|settings| {
        let images = &mut settings.images;
        images.folder = None;
        images.bucket = Some(BucketSettings {
            name: "shop".to_owned(),
            endpoint: format!("http://{}", bucket.address),
            region: "eu-test-1".to_owned(),
            access_key_id: "core".to_owned(),
            secret_access_key_file: settings.data_key_file.clone().unwrap(),
        });
    })
    .await;
    let path = product(&world).await;
    let made = uploaded(&world, &path, &picture(40, 40)).await;
    assert_eq!(bucket.names().len(), 2);
    let shown = get(&world, &made.body["thumbnail_url"]).await;
    assert_eq!(shown.header("content-length").unwrap(), shown.bytes.len().to_string());
    assert_eq!(image::load_from_memory(&shown.bytes).unwrap().width(), 40);
    assert!(verified(&world).await.is_intact());

    let image = format!("{path}/images/{}", made.text("id"));
    assert_eq!(world.call("DELETE", image).send().await.status.as_u16(), 204);
    world.clock.advance(GRACE);
    eventually_yes("the objects are gone", || async { bucket.names().is_empty() }).await;

    bucket.stop();
    let body = form::image(PNG, &picture(4, 4));
    let refused = upload(&world, &path, body).send().await;
    refused.refused(503, "image_service_unavailable");
}
