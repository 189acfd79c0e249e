//! Known names near to a misspelt one.

/// Up to three of `names` that `word` may have meant, the likeliest first: at most a third of the letters
/// differ, or one begins with the other.
pub(super) fn near(word: &str, names: Vec<String>) -> Vec<String> {
    let word = word.to_lowercase();
    let mut found: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = distance(&word, &lower);
            let begins = word.len() >= 3 && (lower.starts_with(&word) || word.starts_with(&lower));
            (begins || distance <= (word.len().max(lower.len()) / 3).max(1)).then_some((distance, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many letters must be inserted, removed or replaced to turn `a` into `b` (names are ASCII).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
