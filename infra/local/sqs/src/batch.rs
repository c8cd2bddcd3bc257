//! The rules that all batches share.

use std::collections::BTreeSet;

use crate::{Error, error::shown, limits};

/// One entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// Distinct within the batch: 1 to 80 characters of `A-Z a-z 0-9 _ -`.
    pub id: String,
    /// What this entry asks for.
    pub request: T,
}

/// What became of one entry. A batch as a whole succeeds when its entries can be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryResult<T> {
    /// The id of the entry.
    pub id: String,
    /// What its own operation would have answered.
    pub result: Result<T, Error>,
}

/// Refuses a batch whose entries are none, too many, or cannot be told apart.
pub(crate) fn check<T>(entries: &[Entry<T>]) -> Result<(), Error> {
    if entries.is_empty() {
        return Err(Error::EmptyBatchRequest);
    }
    if entries.len() > limits::BATCH_ENTRIES {
        return Err(Error::TooManyEntriesInBatchRequest { sent: entries.len() });
    }
    let mut seen = BTreeSet::new();
    for Entry { id, .. } in entries {
        let sound = (1..=80).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !sound {
            return Err(Error::InvalidBatchEntryId { id: shown(id) });
        }
        if !seen.insert(id.as_str()) {
            return Err(Error::BatchEntryIdsNotDistinct { id: id.clone() });
        }
    }
    Ok(())
}

/// Carries out the entries one by one, in their order.
pub(crate) fn each<T, R>(
    entries: Vec<Entry<T>>,
    mut operation: impl FnMut(T) -> Result<R, Error>,
) -> Vec<EntryResult<R>> {
    entries.into_iter().map(|Entry { id, request }| EntryResult { id, result: operation(request) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(ids: &[&str]) -> Vec<Entry<()>> {
        ids.iter().map(|id| Entry { id: (*id).to_owned(), request: () }).collect()
    }

    #[test]
    fn entries_must_be_one_to_ten_with_distinct_plain_ids() {
        let eleven: Vec<String> = (0..11).map(|number| number.to_string()).collect();
        let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
        let long = "x".repeat(81);
        for (ids, shape) in [
            (&[][..], "EmptyBatchRequest"),
            (&eleven, "TooManyEntriesInBatchRequest"),
            (&["a", "a"], "BatchEntryIdsNotDistinct"),
            (&["a.b"], "InvalidBatchEntryId"),
            (&[""], "InvalidBatchEntryId"),
            (&[long.as_str()], "InvalidBatchEntryId"),
        ] {
            assert_eq!(check(&batch(ids)).unwrap_err().shape(), shape);
        }
        assert_eq!(check(&batch(&["a", "A", "a-_9", &"x".repeat(80)])), Ok(()));
    }
}
