//! What Lambda charges for the time of its functions.

/// US dollars for a second with a gigabyte, arm64, in most regions (<https://aws.amazon.com/lambda/pricing/>). On
/// x86_64 it is 0.0000166667, a quarter more. Requests cost the same whatever the size and are left out.
const GB_SECOND: f64 = 0.000_013_333_4;
const MB_IN_GB: f64 = 1024.0;
/// Every started one is charged for.
const SMALLEST_PART_MS: f64 = 1.0;

/// US dollars for a million messages in warm functions of this size, in invocations that took so many milliseconds and
/// brought so many messages each. Zero of none.
pub(crate) fn of_a_million(invocations: &[f64], messages_each: usize, memory_mb: u32) -> f64 {
    let charged: f64 = invocations.iter().map(|took| (took / SMALLEST_PART_MS).ceil() * SMALLEST_PART_MS).sum();
    let messages = invocations.len() * messages_each;
    if messages == 0 {
        return 0.0;
    }
    charged / 1000.0 / messages as f64 * 1e6 * f64::from(memory_mb) / MB_IN_GB * GB_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_is_charged_by_size_and_by_every_started_millisecond() {
        let close = |cost: f64, expected: f64| assert!((cost - expected).abs() < 1e-6, "{cost} instead of {expected}");
        close(of_a_million(&[100.0], 1, 1024), 1.333_34);
        close(of_a_million(&[99.1, 100.9], 1, 1024), 1.340_006_7);
        close(of_a_million(&[100.0], 10, 128), 0.016_666_75);
        close(of_a_million(&[], 1, 1024), 0.0);
    }
}
