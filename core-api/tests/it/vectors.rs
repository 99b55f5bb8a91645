//! Values that others collected, each with its documented answer; none of them breaks anything.

use serde_json::{Value, json};
use stockade_test_support::vectors;

use crate::world::World;

/// The member that a registration is refused for. The password always is the last to be refused.
async fn refused_for(world: &World, member: &str, value: &str) -> String {
    let mut body = json!({"username": "ann", "email": "a@b.org", "password": "short"});
    body[member] = json!(value);
    let answer = world.call("POST", "/api/auth/register").json(&body).send().await;
    answer.refused(422, "invalid_request");
    let detail = answer.text("detail").to_owned();
    detail.split('`').nth(1).unwrap().to_owned()
}

fn rows(file: &str, list: Option<&str>) -> Vec<Value> {
    let read = vectors::read(file);
    list.map_or(&read, |list| &read[list]).as_array().unwrap().clone()
}

#[tokio::test]
async fn addresses_are_judged_as_documented() {
    let world = World::start().await;
    let (mut taken, mut refused) = (0, 0);
    for row in rows("email.json", None) {
        let (input, valid) = (row["input"].as_str().unwrap(), row["valid"].as_str().unwrap());
        let member = refused_for(&world, "email", input).await;
        match valid {
            "yes" => {
                assert_eq!(member, "password", "{row}");
                taken += 1;
            }
            "no" | "no_for_web" => {
                assert_eq!(member, "email", "{row}");
                refused += 1;
            }
            _ => assert!(["email", "password"].contains(&member.as_str()), "{row}"),
        }
    }
    assert!(taken > 10 && refused > 80, "{taken} {refused}");
}

#[tokio::test]
async fn telephone_numbers_are_judged_as_documented() {
    let world = World::start().await;
    for row in rows("phone_e164.json", Some("cases")) {
        let input = row["input"].as_str().unwrap();
        let expected = if row["valid_e164"] == true { "password" } else { "phone" };
        assert_eq!(refused_for(&world, "phone", input).await, expected, "{row}");
    }
}

#[tokio::test]
async fn naughty_strings_break_nothing() {
    let world = World::start().await;
    let lines = vectors::read_lines("naughty_strings.txt");
    let mut tried = 0;
    for line in lines.iter().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        tried += 1;
        let name = line.len() >= 3
            && line.len() <= 32
            && line.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let expected = if name { "password" } else { "username" };
        assert_eq!(refused_for(&world, "username", line).await, expected, "{line}");
        assert_eq!(refused_for(&world, "email", line).await, "email", "{line}");
        assert_eq!(refused_for(&world, "phone", line).await, "phone", "{line}");
        // Ten letters may be a recovery code.
        let letters = |byte: u8| matches!(byte.to_ascii_lowercase(), b'a'..=b'z' | b'2'..=b'7');
        let code = line.len() == 10 && line.bytes().all(letters);
        for (path, body, status) in [
            ("/api/auth/password/reset", json!({"token": line, "password": line}), 400),
            ("/api/auth/password/forgot", json!({"email": line}), 202),
            ("/api/auth/email/verify", json!({"token": line}), 400),
            ("/api/auth/mfa", json!({"mfa_token": line, "code": "123456"}), 400),
            (
                "/api/auth/mfa",
                json!({"mfa_token": "a", "code": line}),
                if code { 400 } else { 422 },
            ),
        ] {
            let answer = world.call("POST", path).json(&body).send().await;
            assert_eq!(answer.status.as_u16(), status, "{path} {body}: {answer:?}");
        }
    }
    assert!(tried > 200, "{tried}");
}
