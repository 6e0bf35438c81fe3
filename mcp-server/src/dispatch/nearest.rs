//! The names that look like a mistyped one.

/// Names longer than this are not compared: nobody mistypes a name of that length.
const MAX_NAME: usize = 64;

/// The `count` best of `names` for `wanted`: shared words first, then few edits.
pub(super) fn nearest(wanted: &str, names: &[&str], count: usize) -> Vec<String> {
    let wanted = wanted.to_ascii_lowercase().replace(['-', '.', ' '], "_");
    if wanted.len() > MAX_NAME {
        return Vec::new();
    }
    let words: Vec<&str> = wanted.split('_').filter(|word| !word.is_empty()).collect();
    let mut ranked: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let shared = name.split('_').filter(|word| words.contains(word)).count();
            let edits = edits(&wanted, name);
            (shared > 0 || edits <= wanted.len().max(name.len()) / 2)
                .then_some((edits + 4 * words.len() - 4 * shared.min(words.len()), *name))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(count).map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein distance in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(b.bytes()) {
            let changed = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = changed.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_find_their_neighbours() {
        let names = ["process_get", "process_search", "process_start", "task_claim", "task_list"];
        let check = |wanted: &str, expected: &[&str]| {
            assert_eq!(nearest(wanted, &names, 2), expected, "{wanted}");
        };
        check("proces_start", &["process_start", "process_get"]);
        check("start-process", &["process_start", "process_get"]);
        check("tasks_list", &["task_list", "task_claim"]);
        check("xyzzy", &[]);
        check(&"x".repeat(65), &[]);
    }

    #[test]
    fn distance_counts_single_edits() {
        let check = |a: &str, b: &str, expected| assert_eq!(edits(a, b), expected, "{a} {b}");
        check("", "", 0);
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("flaw", "lawn", 2);
    }
}
