use crate::doctor::finding::Remedy;

/// What a call told, or why it told nothing.
pub(crate) type Reading<T> = Result<T, Unread>;

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    /// Whoever runs the command may not ask.
    #[error("not looked at: no right to {right} on {on}")]
    NoRight { right: &'static str, on: String },
    #[error("there is no {what} {name}")]
    NotThere { what: &'static str, name: String },
    /// Refused for another reason, or not answered.
    #[error("not looked at: {right} on {on}: {cause}")]
    NoAnswer { right: &'static str, on: String, cause: String },
    /// Nothing says which one it would be.
    #[error("not looked at: {0}")]
    NotNamed(NotNamed),
}

/// What would have to be known first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotNamed {
    #[error("no user pool is named")]
    Pool,
    #[error("the pool has no CustomSMSSender, and neither --stack nor --function names the producer")]
    Producer,
    #[error("the pool has no KMSKeyID, and no stack names the key")]
    Key,
    #[error("the producer's QUEUE_URL is missing or no URL of a queue")]
    Queue,
    #[error("no event source mapping has the queue, so nothing names the worker's function")]
    Worker,
    #[error("neither the worker nor the queue's redrive policy names a dead-letter queue")]
    DeadLetters,
    #[error("the producer has no OnFailure destination that is a queue of this account")]
    FailedInvocations,
    #[error("the worker's STATE_TABLE or PROVIDER_SECRET_ARN is not well-formed")]
    WorkersOwn,
    #[error("--offline asks nothing of AWS")]
    Offline,
    #[error("no file with the secret's members was given")]
    SecretFile,
    #[error("the secret is no JSON object of texts")]
    SoundSecret,
    #[error("no configuration file was given")]
    Configuration,
    #[error("the configuration file has faults")]
    SoundConfiguration,
}

/// What a reading told.
///
/// # Errors
/// When it told nothing.
pub(crate) fn known<T>(reading: &Reading<T>) -> Reading<&T> {
    reading.as_ref().map_err(Clone::clone)
}

impl Unread {
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::NoRight { right, on } => Remedy::by_hand(format!(
                "run it as somebody with {right} on {on}; README, \"Doctor\", has the whole statement"
            )),
            Self::NotThere { .. } => Remedy::by_hand("correct what names it, or make it anew"),
            Self::NoAnswer { .. } => Remedy::by_hand("run it again when AWS answers"),
            Self::NotNamed(not_named) => Remedy::by_hand(not_named.remedy()),
        }
    }

    pub(crate) fn is_not_there(&self) -> bool {
        matches!(self, Self::NotThere { .. })
    }
}

impl NotNamed {
    fn remedy(self) -> &'static str {
        match self {
            Self::Pool => "give --user-pool-id",
            Self::Producer => "give --stack, or --function with the producer's ARN",
            Self::Key => "set the trigger first, with its key",
            Self::Queue => "see producer-environment",
            Self::Worker => "see mapping; where the worker is a service, its own start checks the rest",
            Self::DeadLetters => "see worker-environment and queue-redrive",
            Self::FailedInvocations => "see async-destination",
            Self::WorkersOwn => "see worker-environment",
            Self::Offline => "leave --offline out",
            Self::SecretFile => "give --secret-file with what is put into the secret, or leave --offline out",
            Self::SoundSecret => "see secret",
            Self::Configuration => "give --config with the file that is deployed",
            Self::SoundConfiguration => "see configuration",
        }
    }
}
