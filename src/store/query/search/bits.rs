//! A set of trials: one bit for each id.

/// Trials by id, from 0 to a largest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// None yet, of ids up to `largest`.
    pub fn none(largest: usize) -> Self {
        Self { words: vec![0; largest / 64 + 1] }
    }

    /// An id beyond the largest is none of these trials'.
    pub fn set(&mut self, id: i64) {
        if let Some((word, bit)) = self.place(id) {
            self.words[word] |= bit;
        }
    }

    /// Takes an id out; whether it was in.
    pub fn take(&mut self, id: i64) -> bool {
        let Some((word, bit)) = self.place(id) else { return false };
        let was_in = self.words[word] & bit != 0;
        self.words[word] &= !bit;
        was_in
    }

    fn place(&self, id: i64) -> Option<(usize, u64)> {
        let id = usize::try_from(id).ok()?;
        (id / 64 < self.words.len()).then_some((id / 64, 1 << (id % 64)))
    }

    /// Those that are in both.
    pub fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Those that are in either.
    pub fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// How many words there are; each has room for 64 ids.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// All ids, smallest first.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.ids_within(0..self.words.len())
    }

    /// The ids of some words, smallest first.
    pub fn ids_within(&self, words: std::ops::Range<usize>) -> impl Iterator<Item = i64> {
        let words = words.start.min(self.words.len())..words.end.min(self.words.len());
        let first = words.start;
        self.words[words].iter().enumerate().flat_map(move |(i, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as i64)?;
                left &= left - 1;
                Some(((first + i) * 64) as i64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_comes_out_in_order() {
        let mut bits = Bits::none(200);
        for id in [130, 0, 64, 63, 200, -1, i64::MAX] {
            bits.set(id);
        }
        assert_eq!(bits.ids().collect::<Vec<_>>(), [0, 63, 64, 130, 200]);
        assert_eq!(bits.ids_within(1..2).collect::<Vec<_>>(), [64]);
        assert_eq!(bits.ids_within(3..9).collect::<Vec<_>>(), [200]);
        assert_eq!((bits.take(64), bits.take(64), bits.take(-5), bits.count()), (true, false, false, 4));
        let mut other = Bits::none(200);
        other.set(63);
        let mut either = other.clone();
        either.or(&bits);
        assert_eq!(either, bits);
        bits.and(&other);
        assert_eq!(bits, other);
    }
}
