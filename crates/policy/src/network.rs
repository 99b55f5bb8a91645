//! Networks: named address ranges, for conditions of roles and of routes (`[networks]`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::finding::{Code, Findings, Place, nearest};
use crate::names::NetworkId;
use crate::toml_reader::{Entry, Text, TomlReader};

/// The named address ranges of a bundle.
#[derive(Debug, Default)]
pub struct Networks {
    networks: Vec<Network>,
    by_name: BTreeMap<String, NetworkId>,
}

/// One named set of address ranges.
#[derive(Debug)]
pub struct Network {
    /// The name in `routes.toml`.
    pub name: String,
    /// The ranges. Without any, the network holds nobody.
    pub ranges: Box<[IpNetwork]>,
    /// The line of `routes.toml`.
    pub line: u32,
}

impl Networks {
    /// Whether `address` lies in a network. An unknown address lies in none, and a network of
    /// another bundle holds nobody. IPv4 addresses in IPv6 clothes count as IPv4.
    pub fn holds(&self, network: NetworkId, address: Option<IpAddr>) -> bool {
        let address = address.map(|address| address.to_canonical());
        let ranges = self.get(network).map(|network| &network.ranges);
        address
            .zip(ranges)
            .is_some_and(|(address, ranges)| ranges.iter().any(|range| range.contains(address)))
    }

    /// A network by its number.
    pub fn get(&self, network: NetworkId) -> Option<&Network> {
        self.networks.get(network.index())
    }

    /// A network by its name.
    pub fn find(&self, name: &str) -> Option<NetworkId> {
        self.by_name.get(name).copied()
    }

    /// Every network, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.networks.iter()
    }

    /// Reads the section. What cannot be read is noted and left out.
    pub(crate) fn read(section: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Self {
        let mut networks = Self::default();
        for entry in reader.entries(section) {
            reader.expect_name("network", &entry);
            let Ok(id) = u16::try_from(networks.networks.len()) else {
                let place = reader.place(entry.key_at);
                let fix = "a bundle holds 65536 networks";
                reader.findings().add(Code::TooMany, place, "one network too many", fix);
                break;
            };
            let texts = reader.strings(&entry).unwrap_or_default();
            let ranges = texts.iter().filter_map(|text| read_range(text, reader)).collect();
            networks.by_name.insert(entry.key.to_owned(), NetworkId(id));
            let line = reader.place(entry.key_at).line;
            networks.networks.push(Network { name: entry.key.to_owned(), ranges, line });
        }
        networks
    }

    /// The network a value names; one that is not declared is noted.
    pub(crate) fn resolve(
        &self,
        entry: &Entry<'_>,
        reader: &mut TomlReader<'_, '_>,
    ) -> Option<NetworkId> {
        let name = reader.string(entry)?;
        let found = self.find(name.text);
        if found.is_none() {
            let known = self.by_name.keys().map(String::as_str);
            let fix = nearest(name.text, known, "declare it in [networks]");
            let message = format!("the network `{}` is not declared", name.text);
            let place = reader.place(name.at);
            reader.findings().add(Code::UnknownNetwork, place, message, fix);
        }
        found
    }
}

fn read_range(text: &Text<'_>, reader: &mut TomlReader<'_, '_>) -> Option<IpNetwork> {
    let place = reader.place(text.at);
    parse_range(text.text, place, reader.findings())
}

/// An address range. A bare address, a netmask, zeros before the prefix, bits behind it and IPv4
/// in IPv6 clothes are refused: each is read differently by different people.
fn parse_range(text: &str, at: Place<'_>, findings: &mut Findings) -> Option<IpNetwork> {
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let plain = digits && (prefix == "0" || !prefix.starts_with('0'));
        let prefix = prefix.parse().ok().filter(|_| plain)?;
        IpNetwork::new(address.parse().ok()?, prefix).ok()
    });
    let Some(range) = parsed else {
        let message = format!("`{text}` is no address range");
        let fix = "write an address, a slash and a prefix, such as `192.0.2.0/24`";
        findings.add(Code::BadNetwork, at, message, fix);
        return None;
    };
    if range.ip().to_canonical() != range.ip() {
        let message = format!("`{text}` is an IPv4 range in IPv6 clothes");
        findings.add(Code::BadNetwork, at, message, "write it as an IPv4 range");
        return None;
    }
    if range.network() != range.ip() {
        let message = format!("`{text}` has bits set behind its prefix");
        let fix = format!("write `{}/{}`", range.network(), range.prefix());
        findings.add(Code::HostBits, at, message, fix);
        return None;
    }
    Some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ranges: &[&str], from: Option<&str>, expected: bool) {
        let mut findings = Findings::default();
        let parse = |text: &&str| parse_range(text, Place::start_of("f"), &mut findings).unwrap();
        let ranges = ranges.iter().map(parse).collect();
        let network = Network { name: "office".to_owned(), ranges, line: 1 };
        let networks = Networks { networks: vec![network], ..Networks::default() };
        assert_eq!(networks.holds(NetworkId(0), from.map(|from| from.parse().unwrap())), expected);
    }

    #[test]
    fn holds_whoever_is_inside() {
        check(&["10.0.0.0/8"], Some("10.9.8.7"), true);
        check(&["10.0.0.0/8"], Some("::ffff:10.9.8.7"), true);
        check(&["2001:db8::/32"], Some("2001:db8::1"), true);
        check(&["0.0.0.0/0"], Some("192.0.2.1"), true);
        check(&["10.0.0.0/8"], Some("11.0.0.1"), false);
        check(&["0.0.0.0/0"], Some("2001:db8::1"), false);
    }

    #[test]
    fn an_empty_network_and_an_unknown_address_match_nothing() {
        check(&[], Some("127.0.0.1"), false);
        check(&["0.0.0.0/0", "::/0"], None, false);
        assert!(!Networks::default().holds(NetworkId(3), Some([127, 0, 0, 1].into())));
    }

    #[test]
    fn ambiguous_ranges_are_refused() {
        for (text, code) in [
            ("10.0.0.1", Code::BadNetwork),
            ("10.0.0.0/255.0.0.0", Code::BadNetwork),
            ("10.0.0.0/+8", Code::BadNetwork),
            ("10.0.0.0/33", Code::BadNetwork),
            ("10.0.0.0/08", Code::BadNetwork),
            ("010.0.0.0/8", Code::BadNetwork),
            ("::ffff:10.0.0.0/104", Code::BadNetwork),
            ("10.0.0.1/8", Code::HostBits),
            ("2001:db8::1/32", Code::HostBits),
        ] {
            let mut findings = Findings::default();
            assert!(parse_range(text, Place::start_of("f"), &mut findings).is_none(), "{text}");
            assert_eq!(findings.into_sorted()[0].code, code, "{text}");
        }
    }
}
