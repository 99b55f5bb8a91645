//! How many connections may be open: in all, and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metrics::Refused;

/// Counts open connections. Bounded by the number of connections itself.
#[derive(Debug)]
pub(crate) struct Caps {
    open: Mutex<Open>,
    max: usize,
    per_address_max: usize,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    pub(crate) fn new(max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), max, per_address_max })
    }

    /// A place for a connection from `address`, or why there is none.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Refused> {
        let address = shared_by_one_client(address);
        let mut open = self.open();
        if open.total >= self.max {
            return Err(Refused::Capacity);
        }
        let count = open.by_address.entry(address).or_default();
        if *count >= self.per_address_max {
            return Err(Refused::PerAddress);
        }
        *count += 1;
        open.total += 1;
        Ok(Place { caps: self.clone(), address })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.open();
        open.total -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// One IPv6 client is given a /64 at least, so its addresses count as one.
fn shared_by_one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let caps = Caps::new(3, 2);
        let first = caps.take(ip("2001:db8::1")).unwrap();
        let second = caps.take(ip("2001:db8::2")).unwrap();
        assert!(matches!(caps.take(ip("2001:db8::3")), Err(Refused::PerAddress)));
        let other = caps.take(ip("192.0.2.1")).unwrap();
        assert!(matches!(caps.take(ip("192.0.2.2")), Err(Refused::Capacity)));
        drop((first, second, other));
        assert_eq!(caps.open().total, 0);
        assert!(caps.open().by_address.is_empty());
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        let caps = Caps::new(9, 1);
        let _place = caps.take(ip("192.0.2.1")).unwrap();
        assert!(caps.take(ip("::ffff:192.0.2.1")).is_err());
    }
}
