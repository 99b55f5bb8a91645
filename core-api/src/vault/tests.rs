//! Keys open what is theirs and nothing else.

use super::*;
use crate::accounts::{EmailAddress, PhoneNumber};

/// A vault as good as any.
pub(crate) fn vault() -> Vault {
    Vault::derive(&file(7), None, &file(9))
}

fn file(byte: u8) -> VaultKey {
    VaultKey::new(Zeroizing::new(vec![byte; 32])).unwrap()
}

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(uuid::Uuid::from_u128(number))
}

fn address() -> EmailAddress {
    EmailAddress::parse("ann@example.org").unwrap()
}

#[test]
fn a_sealed_value_opens_for_its_field_and_account_alone() {
    let vault = vault();
    let (key, wrapped) = vault.new_key(account(1)).unwrap();
    let sealed = key.seal(&address()).unwrap();
    let again = vault.unwrap(account(1), &wrapped).unwrap();
    assert_eq!(again.open::<EmailAddress>(&sealed).unwrap(), address());
    assert!(again.open::<PhoneNumber>(&sealed).is_none());
    assert!(vault.unwrap(account(2), &wrapped).is_none());
    let (other, _) = vault.new_key(account(1)).unwrap();
    assert!(other.open::<EmailAddress>(&sealed).is_none());
    assert!(key.open::<EmailAddress>(&Sealed(vec![0; 23])).is_none());
    assert_ne!(sealed, key.seal(&address()).unwrap());
    assert!(!sealed.0.windows(3).any(|window| window == b"ann"));
    assert_eq!(
        format!("{vault:?} {key:?} {wrapped:?} {sealed:?}"),
        "Vault(..) SubjectKey(..) WrappedKey(..) Sealed(..)"
    );
}

#[test]
fn a_key_of_before_the_rotation_unwraps_until_everything_is_rewrapped() {
    let old = vault();
    let (key, wrapped) = old.new_key(account(1)).unwrap();
    let sealed = key.seal(&address()).unwrap();
    let both = Vault::derive(&file(8), Some(&file(7)), &file(9));
    let read = |vault: &Vault, wrapped: &WrappedKey| {
        vault.unwrap(account(1), wrapped)?.open::<EmailAddress>(&sealed)
    };
    assert_eq!(read(&both, &wrapped), Some(address()));
    let rewrapped = both.rewrap(account(1), &wrapped).unwrap().unwrap();
    assert_eq!(wrapped.0.len(), 80);
    assert!(rewrapped.0.starts_with(&both.key_name()));
    let new = Vault::derive(&file(8), None, &file(9));
    assert_eq!(read(&new, &rewrapped), Some(address()));
    assert_eq!(read(&new, &wrapped), None);
    assert_eq!(read(&old, &rewrapped), None);
    assert!(new.rewrap(account(1), &wrapped).is_none());
}

#[test]
fn a_digest_keeps_owner_and_value_apart() {
    let vault = vault();
    let digest = |owner: &[u8], value: &[u8]| vault.digest(Purpose::Throttle, owner, value);
    assert_eq!(digest(b"ann", b"x"), digest(b"ann", b"x"));
    assert_ne!(digest(b"ann", b"x"), digest(b"an", b"nx"));
    assert_ne!(digest(b"", b"x"), vault.digest(Purpose::Email, b"", b"x"));
    assert!(VaultKey::new(Zeroizing::new(vec![7; 31])).is_err());
}
