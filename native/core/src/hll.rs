//! Sets beyond the bound on exact members: `HyperLogLog` with 2^14 registers, standard error 0.81 %.
//!
//! Rules:
//!
//! * The hash of a member has no seed, so that estimates of any kernel can be united.
//! * A register holds the longest run of zeros (plus one) seen among the hashes that chose it.
//!
//! Source: O. Ertl, "New cardinality estimation algorithms for `HyperLogLog` sketches", 2017, algorithm 6. Hash: FNV-1a of 64
//! bits, finished as in splitmix64.

const BITS: u32 = 14;
pub(crate) const REGISTERS: usize = 1 << BITS;
/// The longest run that can be seen, without the one that is added.
const LONGEST: usize = 64 - BITS as usize;
/// 1 / (2 ln 2)
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// An estimate of how many distinct members there are.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    registers: Vec<u8>,
}

impl Estimate {
    pub(crate) fn new() -> Self {
        Self { registers: vec![0; REGISTERS] }
    }

    pub(crate) fn add(&mut self, member: &[u8]) {
        let hash = hash(member);
        let place = usize::try_from(hash >> (64 - BITS)).unwrap_or(0);
        let run = (hash << BITS | 1 << (BITS - 1)).leading_zeros() + 1;
        let register = &mut self.registers[place];
        *register = (*register).max(u8::try_from(run).unwrap_or(u8::MAX));
    }

    /// Add what another estimate has seen.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for (register, other) in self.registers.iter_mut().zip(&other.registers) {
            *register = (*register).max(*other);
        }
    }

    /// How many distinct members there are, a whole number.
    #[allow(clippy::cast_precision_loss, reason = "at most 2^14")]
    pub(crate) fn count(&self) -> f64 {
        let mut counts = [0_u32; LONGEST + 2];
        self.registers.iter().for_each(|register| counts[usize::from(*register)] += 1);
        let size = REGISTERS as f64;
        let mut sum = size * tau(1.0 - f64::from(counts[LONGEST + 1]) / size);
        for count in counts[1..=LONGEST].iter().rev() {
            sum = 0.5 * (sum + f64::from(*count));
        }
        sum += size * sigma(f64::from(counts[0]) / size);
        (ALPHA * size * size / sum + 0.5).floor()
    }
}

fn hash(member: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in member {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[allow(clippy::float_cmp, reason = "runs until nothing changes any more")]
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

#[allow(clippy::float_cmp, reason = "runs until nothing changes any more")]
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(members: impl Iterator<Item = String>) -> Estimate {
        let mut estimate = Estimate::new();
        members.for_each(|member| estimate.add(member.as_bytes()));
        estimate
    }

    #[test]
    fn the_error_is_small_at_any_size() {
        let names: [fn(u32) -> String; 3] = [
            |n| n.to_string(),
            |n| format!("user-{n:08}@example.com"),
            |n| format!("{:x}", n.wrapping_mul(2_654_435_761)),
        ];
        for name in names {
            for size in [0, 1, 10, 1000, 10_000, 40_000, 100_000, 500_000] {
                let (count, size) = (of((0..size).map(name)).count(), f64::from(size));
                assert!((count - size).abs() <= size * 0.025, "{count} for {size}");
            }
        }
    }

    #[test]
    fn estimates_unite() {
        let mut first = of((0..3000).map(|n: u32| n.to_string()));
        first.absorb(&of((2000..5000).map(|n: u32| n.to_string())));
        assert_eq!(first.registers, of((0..5000).map(|n: u32| n.to_string())).registers);
    }

    #[test]
    fn full_registers_are_infinitely_many() {
        let full = u8::try_from(LONGEST + 1).unwrap();
        assert!(Estimate { registers: vec![full; REGISTERS] }.count() > 1e18);
    }
}
