//! Known names near to a misspelt one.

/// Up to three of `names` that `word` may have meant, the likeliest first.
///
/// A name is near when at most a third of the longer one's letters differ (Levenshtein distance), or when
/// one begins with the other (`momentum` for `moment`).
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let distance = distance(&word, name);
            let allowed = word.chars().count().max(name.chars().count()) / 3;
            let begins = word.len() >= 3 && (name.starts_with(&word) || word.starts_with(name));
            (distance <= allowed.max(1) || begins).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many letters must be inserted, removed or replaced to turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["kernel_size", "batch_size", "dropout", "momentum"];
        assert_eq!(nearest("kernal_size", names), ["kernel_size"]);
        assert_eq!(nearest("Dropout", names), ["dropout"]);
        assert_eq!(nearest("moment", names), ["momentum"]);
        assert!(nearest("zebra", names).is_empty());
    }

    #[test]
    fn distance_counts_single_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
