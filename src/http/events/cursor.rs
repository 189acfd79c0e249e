//! A place in the record as clients hold it: `era-seq-event`.
//!
//! The era names the home folder and the boot of the machine. Reports reach the disk in batches: a power cut may take
//! the last of them back, and then their numbers are given again. A cursor of before means nothing after it.

use crate::store::query::Place;

/// Writes a place down.
pub(super) fn text(era: &str, place: Place) -> String {
    format!("{era}-{}-{}", place.seq, place.event)
}

/// The place that a client holds; `None` where it is of another era or none at all.
pub(super) fn place(era: &str, text: &str) -> Option<Place> {
    let (seq, event) = text.strip_prefix(era)?.strip_prefix('-')?.split_once('-')?;
    let number = |word: &str| word.parse().ok().filter(|n: &i64| *n >= 0);
    Some(Place { seq: number(seq)?, event: number(event)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_only_in_its_era() {
        let here = Place { seq: 12, event: 7 };
        assert_eq!(place("abc", &text("abc", here)), Some(here));
        assert_eq!(place("abd", &text("abc", here)), None);
        for wrong in ["", "abc", "abc-1", "abc--1-2", "abc-1-x", "abc-1-2-3", "abc-99999999999999999999-1"] {
            assert_eq!(place("abc", wrong), None, "{wrong}");
        }
    }
}
