use serde::Serialize;

/// Where the metrics of one deployment are in CloudWatch, `Sealpost` unless it has a name of its own: the series of two
/// deployments under one name would be one series, and an alarm on it would be calmed by whichever of them is well.
///
/// CloudWatch takes 1 to 255 letters, digits and `.` `-` `_` `/` `#` `:`
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>), no colon at the
/// beginning (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html>), and keeps `AWS/` for
/// itself (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>). What it does not
/// take it drops without a word to the program, so it is refused here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MetricsNamespace(String);

/// A text under which CloudWatch would keep no metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a namespace that CloudWatch takes; give 1 to 255 letters, digits and . - _ / # : that begin neither with \
     a colon nor with AWS/, such as Sealpost/staging"
)]
pub struct MetricsNamespaceError;

impl MetricsNamespace {
    /// Reads a namespace.
    ///
    /// # Errors
    /// When CloudWatch would not take it.
    pub fn parse(text: &str) -> Result<Self, MetricsNamespaceError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
        let has_shape = (1..=255).contains(&text.len()) && text.bytes().all(is_allowed);
        let is_reserved = text.starts_with(':') || text.starts_with("AWS/");
        if has_shape && !is_reserved { Ok(Self(text.to_owned())) } else { Err(MetricsNamespaceError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for MetricsNamespace {
    fn default() -> Self {
        Self("Sealpost".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cloudwatch_takes_is_read_as_it_stands() {
        let longest = "n".repeat(255);
        for text in ["Sealpost", "Sealpost/staging", "a", "0", "team#2:sealpost_eu-west-1.b", "AWS", "/AWS/", &longest]
        {
            assert_eq!(MetricsNamespace::parse(text).as_ref().map(MetricsNamespace::as_str), Ok(text));
        }
        let default = MetricsNamespace::default();
        assert_eq!(MetricsNamespace::parse(default.as_str()), Ok(default));
    }

    #[test]
    fn what_cloudwatch_drops_is_refused() {
        let too_long = "n".repeat(256);
        for text in
            ["", " ", "Sealpost ", "Seal post", ":Sealpost", "AWS/Lambda", "AWS/", "Seälpost", "a\nb", &too_long]
        {
            assert_eq!(MetricsNamespace::parse(text), Err(MetricsNamespaceError), "{text}");
        }
    }
}
