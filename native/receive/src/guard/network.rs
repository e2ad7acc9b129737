//! A network of addresses.

use std::net::IpAddr;

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

impl Network {
    /// Makes a network; a longer prefix than the address has bits is the address alone.
    #[must_use]
    pub const fn new(base: IpAddr, prefix: u32) -> Self {
        Self { base, prefix }
    }

    /// Whether an address belongs to it; an IPv4 address inside IPv6 is an IPv4 address.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                same(base.to_bits().into(), address.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => same(base.to_bits(), address.to_bits(), 128, self.prefix),
            _ => false,
        }
    }
}

/// Whether the first `prefix` of `bits` bits are the same.
const fn same(one: u128, other: u128, bits: u32, prefix: u32) -> bool {
    match (one ^ other).checked_shr(bits.saturating_sub(prefix)) {
        Some(rest) => rest == 0,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn an_address_belongs_to_a_network_by_its_first_bits() {
        for (base, prefix, address, expected) in [
            ("10.0.0.0", 8, "10.255.0.1", true),
            ("10.0.0.0", 8, "11.0.0.0", false),
            ("10.0.0.0", 8, "::ffff:10.0.0.1", true),
            ("0.0.0.0", 0, "255.0.0.1", true),
            ("0.0.0.0", 0, "::1", false),
            ("192.0.2.1", 32, "192.0.2.1", true),
            ("192.0.2.1", 32, "192.0.2.0", false),
            ("192.0.2.0", 31, "192.0.2.1", true),
            ("::", 0, "2001:db8::1", true),
            ("2001:db8::", 32, "2001:db8:1::", true),
            ("2001:db8::", 32, "2001:db9::", false),
            ("::1", 128, "::1", true),
            ("::1", 128, "::2", false),
        ] {
            let network = Network::new(base.parse().expect("an address"), prefix);
            assert_eq!(network.holds(address.parse().expect("an address")), expected, "{address} in {base}/{prefix}");
        }
    }
}
