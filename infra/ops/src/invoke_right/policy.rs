//! A function's policy, read leniently: people write it too, and not only as `AddPermission` does.

use serde_json::Value;

use crate::policy_document::{each, matches};

/// The principal that Cognito invokes triggers as.
pub(crate) const COGNITO: &str = "cognito-idp.amazonaws.com";
const INVOKE: &str = "lambda:InvokeFunction";

/// Who asks to invoke.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The user pool's ARN.
    pub(crate) pool: &'a str,
    /// Its account.
    pub(crate) account: &'a str,
}

/// What a policy says to a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvokeRight {
    /// For this pool.
    There {
        /// The statement's id.
        statement: String,
        /// Whether nobody but the pool may: a statement without the pool's ARN lets every pool in.
        is_narrow: bool,
    },
    Missing,
    /// A statement denies it, whatever others allow.
    Denied {
        statement: String,
    },
    /// The policy is no policy that can be read.
    Unreadable,
}

/// Reads the policy of a function, as `GetPolicy` gives it.
pub(crate) fn judge(policy: &str, asking: Asking<'_>) -> InvokeRight {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return InvokeRight::Unreadable };
    let statements = each(&policy["Statement"]);
    if policy.get("Statement").is_none() || !statements.iter().all(|statement| statement.is_object()) {
        return InvokeRight::Unreadable;
    }
    let about_it = |effect: &'static str| {
        let concerned = statements.iter().filter(move |statement| statement["Effect"] == effect);
        concerned.filter(|statement| names_invoking(statement) && names_cognito(statement))
    };
    if let Some(denies) = about_it("Deny").find(|statement| fits(statement, asking) != Fit::No) {
        return InvokeRight::Denied { statement: id(denies) };
    }
    let mut allows: Vec<_> = about_it("Allow").map(|statement| (fits(statement, asking), statement)).collect();
    allows.retain(|(fit, _)| matches!(fit, Fit::Narrow | Fit::Wide));
    // The narrowest one is what should stay.
    let narrow = allows.iter().find(|(fit, _)| *fit == Fit::Narrow);
    match narrow.or(allows.first()) {
        Some((fit, statement)) => InvokeRight::There { statement: id(statement), is_narrow: *fit == Fit::Narrow },
        None => InvokeRight::Missing,
    }
}

fn id(statement: &Value) -> String {
    statement["Sid"].as_str().unwrap_or("without an id").to_owned()
}

fn names_invoking(statement: &Value) -> bool {
    each(&statement["Action"]).iter().filter_map(|action| action.as_str()).any(|action| matches(action, INVOKE, true))
}

fn names_cognito(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    let services = each(&principal["Service"]);
    let is_cognito = |service: &&Value| service.as_str().is_some_and(|service| service == COGNITO || service == "*");
    principal == "*" || principal["AWS"] == "*" || services.iter().any(is_cognito)
}

/// Whether a statement's conditions hold for a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// They hold, and only for this pool.
    Narrow,
    /// They hold, for others too.
    Wide,
    /// Whether they hold is not known: there is one that this version cannot judge.
    Unknown,
    No,
}

fn fits(statement: &Value, asking: Asking<'_>) -> Fit {
    let mut fit = Fit::Wide;
    let operators = statement["Condition"].as_object();
    for (operator, conditions) in operators.into_iter().flatten() {
        for (key, wanted) in conditions.as_object().into_iter().flatten() {
            let actual = if key.eq_ignore_ascii_case("aws:SourceArn") {
                asking.pool
            } else if key.eq_ignore_ascii_case("aws:SourceAccount") {
                asking.account
            } else {
                fit = fit.and(Fit::Unknown);
                continue;
            };
            let wanted: Vec<_> = each(wanted).into_iter().filter_map(Value::as_str).collect();
            fit = fit.and(holds(operator, &wanted, actual, actual == asking.pool));
        }
    }
    fit
}

impl Fit {
    /// Both must hold; that one names the pool is enough to be narrow.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Narrow, _) | (_, Self::Narrow) => Self::Narrow,
            (Self::Wide, Self::Wide) => Self::Wide,
        }
    }
}

/// One condition: whether the actual value is one of those wanted, by the operator's rules
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).
fn holds(operator: &str, wanted: &[&str], actual: &str, is_pool: bool) -> Fit {
    let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
    let (has_patterns, ignores_case) = match operator {
        "StringEquals" => (false, false),
        "StringEqualsIgnoreCase" => (false, true),
        "ArnEquals" | "ArnLike" | "StringLike" => (true, false),
        _ => return Fit::Unknown,
    };
    let is_met = |wanted: &&&str| {
        if has_patterns {
            matches(wanted, actual, ignores_case)
        } else if ignores_case {
            wanted.eq_ignore_ascii_case(actual)
        } else {
            **wanted == actual
        }
    };
    match wanted.iter().find(is_met) {
        None => Fit::No,
        Some(_) if is_pool && wanted == [actual] => Fit::Narrow,
        Some(_) => Fit::Wide,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const POOL: &str = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Example01";
    const ASKING: Asking<'static> = Asking { pool: POOL, account: "123456789012" };

    /// What `AddPermission` writes, with some of its members otherwise.
    fn statement(changes: Value) -> Value {
        let mut statement = json!({
            "Sid": "cognito",
            "Effect": "Allow",
            "Principal": { "Service": COGNITO },
            "Action": INVOKE,
            "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:producer",
            "Condition": {
                "StringEquals": { "AWS:SourceAccount": "123456789012" },
                "ArnLike": { "AWS:SourceArn": POOL },
            },
        });
        for (name, value) in changes.as_object().expect("members") {
            statement[name] = value.clone();
        }
        statement
    }

    fn judged(statements: &[Value]) -> InvokeRight {
        judge(&json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string(), ASKING)
    }

    fn there(is_narrow: bool) -> InvokeRight {
        InvokeRight::There { statement: "cognito".to_owned(), is_narrow }
    }

    #[test]
    fn what_add_permission_writes_is_a_right_for_this_pool_alone() {
        assert_eq!(judged(&[statement(json!({}))]), there(true));
    }

    #[test]
    fn other_shapes_of_the_same_are_read() {
        for changes in [
            json!({ "Action": ["lambda:GetFunction", "lambda:invokefunction"] }),
            json!({ "Action": "lambda:Invoke*" }),
            json!({ "Principal": { "Service": ["events.amazonaws.com", COGNITO] } }),
            json!({ "Condition": { "ArnEquals": { "aws:sourcearn": [POOL] } } }),
            json!({ "Condition": { "StringEquals": { "aws:SourceArn": POOL } } }),
            json!({ "Condition": { "StringLikeIfExists": { "aws:SourceArn": POOL } } }),
        ] {
            assert_eq!(judged(&[statement(changes.clone())]), there(true), "{changes}");
        }
    }

    #[test]
    fn a_right_for_others_too_is_not_narrow() {
        let any_pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/*";
        for condition in [
            json!(null),
            json!({}),
            json!({ "StringEquals": { "AWS:SourceAccount": "123456789012" } }),
            json!({ "ArnLike": { "AWS:SourceArn": any_pool } }),
            json!({ "ArnLike": { "AWS:SourceArn": [POOL, "arn:another"] } }),
        ] {
            let wide = statement(json!({ "Condition": condition }));
            assert_eq!(judged(std::slice::from_ref(&wide)), there(false), "{condition}");
            let narrow = statement(json!({ "Sid": "own" }));
            let own = InvokeRight::There { statement: "own".to_owned(), is_narrow: true };
            assert_eq!(judged(&[wide, narrow]), own, "{condition}");
        }
    }

    #[test]
    fn what_is_for_somebody_else_is_no_right() {
        for changes in [
            json!({ "Effect": "allow" }),
            json!({ "Action": "lambda:GetFunction" }),
            json!({ "Principal": { "Service": "events.amazonaws.com" } }),
            json!({ "Principal": { "AWS": "arn:aws:iam::123456789012:root" } }),
            json!({ "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/x" } } }),
            json!({ "Condition": { "StringEquals": { "AWS:SourceArn": POOL, "AWS:SourceAccount": "210987654321" } } }),
            // A pattern is a text to an operator that knows none.
            json!({ "Condition": { "StringEquals": { "AWS:SourceArn": "arn:*" } } }),
            json!({ "Condition": { "DateLessThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } } }),
        ] {
            assert_eq!(judged(&[statement(changes.clone())]), InvokeRight::Missing, "{changes}");
        }
    }

    #[test]
    fn a_denial_wins_and_one_that_cannot_be_judged_counts() {
        let allows = statement(json!({}));
        for changes in [
            json!({}),
            json!({ "Principal": "*" }),
            json!({ "Principal": { "AWS": "*" }, "Action": "*" }),
            json!({ "Condition": { "ArnNotEquals": { "aws:SourceArn": "arn:another" } } }),
        ] {
            let mut denies = statement(changes.clone());
            (denies["Sid"], denies["Effect"]) = (json!("no"), json!("Deny"));
            let expected = InvokeRight::Denied { statement: "no".to_owned() };
            assert_eq!(judged(&[allows.clone(), denies]), expected, "{changes}");
        }
        let condition = json!({ "ArnLike": { "aws:SourceArn": "arn:another" } });
        let of_another = statement(json!({ "Effect": "Deny", "Condition": condition }));
        assert_eq!(judged(&[of_another, allows]), there(true));
    }

    #[test]
    fn what_is_no_policy_is_unreadable() {
        for policy in ["", "no", "{}", "[]", r#"{"Statement":["x"]}"#, r#"{"Statement":7}"#] {
            assert_eq!(judge(policy, ASKING), InvokeRight::Unreadable, "{policy}");
        }
        let alone = json!({ "Statement": statement(json!({})) }).to_string();
        assert_eq!(judge(&alone, ASKING), there(true));
        assert_eq!(judged(&[]), InvokeRight::Missing);
    }
}
