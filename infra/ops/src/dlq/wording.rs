//! Numbers as a person reads them.

/// A count with a comma at each thousand.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut groups: Vec<_> = digits.as_bytes()[first..].chunks(3).map(|group| String::from_utf8_lossy(group)).collect();
    if first > 0 {
        groups.insert(0, String::from_utf8_lossy(&digits.as_bytes()[..first]));
    }
    groups.join(",")
}

/// `1 dead letter`, `2,000 dead letters`.
pub(crate) fn dead_letters(count: u64) -> String {
    format!("{} dead letter{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A duration as a person says it, in its two largest units: `2 h 5 min`.
pub(crate) fn spoken(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = seconds.max(0);
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let (size, name) = units[first];
    let rest = units.get(first + 1).map(|(smaller, name)| (seconds % size / smaller, *name));
    match rest {
        Some((count, smaller)) if count > 0 => format!("{} {name} {count} {smaller}", seconds / size),
        Some(_) | None => format!("{} {name}", seconds / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_durations_are_easy_to_read() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(count), text);
        }
        assert_eq!([1, 2].map(dead_letters), ["1 dead letter", "2 dead letters"]);
        for (seconds, text) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (125, "2 min 5 s"),
            (7_500, "2 h 5 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(spoken(seconds), text);
        }
    }
}
