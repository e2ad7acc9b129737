//! Sockets, bound and with as large a receive buffer as the system allows.

use crate::Reader;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For how long a reader waits for a datagram before it looks whether it shall stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// Binds `sockets` UDP sockets (at least one) that share one port; returns their readers.
///
/// `host` is an address or a name (its IPv4 addresses are tried first); empty or `::` is every address of the machine,
/// IPv4 and IPv6. An address that is taken is an error; one that this machine does not have is passed over while there are
/// others. Port 0 takes a free one. `buffer` is the receive buffer to ask for, in bytes; 0 leaves the system's.
/// The first socket is bound alone, so that a port in use elsewhere is refused however many are asked for.
///
/// # Errors
///
/// What socket(2), bind(2) and the name service answer, the last one where several addresses were tried.
pub fn bind_udp(host: &str, port: u16, buffer: usize, sockets: usize) -> io::Result<Vec<Reader>> {
    let mut result = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
    for address in resolve(host, port)? {
        result = bind_address(address, buffer);
        match &result {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {}
            _ => break,
        }
    }
    let first = result?;
    let mut all = Vec::with_capacity(sockets);
    if sockets > 1 {
        first.set_reuse_port(true)?;
        let address = first.local_addr()?;
        for _ in 1..sockets {
            let socket = udp(&address, buffer)?;
            socket.set_reuse_port(true)?;
            socket.bind(&address)?;
            all.push(Reader::new(socket, None)?);
        }
    }
    all.insert(0, Reader::new(first, None)?);
    Ok(all)
}

/// Binds a Unix datagram socket. A socket file on which nobody listens any more is replaced. The reader removes
/// its file in the end.
///
/// # Errors
///
/// What socket(2) and bind(2) answer; `AddrInUse` when somebody listens there, or when the path is another kind of file.
pub fn bind_unix(path: &Path, buffer: usize) -> io::Result<Reader> {
    let address = SockAddr::unix(path)?;
    remove_stale(path, &address)?;
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    prepare(&socket, buffer)?;
    socket.bind(&address)?;
    Reader::new(socket, File::of(path))
}

/// The file of a bound Unix socket, removed when dropped, unless another one stands there by then.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    inode: (u64, u64),
}

impl File {
    fn of(path: &Path) -> Option<Self> {
        Some(Self { path: path.to_owned(), inode: inode(path)? })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if inode(&self.path) == Some(self.inode) {
            let _ = std::fs::remove_file(&self.path); // one that stays is replaced at the next start
        }
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|found| (found.dev(), found.ino()))
}

fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host.is_empty() || host == "::" {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    let mut found: Vec<_> = (host, port).to_socket_addrs()?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    Ok(found)
}

fn bind_address(address: SocketAddr, buffer: usize) -> io::Result<Socket> {
    let address = address.into();
    let socket = udp(&address, buffer)?;
    socket.bind(&address)?;
    Ok(socket)
}

fn udp(address: &SockAddr, buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::DGRAM, None)?;
    if address.as_socket_ipv6().is_some_and(|v6| v6.ip().is_unspecified()) {
        socket.set_only_v6(false)?;
    }
    setsockopt(&socket, sockopt::RxqOvfl, &1)?;
    let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true); // only quicker: Linux before 5.0 has none
    prepare(&socket, buffer)?;
    Ok(socket)
}

/// The privileged way first: it may pass the system's bound (`net.core.rmem_max`).
fn prepare(socket: &Socket, buffer: usize) -> io::Result<()> {
    let bytes = buffer.min(i32::MAX as usize / 2);
    if bytes > 0 && setsockopt(socket, sockopt::RcvBufForce, &bytes).is_err() {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.set_read_timeout(Some(PATIENCE))
}

fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    let is_socket = path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket());
    if is_socket {
        let probe = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        if probe.connect(address).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
