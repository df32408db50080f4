//! "Did you mean": the nearest known name.

/// The name nearest to `written`, if at most a third of its letters differ.
pub(crate) fn nearest(written: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if written.len() > 40 {
        return None;
    }
    let most = (written.chars().count() / 3).max(1);
    names
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours between two short names (optimal
/// string alignment).
fn distance(left: &str, right: &str) -> usize {
    let mut two_ago: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.chars().count()).collect();
    let mut left_before = None;
    for (row, a) in left.chars().enumerate() {
        let mut line = vec![row + 1];
        let mut beside = row + 1;
        let mut right_before = None;
        for (column, b) in right.chars().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX - 1);
            let replaced = cell(&above, column) + usize::from(a != b);
            let mut cost = replaced.min(cell(&above, column + 1) + 1).min(beside + 1);
            if left_before == Some(b) && right_before == Some(a) {
                cost = cost.min(cell(&two_ago, column - 1) + 1);
            }
            line.push(cost);
            beside = cost;
            right_before = Some(b);
        }
        two_ago = std::mem::replace(&mut above, line);
        left_before = Some(a);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let names = || ["for", "if", "capture"].into_iter();
        assert_eq!(nearest("captrue", names()), Some("capture"));
        assert_eq!(nearest("fro", names()), Some("for"));
        assert_eq!(nearest("something", names()), None);
    }
}
