//! Timers beyond the bound on exact samples: counts of samples by buckets, 64 to each power of two.
//!
//! Rules:
//!
//! * A bucket is the exponent and the first six bits of the mantissa, so that its middle is within 0.8 % of every value in
//!   it. The sign of a bucket is the value's; bucket 0 holds zero, and what lies within 3.5e-310 of it.
//! * 64 neighbouring buckets are a page, which is made when it is first needed; whoever adds says whether there is room.
//! * Count, sum, sum of squares, lowest and highest are exact, whatever the buckets hold.

/// Bits of a float below those that choose the bucket.
const SHIFT: u32 = 46;
const PAGE_BITS: u32 = 6;
/// Buckets of a page.
pub(crate) const PAGE: usize = 1 << PAGE_BITS;
/// The first word of an encoded sketch.
const VERSION: u8 = 1;

/// The bucket of a value.
pub(crate) fn bucket(value: f64) -> i32 {
    let size = i32::try_from(value.abs().to_bits() >> SHIFT).unwrap_or(i32::MAX);
    if value < 0.0 { -size } else { size }
}

/// The middle of a bucket.
pub(crate) fn middle(bucket: i32) -> f64 {
    let size = u64::from(bucket.unsigned_abs()) << SHIFT;
    let size = if size == 0 || size == f64::INFINITY.to_bits() { size } else { size | 1 << (SHIFT - 1) };
    let value = f64::from_bits(size);
    if bucket < 0 { -value } else { value }
}

/// What holds for all samples of a sketch, whether they are in a bucket or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Whole {
    pub(crate) count: u64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) sum: f64,
    pub(crate) squares: f64,
}

impl Whole {
    const EMPTY: Self = Self { count: 0, low: f64::INFINITY, high: f64::NEG_INFINITY, sum: 0.0, squares: 0.0 };

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
        self.low = if other.low < self.low { other.low } else { self.low };
        self.high = if other.high > self.high { other.high } else { self.high };
    }
}

/// One timer's sketch. Its pages stand in ascending order of their numbers.
#[derive(Debug)]
pub(crate) struct Sketch {
    pub(crate) id: u32,
    /// Samples of the same series that were kept exactly before.
    pub(crate) exact: u32,
    pub(crate) whole: Whole,
    pages: Vec<(i32, usize)>,
}

/// The sketches of a window, and the pages of all of them.
#[derive(Debug, Default)]
pub(crate) struct Sketches {
    list: Vec<Sketch>,
    pages: Vec<Box<[u32]>>,
}

impl Sketches {
    /// Make a sketch of a series that has `exact` samples already. Gives its number.
    pub(crate) fn make(&mut self, id: u32, exact: u32) -> usize {
        self.list.push(Sketch { id, exact, whole: Whole::EMPTY, pages: Vec::new() });
        self.list.len() - 1
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Sketch> {
        self.list.get(number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Sketch> {
        self.list.iter()
    }

    /// Count a sample. `room` is asked for each new page. Says whether the sample is in a bucket.
    pub(crate) fn add(&mut self, number: usize, value: f64, room: impl FnOnce() -> bool) -> bool {
        let whole = &mut self.list[number].whole;
        whole.add(Whole { count: 1, low: value, high: value, sum: value, squares: value * value });
        self.put(number, bucket(value), 1, room)
    }

    fn put(&mut self, number: usize, bucket: i32, count: u32, room: impl FnOnce() -> bool) -> bool {
        let pages = &mut self.list[number].pages;
        let wanted = bucket >> PAGE_BITS;
        let place = match pages.binary_search_by_key(&wanted, |page| page.0) {
            Ok(place) => place,
            Err(_) if !room() => return false,
            Err(place) => {
                pages.insert(place, (wanted, self.pages.len()));
                self.pages.push(vec![0; PAGE].into_boxed_slice());
                place
            }
        };
        let there = &mut self.pages[pages[place].1][within(bucket)];
        *there = there.saturating_add(count);
        true
    }

    /// Put exact samples, and what other sketches hold, into the first sketch, which is made if there is none.
    pub(crate) fn gather(&mut self, samples: &[f64], parts: &[(&Self, &Sketch)]) {
        let number = 0;
        if self.list.is_empty() {
            self.make(0, 0);
        }
        for sample in samples {
            self.add(number, *sample, || true);
        }
        for (sketches, sketch) in parts {
            self.absorb(number, sketches, sketch);
        }
    }

    /// Add what another sketch holds.
    fn absorb(&mut self, number: usize, others: &Self, other: &Sketch) {
        self.list[number].whole.add(other.whole);
        for (bucket, count) in others.buckets(other) {
            self.put(number, bucket, count, || true);
        }
    }

    /// The buckets in use and their counts, lowest first.
    pub(crate) fn buckets<'a>(&'a self, sketch: &'a Sketch) -> impl Iterator<Item = (i32, u32)> + 'a {
        sketch.pages.iter().flat_map(|(number, at)| {
            let first = number << PAGE_BITS;
            (first..).zip(self.pages[*at].iter().copied()).filter(|(_, count)| *count > 0)
        })
    }

    /// A sketch as bytes, little endian: version u8, count u64, lowest, highest, sum and sum of squares as f64; then for each
    /// bucket in use how far it is above the one before (zigzag), and its count, as LEB128.
    pub(crate) fn encode(&self, sketch: &Sketch) -> Vec<u8> {
        let Whole { count, low, high, sum, squares } = sketch.whole;
        let mut out = vec![VERSION];
        out.extend_from_slice(&count.to_le_bytes());
        for number in [low, high, sum, squares] {
            // Which NaN it is does not matter, but both kernels write the same.
            let number = if number.is_nan() { f64::from_bits(0x7ff8 << 48) } else { number };
            out.extend_from_slice(&number.to_le_bytes());
        }
        let mut before = 0;
        for (bucket, count) in self.buckets(sketch) {
            let step = i64::from(bucket) - before;
            before = i64::from(bucket);
            varint(&mut out, (step << 1 ^ step >> 63).unsigned_abs());
            varint(&mut out, u64::from(count));
        }
        out
    }

    /// Forget all sketches.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.pages.clear();
    }

    /// How many pages there are.
    pub(crate) fn pages(&self) -> usize {
        self.pages.len()
    }
}

/// The place of a bucket in its page.
fn within(bucket: i32) -> usize {
    usize::try_from(bucket.rem_euclid(1 << PAGE_BITS)).unwrap_or(0)
}

#[allow(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_edges_have_buckets_of_their_own() {
        assert_eq!([bucket(0.0), bucket(-0.0), bucket(5e-324), bucket(-5e-324)], [0; 4]);
        for value in [f64::INFINITY, f64::NEG_INFINITY, 0.0] {
            assert_eq!(middle(bucket(value)).to_bits(), value.to_bits());
        }
        assert!(middle(bucket(f64::MAX)).is_finite() && bucket(f64::MAX) + 1 == bucket(f64::INFINITY));
    }

    proptest! {
        #[test]
        fn a_middle_is_within_a_128th(value in proptest::num::f64::NORMAL) {
            let middle = middle(bucket(value));
            prop_assert!((middle - value).abs() <= value.abs() / 128.0, "{value} in the bucket of {middle}");
        }

        #[test]
        fn buckets_keep_the_order(one in -1e300_f64..1e300, other in -1e300_f64..1e300) {
            prop_assert_eq!(bucket(one).cmp(&bucket(other)).reverse(), bucket(other).cmp(&bucket(one)));
            prop_assert!(one > other || bucket(one) <= bucket(other));
        }

        /// What two sketches hold is what one would have held.
        #[test]
        fn sketches_merge(values in proptest::collection::vec(-1000_i32..1000, 1..100), cut in 0_usize..100) {
            let mut sketches = Sketches::default();
            let [whole, first, second] = [(); 3].map(|()| sketches.make(0, 0));
            for (place, value) in values.iter().enumerate() {
                sketches.add(whole, f64::from(*value), || true);
                sketches.add(if place < cut { first } else { second }, f64::from(*value), || true);
            }
            let mut merged = Sketches::default();
            let target = merged.make(0, 0);
            merged.absorb(target, &sketches, &sketches.list[first]);
            merged.absorb(target, &sketches, &sketches.list[second]);
            prop_assert_eq!(merged.encode(&merged.list[target]), sketches.encode(&sketches.list[whole]));
            merged.clear();
            let empty = merged.make(0, 0);
            prop_assert_eq!(merged.buckets(&merged.list[empty]).count(), 0);
        }
    }

    #[test]
    fn without_room_all_but_the_buckets_is_exact() {
        let mut sketches = Sketches::default();
        let number = sketches.make(3, 0);
        assert!(sketches.add(number, 1.5, || true) && sketches.add(number, 1.25, || false));
        assert!(!sketches.add(number, -8.0, || false));
        let sketch = sketches.get(number).unwrap();
        let whole = Whole { count: 3, low: -8.0, high: 1.5, sum: -5.25, squares: 67.8125 };
        assert_eq!((sketch.whole, sketches.buckets(sketch).count()), (whole, 2));
    }
}
