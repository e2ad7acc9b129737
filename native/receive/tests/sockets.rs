//! Real sockets on the loopback interface.

use nilometer_receive::{Batch, Reader, bind_udp, bind_unix};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::HashSet;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

static STOPPED: AtomicBool = AtomicBool::new(true);

fn udp(host: &str, buffer: usize) -> (Reader, SocketAddr) {
    let reader = bind_udp(host, 0, buffer, 1).expect("a free port").remove(0);
    let address = reader.address().as_socket().expect("an internet address");
    (reader, address)
}

fn sender(to: SocketAddr) -> UdpSocket {
    let host = if to.is_ipv6() { "::1" } else { "127.0.0.1" };
    let socket = UdpSocket::bind((host, 0)).expect("a free port");
    socket.connect((host, to.port())).expect("an address");
    socket
}

/// Reads what the socket holds: bytes, truncated, source.
fn drain(reader: &Reader) -> Vec<(Vec<u8>, bool, Option<String>)> {
    let mut found = Vec::new();
    reader.run(&STOPPED, |batch: &Batch| {
        found.extend(batch.datagrams().map(|one| (one.bytes.to_vec(), one.truncated, one.source())));
    });
    found
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("nilometer-receive-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

#[test]
fn datagrams_come_whole_and_in_order_with_their_source() {
    let (reader, address) = udp("127.0.0.1", 4 << 20);
    let sender = sender(address);
    let sizes = [0, 1, 1432, 65_507].into_iter().chain((0..200).map(|size| size * 3)).collect::<Vec<usize>>();
    let mut found = Vec::new();
    for part in sizes.chunks(20) {
        for &size in part {
            sender.send(&vec![b'x'; size]).expect("sent");
        }
        found.extend(drain(&reader));
    }
    let source = sender.local_addr().expect("bound").to_string();
    let expected: Vec<_> = sizes.iter().map(|&size| (vec![b'x'; size], false, Some(source.clone()))).collect();
    assert_eq!(found, expected);
    assert_eq!(reader.drops().take(), 0);
}

#[test]
fn datagrams_that_the_system_joined_come_apart() {
    let (reader, address) = udp("127.0.0.1", 4 << 20);
    let sender = sender(address);
    setsockopt(&sender, sockopt::UdpGsoSegment, &7).expect("Linux 4.18");
    for (joined, count) in [("aa:1|c\nbb:2|c\nc:3|c", 3), ("d:4|c", 1), ("ee:5|c\n", 1), ("", 1)] {
        sender.send(joined.as_bytes()).expect("sent");
        let found = drain(&reader);
        let source = Some(sender.local_addr().expect("bound").to_string());
        assert!(found.iter().all(|(_, truncated, from)| !truncated && *from == source));
        assert_eq!(found.len(), count);
        assert_eq!(found.into_iter().flat_map(|one| one.0).collect::<Vec<_>>(), joined.as_bytes());
    }
}

#[test]
fn what_is_not_received_is_counted_as_dropped() {
    let (reader, address) = udp("127.0.0.1", 1);
    let (sender, drops) = (sender(address), reader.drops());
    let mut received = 0;
    let mut dropped = 0;
    for _ in 0..3 {
        for _ in 0..1000 {
            sender.send(b"a:1|c").expect("sent");
        }
        received += drain(&reader).len();
        dropped += drops.take();
    }
    assert!(received > 0, "a small buffer still holds something");
    assert!(dropped > 0, "a small buffer cannot hold everything");
    assert_eq!(received as u64 + dropped, 3000);
}

#[test]
fn drops_travel_with_later_datagrams() {
    let (reader, address) = udp("127.0.0.1", 1);
    let sender = sender(address);
    let mut readings = Vec::new();
    for _ in 0..2 {
        for _ in 0..1000 {
            sender.send(b"a:1|c").expect("sent");
        }
        reader.run(&STOPPED, |batch| readings.push(batch.dropped()));
    }
    assert_eq!(readings[0], None, "nothing was dropped before the first");
    let last = readings.last().copied().flatten().expect("the second round knows of the first one's drops");
    assert!((1..1000).contains(&last));
}

#[test]
fn every_address_is_both_families() {
    let (reader, address) = udp("", 0);
    assert!(address.ip().is_unspecified());
    let (v4, v6) = (UdpSocket::bind("127.0.0.1:0").expect("IPv4"), UdpSocket::bind("[::1]:0"));
    v4.send_to(b"four", ("127.0.0.1", address.port())).expect("sent");
    let mut expected = vec![(b"four".to_vec(), false, Some(v4.local_addr().expect("bound").to_string()))];
    if let (Ok(v6), true) = (v6, address.is_ipv6()) {
        v6.send_to(b"six", ("::1", address.port())).expect("sent");
        expected.push((b"six".to_vec(), false, Some(v6.local_addr().expect("bound").to_string())));
    }
    assert_eq!(drain(&reader), expected);
}

#[test]
fn names_are_resolved() {
    assert!(udp("localhost", 0).1.ip().is_loopback());
    assert!(bind_udp("no.such.name.invalid", 0, 0, 1).is_err());
}

#[test]
fn several_sockets_share_a_port_and_get_everything_between_them() {
    let readers = bind_udp("127.0.0.1", 0, 1 << 20, 3).expect("a free port");
    let ports: HashSet<_> = readers.iter().filter_map(|reader| reader.address().as_socket()).collect();
    assert_eq!((readers.len(), ports.len()), (3, 1));
    let address = ports.into_iter().next().expect("one address");
    for _ in 0..60 {
        sender(address).send(b"a:1|c").expect("sent");
    }
    let counts: Vec<_> = readers.iter().map(|reader| drain(reader).len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 60);
    assert!(counts.iter().filter(|&&count| count > 0).count() > 1, "the system spreads senders: {counts:?}");
}

#[test]
fn a_port_in_use_is_refused_however_many_sockets_are_asked_for() {
    let held = bind_udp("127.0.0.1", 0, 0, 2).expect("a free port");
    let port = held[0].address().as_socket().expect("an internet address").port();
    for (host, sockets) in [("127.0.0.1", 1), ("127.0.0.1", 2), ("localhost", 1), ("", 2)] {
        let refused = bind_udp(host, port, 0, sockets).expect_err("it is taken");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    }
}

#[test]
fn the_buffer_that_was_granted_is_told() {
    let (small, _) = udp("127.0.0.1", 8192);
    assert_eq!(small.buffer(), 16_384, "the system doubles what is asked for");
    assert!(udp("127.0.0.1", usize::MAX).0.buffer() > 16_384);
}

#[test]
fn a_waiting_reader_stops_when_told() {
    let (reader, address) = udp("127.0.0.1", 0);
    let stop = AtomicBool::new(false);
    let mut found = 0;
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            reader.run(&stop, |batch| {
                found += batch.datagrams().count();
                stop.store(found == 2, std::sync::atomic::Ordering::Release);
            });
        });
        let sender = sender(address);
        sender.send(b"a:1|c").expect("sent");
        sender.send(b"a:1|c").expect("sent");
        reading.join().expect("it ends");
    });
    assert_eq!(found, 2);
}

#[test]
fn an_endless_sender_does_not_keep_a_reader_from_ending() {
    let (reader, address) = udp("127.0.0.1", 4096);
    let sender = sender(address);
    let mut found = 0;
    sender.send(b"a:1|c").expect("sent");
    reader.run(&STOPPED, |batch| {
        found += batch.datagrams().count();
        sender.send(b"a:1|c").expect("sent");
    });
    assert_eq!(found, reader.buffer() / 256);
}

#[test]
fn unix_datagrams_may_be_longer_than_udp_ones() {
    let path = scratch("long.sock");
    let reader = bind_unix(&path, 4 << 20).expect("a free path");
    let sender = UnixDatagram::bind(scratch("sender.sock")).expect("a free path");
    sender.send_to(&vec![b'x'; 100_000], &path).expect("sent");
    UnixDatagram::unbound().expect("a socket").send_to(b"short", &path).expect("sent");
    let source = Some(scratch("sender.sock").to_string_lossy().into_owned());
    assert_eq!(drain(&reader), [(vec![b'x'; 100_000], false, source), (b"short".to_vec(), false, None)]);
    std::fs::remove_file(scratch("sender.sock")).expect("removed");
}

#[test]
fn a_unix_socket_file_is_replaced_only_when_nobody_listens() {
    let path = scratch("stale.sock");
    drop(UnixDatagram::bind(&path).expect("a free path"));
    assert!(path.exists(), "a socket file outlives its socket");
    let reader = bind_unix(&path, 0).expect("nobody listens any more");
    assert_eq!(reader.address_text(), path.to_string_lossy());
    assert_eq!(bind_unix(&path, 0).expect_err("somebody listens").kind(), io::ErrorKind::AddrInUse);
    UnixDatagram::unbound().expect("a socket").send_to(b"x", &path).expect("sent");
    assert_eq!(drain(&reader).len(), 1);
}

#[test]
fn a_reader_removes_its_own_socket_file_and_no_other() {
    let path = scratch("own.sock");
    drop(bind_unix(&path, 0).expect("a free path"));
    assert!(!path.exists());
    let reader = bind_unix(&path, 0).expect("a free path");
    std::fs::remove_file(&path).expect("removed");
    let other = UnixDatagram::bind(&path).expect("a free path");
    drop(reader);
    assert!(path.exists());
    drop(other);
    std::fs::remove_file(&path).expect("removed");
}

#[test]
fn another_kind_of_file_is_left_alone() {
    let path = scratch("notes.txt");
    std::fs::write(&path, "mine").expect("written");
    assert_eq!(bind_unix(&path, 0).expect_err("it is a file").kind(), io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(&path).expect("still there"), b"mine");
    assert!(bind_unix(&path.join("x".repeat(200)), 0).is_err());
}
