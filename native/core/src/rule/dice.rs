//! Numbers that look random and are the same every time: splitmix64.
//!
//! Source: <https://prng.di.unimi.it/splitmix64.c>

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Draws whether to keep a value.
#[derive(Debug, Default)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// Whether to keep one value of those of which a `fraction` is kept.
    pub(crate) fn keeps(&mut self, fraction: f64) -> bool {
        self.draw() < fraction
    }

    /// A number from 0 to below 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(STEP);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_fraction_is_kept() {
        let mut dice = Dice::default();
        let kept = (0..100_000).filter(|_| dice.keeps(0.1)).count();
        assert!((9_700..10_300).contains(&kept), "{kept}");
        assert!(dice.keeps(1.0) && !dice.keeps(0.0));
    }
}
