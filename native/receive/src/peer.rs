//! A sender's address as the system call wrote it, and as text.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Room for any socket address (`sockaddr_storage`), as plain bytes.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Peer([u8; Self::BYTES as usize]);

impl Default for Peer {
    fn default() -> Self {
        Self([0; Self::BYTES as usize])
    }
}

impl Peer {
    pub const BYTES: libc::socklen_t = 128;

    /// Returns the address that stands in the first `length` bytes, an IPv4 one inside IPv6 as IPv4.
    pub fn text(&self, length: usize) -> Option<String> {
        let bytes = self.0.get(..length)?;
        if libc::c_int::from(u16::from_ne_bytes(take(bytes, 0)?)) == libc::AF_UNIX {
            return unix(&bytes[2..]);
        }
        self.socket(length).map(|address| address.to_string())
    }

    /// Returns the address and port that stand in the first `length` bytes, where it is one of IP.
    pub fn socket(&self, length: usize) -> Option<SocketAddr> {
        let bytes = self.0.get(..length)?;
        match libc::c_int::from(u16::from_ne_bytes(take(bytes, 0)?)) {
            libc::AF_INET => {
                let address: [u8; 4] = take(bytes, 4)?;
                Some(SocketAddr::from((address, u16::from_be_bytes(take(bytes, 2)?))))
            }
            libc::AF_INET6 => inet6(bytes),
            _ => None,
        }
    }
}

fn inet6(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(take(bytes, 2)?);
    let address = Ipv6Addr::from(take::<16>(bytes, 8)?);
    let scope = u32::from_ne_bytes(take(bytes, 24)?);
    Some(match address.to_ipv4_mapped() {
        Some(inner) => SocketAddr::new(IpAddr::V4(inner), port),
        None => SocketAddrV6::new(address, port, 0, scope).into(),
    })
}

/// A path ends at its first zero; a name without a path ("abstract") starts with one, which is shown as `@`.
fn unix(path: &[u8]) -> Option<String> {
    let (sign, rest) = match path {
        [] => return None,
        [0, rest @ ..] => ("@", rest),
        _ => ("", path),
    };
    let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    Some(format!("{sign}{}", String::from_utf8_lossy(&rest[..end])))
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Peer;
    use std::net::{SocketAddrV4, SocketAddrV6};

    fn peer(parts: &[&[u8]]) -> (Peer, usize) {
        let bytes = parts.concat();
        let mut made = Peer::default();
        made.0[..bytes.len()].copy_from_slice(&bytes);
        (made, bytes.len())
    }

    fn family(family: libc::c_int) -> [u8; 2] {
        u16::try_from(family).expect("small").to_ne_bytes()
    }

    fn text(parts: &[&[u8]]) -> Option<String> {
        let (peer, length) = peer(parts);
        peer.text(length)
    }

    fn v6(address: &str) -> Option<String> {
        let address: SocketAddrV6 = address.parse().expect("an address");
        let (port, scope) = (address.port().to_be_bytes(), address.scope_id().to_ne_bytes());
        text(&[&family(libc::AF_INET6), &port, &[0; 4], &address.ip().octets(), &scope])
    }

    #[test]
    fn addresses_read_as_people_write_them() {
        let v4: SocketAddrV4 = "192.0.2.1:4242".parse().expect("an address");
        let parts: [&[u8]; 4] = [&family(libc::AF_INET), &v4.port().to_be_bytes(), &v4.ip().octets(), &[0; 8]];
        assert_eq!(text(&parts).as_deref(), Some("192.0.2.1:4242"));
        assert_eq!(v6("[2001:db8::1]:53").as_deref(), Some("[2001:db8::1]:53"));
        assert_eq!(v6("[fe80::1%7]:53").as_deref(), Some("[fe80::1%7]:53"));
        assert_eq!(v6("[::ffff:192.0.2.1]:53").as_deref(), Some("192.0.2.1:53"));
    }

    #[test]
    fn unix_senders_have_a_path_a_name_or_nothing() {
        let unix = family(libc::AF_UNIX);
        assert_eq!(text(&[&unix, b"/run/app.sock\0"]).as_deref(), Some("/run/app.sock"));
        assert_eq!(text(&[&unix, b"\0name"]).as_deref(), Some("@name"));
        assert_eq!(text(&[&unix]), None);
    }

    #[test]
    fn short_or_foreign_addresses_are_none() {
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[&family(libc::AF_INET), &[1, 2]]), None);
        assert_eq!(text(&[&family(libc::AF_INET6), &[0; 8]]), None);
        assert_eq!(text(&[&family(libc::AF_NETLINK), &[0; 10]]), None);
        assert_eq!(Peer::default().text(1000), None);
    }
}
