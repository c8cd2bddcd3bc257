//! Commands that a remedy offers: whole, quoted for a shell, and for the same AWS that was looked at.

/// What is added to each command, so that it reaches the AWS that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    options: Vec<String>,
}

impl CommandLine {
    /// With options that the AWS CLI and `sealpost` both know, such as `--region`.
    pub(crate) fn with(options: Vec<String>) -> Self {
        Self { options }
    }

    /// A command of the AWS CLI.
    pub(crate) fn aws(&self, words: &[&str]) -> String {
        self.of("aws", words)
    }

    pub(crate) fn sealpost(&self, words: &[&str]) -> String {
        self.of("sealpost", words)
    }

    fn of(&self, program: &str, words: &[&str]) -> String {
        let options = self.options.iter().map(String::as_str);
        let words = [program].into_iter().chain(words.iter().copied()).chain(options);
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// Sets environment variables of a function and keeps the others, whose values are not shown: the AWS CLI replaces the
    /// whole environment otherwise.
    pub(crate) fn set_variables(&self, function: &str, variables: &[(&str, &str)]) -> String {
        const FILE: &str = "variables.json";
        let members = variables.iter().map(|(name, value)| format!("{name}: '{}'", raw(value)));
        let merged = format!("merge(Environment.Variables || `{{}}`, {{{}}})", members.collect::<Vec<_>>().join(", "));
        let query = format!("{{Variables: {merged}}}");
        let of_function = ["--function-name", function];
        let read =
            [&["lambda", "get-function-configuration"], &of_function[..], &["--output", "json", "--query", &query]];
        let from = format!("file://{FILE}");
        let with = ["--environment", &from, "--query", "LastUpdateStatus"];
        let write = [&["lambda", "update-function-configuration"], &of_function[..], &with];
        let (read, write) = (self.aws(&read.concat()), self.aws(&write.concat()));
        format!("(umask 077 && {read} > {FILE}) && {write} && rm {FILE}")
    }
}

/// A JMESPath raw string's content.
fn raw(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

/// A word as a POSIX shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_each_word_back_as_it_was() {
        for word in ["", "a b", "it's", "$HOME `id` \\ \"x\"", "{\"a\":\"b\"}", "naïve", "*", "~", "eu-west-1_A", "#x"]
        {
            let command = format!("printf %s {}", quoted(word));
            let said = Command::new("sh").args(["-c", &command]).output().expect("a shell").stdout;
            assert_eq!(String::from_utf8(said).expect("UTF-8"), word);
        }
    }

    #[test]
    fn a_command_reaches_the_aws_that_was_looked_at() {
        let line = CommandLine::with(vec!["--region".to_owned(), "eu-west-1".to_owned()]);
        assert_eq!(
            line.aws(&["kms", "enable-key", "--key-id", "K"]),
            "aws kms enable-key --key-id K --region eu-west-1"
        );
        assert_eq!(CommandLine::default().sealpost(&["attach", "--yes"]), "sealpost attach --yes");
    }
}
