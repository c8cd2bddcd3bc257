//! Whether something of the input is said.

/// What nobody says by chance. Twelve letters and digits: inside base64 it is nine bytes, and the rest stays base64.
const MARKER: &str = "hush7Q3vK9xZ";

/// The input with the marker planted into it, at a place that the input itself decides.
pub(crate) fn planted_into(input: &[u8]) -> Vec<u8> {
    let checksum = input.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let (before, after) = input.split_at(checksum % (input.len() + 1));
    [before, MARKER.as_bytes(), after].concat()
}

pub(crate) fn is_in(said: &str) -> bool {
    said.contains(MARKER)
}

/// Panics if `said` repeats the marker.
pub(crate) fn must_not_be_in(said: &str) {
    assert!(!is_in(said), "something of the input is said: {said}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "something of the input is said")]
    fn an_error_that_quotes_its_input_is_caught() {
        let planted = String::from_utf8(planted_into(b"+12065550100")).unwrap();
        let error = serde_json::from_str::<u32>(&format!("\"{planted}\"")).unwrap_err();
        must_not_be_in(&error.to_string());
    }

    #[test]
    fn the_marker_is_planted_at_every_place_by_some_input() {
        let mut places = [false; 5];
        for byte in 0..=u8::MAX {
            let planted = planted_into(&[byte, b'a', b'b', b'c']);
            let place = planted.windows(MARKER.len()).position(|window| window == MARKER.as_bytes()).unwrap();
            places[place] = true;
            assert_eq!(planted.len(), 4 + MARKER.len());
        }
        assert_eq!(places, [true; 5]);
    }
}
