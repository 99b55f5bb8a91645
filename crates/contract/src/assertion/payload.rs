//! The assertion's fields as bytes: each preceded by its length as four big-endian bytes.

use super::{Assertion, FIELD_BYTES_MAX, Scope};

pub(super) fn write(assertion: &Assertion) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    for field in [
        &assertion.audience,
        &assertion.request_id,
        &assertion.method,
        &assertion.path_and_query,
        &assertion.permission,
        &assertion.subject,
        &assertion.session,
        &assertion.roles,
        assertion.scope.as_str(),
        &assertion.client_address,
        &assertion.bundle,
    ] {
        push(&mut bytes, field.as_bytes());
    }
    push(&mut bytes, &assertion.authenticated_at.to_be_bytes());
    push(&mut bytes, &assertion.expires_at.to_be_bytes());
    bytes
}

/// `None` for anything [`write()`] would not have written.
pub(super) fn read(bytes: &[u8]) -> Option<Assertion> {
    let mut fields = Fields { rest: bytes };
    let assertion = Assertion {
        audience: fields.text()?,
        request_id: fields.text()?,
        method: fields.text()?,
        path_and_query: fields.text()?,
        permission: fields.text()?,
        subject: fields.text()?,
        session: fields.text()?,
        roles: fields.text()?,
        scope: Scope::parse(&fields.text()?)?,
        client_address: fields.text()?,
        bundle: fields.text()?,
        authenticated_at: fields.number()?,
        expires_at: fields.number()?,
    };
    fields.rest.is_empty().then_some(assertion)
}

fn push(bytes: &mut Vec<u8>, field: &[u8]) {
    // A field longer than the bound is cut, which the receiver then refuses as another request.
    let field = field.get(..FIELD_BYTES_MAX).unwrap_or(field);
    let length = u32::try_from(field.len()).unwrap_or_default();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(field);
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if length > FIELD_BYTES_MAX {
            return None;
        }
        let (field, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(field)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.next()?.to_vec()).ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.next()?.try_into().ok().map(u64::from_be_bytes)
    }
}
