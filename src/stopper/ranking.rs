//! Losses by rank: what every comparison with other trials needs.

use crate::domain::Direction;
use std::cmp::Ordering;

/// A loss, and the number of whoever it is of.
pub(super) type Entry = (f64, u64);

/// Entries of a chunk beyond which it is divided.
const MOST_IN_CHUNK: usize = 512;

/// What is to be made small: where more is better, the value with its sign changed; infinite without a finite value.
pub(super) fn loss(direction: Direction, value: Option<f64>) -> f64 {
    direction.loss(value)
}

/// The inverse of [`loss`].
pub(super) fn value(direction: Direction, loss: f64) -> Option<f64> {
    Some(loss).filter(|loss| loss.is_finite()).map(|loss| direction.signed(loss))
}

/// Losses in order: the least first, equal ones by number. A hundred thousand may come one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranking {
    /// None of them empty.
    chunks: Vec<Vec<Entry>>,
    len: usize,
}

impl Ranking {
    /// Those entries, all at once.
    pub fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(order);
        let chunks = entries.chunks(MOST_IN_CHUNK / 2).map(<[Entry]>::to_vec).collect();
        Self { chunks, len: entries.len() }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, entry: Entry) {
        self.len += 1;
        let chunk = self.chunk_of(&entry).min(self.chunks.len().saturating_sub(1));
        let Some(entries) = self.chunks.get_mut(chunk) else {
            self.chunks.push(vec![entry]);
            return;
        };
        entries.insert(before(entries, &entry), entry);
        if entries.len() > MOST_IN_CHUNK {
            let upper = entries.split_off(MOST_IN_CHUNK / 2);
            self.chunks.insert(chunk + 1, upper);
        }
    }

    /// Takes an entry out, if it is there.
    pub fn remove(&mut self, entry: Entry) {
        let chunk = self.chunk_of(&entry);
        let Some(entries) = self.chunks.get_mut(chunk) else { return };
        let at = before(entries, &entry);
        if entries.get(at).is_some_and(|found| order(found, &entry) == Ordering::Equal) {
            entries.remove(at);
            self.len -= 1;
            if entries.is_empty() {
                self.chunks.remove(chunk);
            }
        }
    }

    /// How many come before an entry, which need not be there.
    pub fn rank(&self, entry: Entry) -> usize {
        let chunk = self.chunk_of(&entry);
        let earlier: usize = self.chunks.iter().take(chunk).map(Vec::len).sum();
        earlier + self.chunks.get(chunk).map_or(0, |entries| before(entries, &entry))
    }

    /// The entry that so many come before.
    pub fn get(&self, mut rank: usize) -> Option<Entry> {
        for entries in &self.chunks {
            match entries.get(rank) {
                Some(entry) => return Some(*entry),
                None => rank -= entries.len(),
            }
        }
        None
    }

    pub fn iter(&self) -> impl Iterator<Item = Entry> {
        self.chunks.iter().flatten().copied()
    }

    /// The first chunk that does not end before an entry.
    fn chunk_of(&self, entry: &Entry) -> usize {
        let ends_before =
            |entries: &Vec<Entry>| entries.last().is_some_and(|last| order(last, entry) == Ordering::Less);
        self.chunks.partition_point(ends_before)
    }
}

fn before(entries: &[Entry], entry: &Entry) -> usize {
    entries.partition_point(|other| order(other, entry) == Ordering::Less)
}

fn order(a: &Entry, b: &Entry) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_list(
            numbers in prop::collection::vec((0u8..40, any::<bool>()), 0..3000),
            sought in 0u8..40,
        ) {
            let mut ranking = Ranking::default();
            let mut plain: Vec<Entry> = Vec::new();
            for (number, insert) in numbers {
                let entry = (f64::from(number % 7), u64::from(number));
                let known = plain.iter().position(|other| *other == entry);
                match (insert, known) {
                    (true, None) => {
                        ranking.insert(entry);
                        plain.push(entry);
                    }
                    (true, Some(_)) => {}
                    (false, known) => {
                        ranking.remove(entry);
                        known.map(|at| plain.remove(at));
                    }
                }
            }
            plain.sort_by(order);
            prop_assert_eq!(ranking.iter().collect::<Vec<_>>(), plain.clone());
            prop_assert_eq!(ranking.len(), plain.len());
            let sought = (f64::from(sought % 7), u64::from(sought));
            prop_assert_eq!(ranking.rank(sought), before(&plain, &sought));
            for at in 0..=plain.len() {
                prop_assert_eq!(ranking.get(at), plain.get(at).copied());
            }
            prop_assert_eq!(Ranking::of(plain.clone()).iter().collect::<Vec<_>>(), plain);
        }
    }

    #[test]
    fn many_are_divided_into_chunks() {
        let mut ranking = Ranking::default();
        for n in 0..5000u64 {
            ranking.insert(((n * 7919 % 5000) as f64, n));
        }
        assert!(ranking.chunks.len() > 5);
        for at in [0, 1, 255, 256, 2500, 4999] {
            assert_eq!(ranking.get(at).unwrap().0, at as f64);
            assert_eq!(ranking.rank(ranking.get(at).unwrap()), at);
        }
    }
}
