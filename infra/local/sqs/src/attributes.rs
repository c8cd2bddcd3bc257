//! Queue attributes: text on the wire, numbers and policies in here.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use serde_json::Value;

use crate::{Error, limits};

/// Attributes that describe a queue and cannot be set.
pub(crate) const READ_ONLY: [&str; 6] = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
];

/// The settings of a queue, each with the default of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) visibility_timeout: u64,
    pub(crate) retention: u64,
    pub(crate) delay: u64,
    pub(crate) wait: u64,
    pub(crate) maximum_message_size: usize,
    pub(crate) redrive: Option<RedrivePolicy>,
    pub(crate) managed_encryption: bool,
    /// Kept and given back, without effect: policies and customer-managed encryption.
    pub(crate) kept: BTreeMap<&'static str, String>,
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    pub(crate) target_arn: String,
    pub(crate) max_receive_count: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility_timeout: 30,
            retention: 345_600,
            delay: 0,
            wait: 0,
            maximum_message_size: limits::MESSAGE_BYTES,
            redrive: None,
            managed_encryption: true,
            kept: BTreeMap::new(),
        }
    }
}

impl Settings {
    pub(crate) fn retention(&self) -> Duration {
        Duration::from_secs(self.retention)
    }

    /// Sets attributes; the caller keeps the old value when this fails halfway.
    pub(crate) fn apply(&mut self, attributes: &BTreeMap<String, String>) -> Result<(), Error> {
        attributes.iter().try_for_each(|(name, value)| self.set(name, value))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "VisibilityTimeout" => {
                self.visibility_timeout = number("VisibilityTimeout", value, limits::VISIBILITY_SECONDS)?;
            }
            "MessageRetentionPeriod" => {
                self.retention = number("MessageRetentionPeriod", value, limits::RETENTION_SECONDS)?;
            }
            "DelaySeconds" => self.delay = number("DelaySeconds", value, limits::DELAY_SECONDS)?,
            "ReceiveMessageWaitTimeSeconds" => {
                self.wait = number("ReceiveMessageWaitTimeSeconds", value, limits::WAIT_SECONDS)?;
            }
            "MaximumMessageSize" => {
                let size = number("MaximumMessageSize", value, limits::MAXIMUM_MESSAGE_SIZE)?;
                self.maximum_message_size = usize::try_from(size).unwrap_or(limits::MESSAGE_BYTES);
            }
            "RedrivePolicy" => {
                self.redrive = if value.is_empty() { None } else { Some(RedrivePolicy::parse(value)?) };
            }
            "SqsManagedSseEnabled" => self.managed_encryption = boolean("SqsManagedSseEnabled", value)?,
            "RedriveAllowPolicy" => self.keep_json("RedriveAllowPolicy", value)?,
            "Policy" => self.keep_json("Policy", value)?,
            "KmsMasterKeyId" => self.keep("KmsMasterKeyId", value),
            "KmsDataKeyReusePeriodSeconds" => {
                number("KmsDataKeyReusePeriodSeconds", value, 60..=86_400)?;
                self.keep("KmsDataKeyReusePeriodSeconds", value);
            }
            unknown => return Err(Error::InvalidAttributeName { name: crate::error::shown(unknown) }),
        }
        Ok(())
    }

    /// An empty text removes a policy, as on AWS.
    fn keep(&mut self, name: &'static str, value: &str) {
        if value.is_empty() {
            self.kept.remove(name);
        } else {
            self.kept.insert(name, value.to_owned());
        }
    }

    fn keep_json(&mut self, name: &'static str, value: &str) -> Result<(), Error> {
        if !value.is_empty() && !serde_json::from_str::<Value>(value).is_ok_and(|json| json.is_object()) {
            return Err(Error::InvalidAttributeValue { name, reason: "it is not a JSON object".to_owned() });
        }
        self.keep(name, value);
        Ok(())
    }

    /// All settings as the wire names and writes them.
    pub(crate) fn to_map(&self) -> BTreeMap<String, String> {
        let mut map: BTreeMap<String, String> = [
            ("VisibilityTimeout", self.visibility_timeout.to_string()),
            ("MessageRetentionPeriod", self.retention.to_string()),
            ("DelaySeconds", self.delay.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait.to_string()),
            ("MaximumMessageSize", self.maximum_message_size.to_string()),
            ("SqsManagedSseEnabled", self.managed_encryption.to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        map.extend(self.redrive.as_ref().map(|policy| ("RedrivePolicy".to_owned(), policy.to_json())));
        map.extend(self.kept.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        map
    }
}

impl RedrivePolicy {
    fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::invalid_parameter("RedrivePolicy", text, reason);
        let policy: Value = serde_json::from_str(text).map_err(|_| refuse("It is not JSON"))?;
        let missing = |field: &str| refuse(&format!("Redrive policy does not contain mandatory attribute: {field}"));
        let target = policy.get("deadLetterTargetArn").and_then(Value::as_str);
        // CloudFormation and older tools write the number as a string.
        let count = match policy.get("maxReceiveCount") {
            Some(Value::Number(count)) => count.as_i64(),
            Some(Value::String(count)) => count.parse().ok(),
            Some(_) | None => return Err(missing("maxReceiveCount")),
        };
        let target_arn = target.ok_or_else(|| missing("deadLetterTargetArn"))?.to_owned();
        let max_receive_count = count
            .filter(|count| limits::MAX_RECEIVE_COUNT.contains(count))
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| {
                refuse("Invalid value for maxReceiveCount, valid values are from 1 to 1000 both inclusive")
            })?;
        Ok(Self { target_arn, max_receive_count })
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::json!({ "deadLetterTargetArn": self.target_arn, "maxReceiveCount": self.max_receive_count })
            .to_string()
    }
}

/// The attributes that were asked for. Nothing is asked for by an empty list, everything by `All`.
pub(crate) fn select(
    all: BTreeMap<String, String>,
    names: &[impl AsRef<str>],
) -> Result<BTreeMap<String, String>, Error> {
    let known = |name: &str| {
        name == "All"
            || READ_ONLY.contains(&name)
            || Settings::default().set(name, "").err().is_none_or(|error| {
                // A known name with an empty value fails for its value, an unknown one for its name.
                !matches!(error, Error::InvalidAttributeName { .. })
            })
    };
    if let Some(unknown) = names.iter().map(AsRef::as_ref).find(|name| !known(name)) {
        return Err(Error::InvalidAttributeName { name: crate::error::shown(unknown) });
    }
    let wanted = |name: &str| names.iter().any(|asked| asked.as_ref() == "All" || asked.as_ref() == name);
    Ok(all.into_iter().filter(|(name, _)| wanted(name)).collect())
}

fn number(name: &'static str, value: &str, range: RangeInclusive<i64>) -> Result<u64, Error> {
    let reason = || format!("it must be a number between {} and {}", range.start(), range.end());
    value
        .parse::<i64>()
        .ok()
        .filter(|number| range.contains(number))
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| Error::InvalidAttributeValue { name, reason: reason() })
}

fn boolean(name: &'static str, value: &str) -> Result<bool, Error> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::InvalidAttributeValue { name, reason: "it must be true or false".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        settings.apply(&BTreeMap::from([(name.to_owned(), value.to_owned())]))?;
        Ok(settings)
    }

    #[test]
    fn numbers_are_taken_within_their_range_only() {
        for (name, lowest, highest) in [
            ("VisibilityTimeout", 0, 43_200),
            ("MessageRetentionPeriod", 60, 1_209_600),
            ("DelaySeconds", 0, 900),
            ("ReceiveMessageWaitTimeSeconds", 0, 20),
            ("MaximumMessageSize", 1024, 1_048_576),
        ] {
            for good in [lowest, highest] {
                assert_eq!(set(name, &good.to_string()).unwrap().to_map()[name], good.to_string());
            }
            for bad in [(lowest - 1).to_string(), (highest + 1).to_string(), String::new(), "1s".to_owned()] {
                assert_eq!(set(name, &bad).unwrap_err().code(), "InvalidAttributeValue", "{name} {bad}");
            }
        }
    }

    #[test]
    fn max_receive_count_may_be_a_number_or_a_string() {
        for count in ["3", "\"3\""] {
            let policy = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dlq","maxReceiveCount":{count}}}"#
            );
            let settings = set("RedrivePolicy", &policy).unwrap();
            assert_eq!(settings.redrive.as_ref().unwrap().max_receive_count, 3);
            assert!(settings.to_map()["RedrivePolicy"].contains(r#""maxReceiveCount":3"#));
        }
    }

    #[test]
    fn a_redrive_policy_that_says_too_little_is_refused_and_an_empty_one_removes_it() {
        for bad in [
            "x",
            "{}",
            "[]",
            "1",
            r#"{"deadLetterTargetArn":"a"}"#,
            r#"{"maxReceiveCount":1}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":1001}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":1.5}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":"x"}"#,
        ] {
            assert_eq!(set("RedrivePolicy", bad).unwrap_err().code(), "InvalidParameterValue", "{bad}");
        }
        assert_eq!(set("RedrivePolicy", "").unwrap().redrive, None);
    }

    #[test]
    fn policies_and_encryption_settings_are_kept_as_given() {
        for (name, value) in [
            ("Policy", r#"{"Version":"2012-10-17"}"#),
            ("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#),
            ("SqsManagedSseEnabled", "false"),
            ("KmsMasterKeyId", "alias/x"),
        ] {
            assert_eq!(set(name, value).unwrap().to_map()[name], value);
        }
        assert_eq!(set("Policy", "{").unwrap_err().code(), "InvalidAttributeValue");
    }

    #[test]
    fn unknown_and_read_only_attributes_cannot_be_set() {
        for name in ["QueueArn", "FifoQueue", "Colour", ""] {
            assert_eq!(set(name, "true").unwrap_err().code(), "InvalidAttributeName", "{name}");
        }
    }

    #[test]
    fn asking_for_an_unknown_attribute_is_an_error_and_asking_for_none_gives_none() {
        let all = Settings::default().to_map();
        assert_eq!(select(all.clone(), &["All"]).unwrap(), all);
        assert_eq!(select(all.clone(), &["DelaySeconds", "QueueArn", "Policy"]).unwrap().len(), 1);
        assert!(select(all.clone(), &[] as &[&str]).unwrap().is_empty());
        assert_eq!(select(all, &["Colour"]).unwrap_err().code(), "InvalidAttributeName");
    }
}
