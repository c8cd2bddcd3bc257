use std::collections::BTreeSet;

/// The id of a user pool, `eu-west-1_EXAMPLE01`: at most 55 characters, a region, an underscore, letters and
/// digits (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html>).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserPoolId(String);

/// A text that is not the id of a user pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a user pool id such as eu-west-1_EXAMPLE01")]
pub struct UserPoolIdError;

impl UserPoolId {
    /// Reads a pool id.
    ///
    /// # Errors
    /// When the text has another shape.
    pub fn parse(text: &str) -> Result<Self, UserPoolIdError> {
        let (region, name) = text.split_once('_').ok_or(UserPoolIdError)?;
        let region_is_sound = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let name_is_sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let sound = region_is_sound && name_is_sound && !region.is_empty() && !name.is_empty() && text.len() <= 55;
        if sound { Ok(Self(text.to_owned())) } else { Err(UserPoolIdError) }
    }

    /// Reads a comma-separated list, spaces allowed around its members.
    ///
    /// # Errors
    /// When any member has another shape.
    pub fn parse_list(text: &str) -> Result<BTreeSet<Self>, UserPoolIdError> {
        text.split(',').map(str::trim).filter(|member| !member.is_empty()).map(Self::parse).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for UserPoolId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pool_ids_of_aws_and_of_emulators_are_read() {
        for text in ["eu-west-1_EXAMPLE01", "us-gov-west-1_aB3", "local_2Llpd5HR"] {
            assert_eq!(UserPoolId::parse(text).map(|pool| pool.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "eu-west-1", "_x", "eu-west-1_", "eu west_x", "eu-west-1_a\nb", &format!("eu_{}", "a".repeat(60))]
        {
            assert_eq!(UserPoolId::parse(text), Err(UserPoolIdError), "{text}");
        }
    }

    #[test]
    fn a_list_may_have_spaces_and_a_trailing_comma() {
        let pools = UserPoolId::parse_list("eu-west-1_B, eu-west-1_A,").expect("valid");
        assert_eq!(pools.iter().map(UserPoolId::as_str).collect::<Vec<_>>(), ["eu-west-1_A", "eu-west-1_B"]);
        assert_eq!(UserPoolId::parse_list("eu-west-1_A,oops"), Err(UserPoolIdError));
    }
}
