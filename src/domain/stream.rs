//! Counter-based random streams: the same key gives the same numbers, in any process, at any time.
//!
//! A stream is ChaCha8 keyed by the BLAKE3 hash of its key, so nothing about it has to be stored.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Part of a stream's key.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// A name, such as a parameter's.
    Name(&'a str),
    /// A number, such as a trial's.
    Number(u64),
}

/// The stream for one purpose (`"suggest"`, `"shuffle"`, ...) under a seed and further keys.
#[must_use]
pub fn stream(seed: u64, purpose: &str, keys: &[Key<'_>]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(*digest(seed, purpose, keys).as_bytes())
}

/// A 64-bit number under the same kind of key, for generators that are seeded by a number.
#[must_use]
pub fn seed_for(seed: u64, purpose: &str, keys: &[Key<'_>]) -> u64 {
    let bytes = digest(seed, purpose, keys);
    let mut first = [0; 8];
    first.copy_from_slice(&bytes.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

fn digest(seed: u64, purpose: &str, keys: &[Key<'_>]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    for key in std::iter::once(&Key::Name(purpose)).chain(keys) {
        // A tag and a length first, so that no two different keys hash the same bytes.
        match key {
            Key::Name(text) => {
                hasher.update(&[1]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes())
            }
            Key::Number(n) => hasher.update(&[2]).update(&n.to_le_bytes()),
        };
    }
    hasher.finalize()
}

/// A number in `[0, 1)` with 53 random bits.
#[must_use]
pub fn uniform(rng: &mut impl rand_chacha::rand_core::Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_separate_streams() {
        let draw = |seed, purpose, keys: &[Key<'_>]| uniform(&mut stream(seed, purpose, keys));
        let base = draw(7, "suggest", &[Key::Number(1), Key::Name("a")]);
        assert_eq!(base, draw(7, "suggest", &[Key::Number(1), Key::Name("a")]));
        assert_ne!(base, draw(8, "suggest", &[Key::Number(1), Key::Name("a")]));
        assert_ne!(base, draw(7, "suggest", &[Key::Number(2), Key::Name("a")]));
        assert_ne!(base, draw(7, "suggest", &[Key::Number(1), Key::Name("b")]));
        assert!((0.0..1.0).contains(&base));
    }
}
