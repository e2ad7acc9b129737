//! The control messages that come with what was received: how many datagrams were dropped, how long each one is.

use libc::c_int;
use std::mem::size_of;

const ALIGN: usize = size_of::<usize>();
const HEADER: usize = size_of::<libc::cmsghdr>();

/// Room for the control messages that are asked for: two, of one number each.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Control([u8; Self::BYTES]);

impl Default for Control {
    fn default() -> Self {
        Self([0; Self::BYTES])
    }
}

/// What control messages said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The socket's count of dropped datagrams (`SO_RXQ_OVFL`).
    pub dropped: Option<u32>,
    /// The system joined several datagrams of this many bytes, the last of them perhaps shorter (`UDP_GRO`).
    pub segment: Option<usize>,
}

impl Control {
    pub const BYTES: usize = 2 * (HEADER + ALIGN);

    /// Reads the messages that stand in the first `length` bytes.
    pub fn read(&self, length: usize) -> Notes {
        let mut notes = Notes::default();
        let mut rest = self.0.get(..length).unwrap_or_default();
        while let Some((level, kind, data)) = message(&mut rest) {
            let number = data.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
            match (level, kind) {
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => notes.dropped = number,
                (libc::SOL_UDP, libc::UDP_GRO) => notes.segment = number.map(|bytes| bytes as usize),
                _ => {}
            }
        }
        notes
    }
}

/// Takes the first message off `rest`: its level, its type and its data.
///
/// Source of the layout: cmsg(3).
fn message<'a>(rest: &mut &'a [u8]) -> Option<(c_int, c_int, &'a [u8])> {
    let (length, after) = rest.split_first_chunk::<ALIGN>()?;
    let (level, after) = after.split_first_chunk()?;
    let (kind, _) = after.split_first_chunk()?;
    let length = usize::from_ne_bytes(*length);
    let data = rest.get(HEADER..length)?;
    *rest = rest.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
    Some((c_int::from_ne_bytes(*level), c_int::from_ne_bytes(*kind), data))
}

#[cfg(test)]
mod tests {
    use super::{Control, HEADER, Notes};
    use libc::c_int;

    fn control(messages: &[(c_int, c_int, &[u8])]) -> (Control, usize) {
        let mut bytes = Vec::new();
        for (level, kind, data) in messages {
            bytes.extend((HEADER + data.len()).to_ne_bytes());
            bytes.extend(level.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*data);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        let mut made = Control::default();
        made.0[..bytes.len()].copy_from_slice(&bytes);
        (made, bytes.len())
    }

    #[test]
    fn messages_are_read_in_any_order() {
        let dropped = (libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &7_u32.to_ne_bytes()[..]);
        let joined = (libc::SOL_UDP, libc::UDP_GRO, &41_u32.to_ne_bytes()[..]);
        for (messages, expected) in [
            (vec![], Notes::default()),
            (vec![dropped], Notes { dropped: Some(7), segment: None }),
            (vec![joined, dropped], Notes { dropped: Some(7), segment: Some(41) }),
            (vec![dropped, joined], Notes { dropped: Some(7), segment: Some(41) }),
        ] {
            let (made, length) = control(&messages);
            assert_eq!(made.read(length), expected);
        }
    }

    #[test]
    fn foreign_and_broken_messages_are_passed_over() {
        let (made, length) = control(&[(libc::SOL_SOCKET, libc::SCM_TIMESTAMP, b"12345678"), (libc::SOL_UDP, 1, b"")]);
        assert_eq!(made.read(length), Notes::default());
        let (made, _) = control(&[(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, b"12")]);
        for length in 0..1000 {
            assert_eq!(made.read(length), Notes::default());
        }
    }
}
