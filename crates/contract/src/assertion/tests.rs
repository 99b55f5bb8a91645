//! What the core may rely on, and what an attacker with a header cannot do.

use super::*;

const NOW: u64 = 1_800_000_000;

fn ring(master: u8) -> Keyring {
    Keyring::new(AssertionKey::derive(&[master; 32], "core").unwrap())
}

fn assertion() -> Assertion {
    Assertion {
        audience: "core".to_owned(),
        request_id: "d-1".to_owned(),
        method: "POST".to_owned(),
        path_and_query: "/api/orders?x=1".to_owned(),
        permission: "orders.create".to_owned(),
        subject: "018f".to_owned(),
        session: "s-1".to_owned(),
        roles: "customer".to_owned(),
        scope: Scope::Own,
        authenticated_at: NOW - 5,
        client_address: "127.0.0.1".to_owned(),
        bundle: "abc".to_owned(),
        expires_at: NOW + LIFETIME_SECS,
    }
}

fn expected() -> Expected<'static> {
    Expected { audience: "core", method: "POST", path_and_query: "/api/orders?x=1", now: NOW }
}

#[test]
fn what_was_signed_is_what_is_read() {
    let value = ring(1).sign(&assertion());
    assert!(value.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(ring(1).verify(&value, expected()), Ok(assertion()));
}

#[test]
fn no_byte_can_be_changed() {
    let value = ring(1).sign(&assertion());
    for at in 0..value.len() {
        let mut forged = value.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(ring(1).verify(&forged, expected()).is_err(), "byte {at}");
    }
}

#[test]
fn it_fits_one_request_only() {
    let value = ring(1).sign(&assertion());
    let others = [
        Expected { audience: "other", ..expected() },
        Expected { method: "GET", ..expected() },
        Expected { path_and_query: "/api/orders?x=2", ..expected() },
    ];
    for other in others {
        assert_eq!(ring(1).verify(&value, other), Err(AssertionError::OtherRequest));
    }
}

#[test]
fn it_dies_in_time_and_cannot_claim_a_long_life() {
    let value = ring(1).sign(&assertion());
    let late = Expected { now: NOW + LIFETIME_SECS, ..expected() };
    assert_eq!(ring(1).verify(&value, late), Err(AssertionError::Expired));
    let long = ring(1).sign(&Assertion { expires_at: NOW + LIFETIME_SECS + 1, ..assertion() });
    assert_eq!(ring(1).verify(&long, expected()), Err(AssertionError::Expired));
}

#[test]
fn a_rotation_believes_the_previous_key_and_no_other() {
    let value = ring(1).sign(&assertion());
    let rotated = ring(2).believing(AssertionKey::derive(&[1; 32], "core").unwrap());
    assert_eq!(rotated.verify(&value, expected()), Ok(assertion()));
    assert_eq!(ring(3).verify(&value, expected()), Err(AssertionError::UnknownKey));
}

#[test]
fn keys_differ_by_upstream_and_are_not_printed() {
    let core = AssertionKey::derive(&[1; 32], "core").unwrap();
    let other = AssertionKey::derive(&[1; 32], "other").unwrap();
    assert_ne!(core.id(), other.id());
    assert_eq!(format!("{core:?}"), format!("AssertionKey {{ id: {:?}, .. }}", core.id()));
    assert_eq!(AssertionKey::derive(&[1; 31], "core").err(), Some(WeakMaster(31)));
}

#[test]
fn a_field_that_does_not_fit_is_refused_not_cut() {
    let long = "/".repeat(FIELD_BYTES_MAX + 1);
    let value = ring(1).sign(&Assertion { path_and_query: long.clone(), ..assertion() });
    let wanted = Expected { path_and_query: &long, ..expected() };
    assert_eq!(ring(1).verify(&value, wanted), Err(AssertionError::OtherRequest));
}

#[test]
fn noise_is_malformed() {
    for value in ["", "v1", "v2.a.b.c", "v1.a.b.c.d", "....", &"x".repeat(ENCODED_BYTES_MAX + 1)] {
        assert!(ring(1).verify(value, expected()).is_err(), "{value:.20}");
    }
}
