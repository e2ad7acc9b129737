//! Which target a line falls to: the way of statsd's cluster proxy.
//!
//! A line's key is its text before the first `:`, as UTF-8 with U+FFFD for what is none. The first four bytes of its MD5,
//! little endian, are a point on the ring; the line belongs to the target of the next point at or after it, around.
//!
//! Source: hashring 3.2.0 (npm), `find` and `hashValue`; statsd 0.9.0, `proxy.js`.

use md5::{Digest, Md5};

/// Points and their targets, in order.
#[derive(Clone, Debug, Default)]
pub struct Ring(Vec<(u32, usize)>);

impl Ring {
    /// Makes a ring of points; of equal points the first counts.
    #[must_use]
    pub fn new(mut points: Vec<(u32, usize)>) -> Self {
        points.sort_by_key(|&(point, _)| point);
        Self(points)
    }

    /// Returns the target of a line; none when the ring has no points.
    #[must_use]
    pub fn target(&self, line: &[u8]) -> Option<usize> {
        let key = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let at = self.0.partition_point(|&(point, _)| point < hash(key));
        self.0.get(at).or_else(|| self.0.first()).map(|&(_, target)| target)
    }
}

fn hash(key: &[u8]) -> u32 {
    let digest = Md5::digest(String::from_utf8_lossy(key).as_bytes());
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use super::{Ring, hash};

    #[test]
    fn a_line_falls_to_the_next_point_around() {
        let point = hash(b"a");
        for (points, expected) in [
            (vec![], None),
            (vec![(point, 1), (point, 2)], Some(1)),
            (vec![(point.wrapping_add(1), 1), (point.wrapping_sub(1), 2)], Some(1)),
            (vec![(point - 2, 1), (point - 1, 2)], Some(1)),
        ] {
            assert_eq!(Ring::new(points).target(b"a:1:2|c"), expected);
        }
    }

    #[test]
    fn the_hash_is_the_digest_s_first_word_and_bytes_that_are_no_text_are_replaced() {
        assert_eq!(hash(b""), 0xd98c_1dd4);
        assert_eq!(hash(b"\xff"), hash("\u{fffd}".as_bytes()));
    }
}
