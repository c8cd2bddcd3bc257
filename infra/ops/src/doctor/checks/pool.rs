//! The user pool: its trigger, and whether its SMS come to be at all.

use std::time::Duration;

use shared::{Lifetimes, TriggerSource};

use super::super::finding::{Judgement, Remedy, counted, long};
use super::super::reading::{AppClient, Mfa, Reading, Readings, Recovery, known};
use crate::function_arn::{QualifiedArn, Qualifier};
use crate::stack::PRODUCER_ARN;

/// What Cognito takes for this trigger
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html>).
const VERSION: &str = "V1_0";

/// Sets the trigger and the key.
pub(super) fn attach(readings: &Readings) -> Remedy {
    let Some(pool) = &readings.pool_id else { return Remedy::by_hand("attach the pool: sealpost attach") };
    let mut words = vec!["attach", "--user-pool-id", pool.as_str()];
    let function = readings.producer.as_ref().map(|producer| match &producer.arn.qualifier {
        // Which Cognito would refuse.
        Qualifier::Version(_) => producer.arn.unqualified().to_string(),
        Qualifier::None | Qualifier::Latest | Qualifier::Alias(_) => producer.arn.to_string(),
    });
    let key = readings.key.as_ref().map(|key| key.arn.clone());
    match (&readings.stack_name, &function, &key) {
        (Some(stack), _, _) => words.extend(["--stack", stack]),
        (None, Ok(function), Ok(key)) => words.extend(["--function", function, "--key", key]),
        (None, _, _) => {
            let command = readings.command_line.sealpost(&words);
            return Remedy::by_hand(format!("attach the pool: {command} --function ARN --key ARN --yes"));
        }
    }
    words.push("--yes");
    Remedy::by(
        "attach the pool; where a template describes it, write the trigger there too, or its next deployment undoes it",
        readings.command_line.sealpost(&words),
    )
}

pub(super) fn trigger(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    let wrong = |found: String| Ok(Judgement::wrong(found, attach(readings)));
    let Some(sender) = &pool.sender else { return wrong("CustomSMSSender is not set".to_owned()) };
    let Some(arn) = QualifiedArn::parse(&sender.arn) else {
        return wrong(format!("CustomSMSSender names {}, which is no function", sender.arn));
    };
    if let Qualifier::Version(version) = &arn.qualifier {
        return wrong(format!("CustomSMSSender names version {version} of {}: no deployment reaches it", arn.name));
    }
    match sender.version.as_deref() {
        Some(VERSION) => {}
        Some(other) => return wrong(format!("CustomSMSSender has the LambdaVersion {other}, not {VERSION}")),
        None => return wrong(format!("CustomSMSSender has no LambdaVersion, and needs {VERSION}")),
    }
    let of_stack = readings.output(PRODUCER_ARN);
    let stacks = of_stack.and_then(QualifiedArn::parse);
    if let Some(stacks) = stacks.filter(|stacks| !stacks.is_same_function(&arn)) {
        return wrong(format!("CustomSMSSender names {}, not the stack's producer {}", arn, stacks.name));
    }
    Ok(Judgement::sound(format!("CustomSMSSender is {arn}, {VERSION}")))
}

pub(super) fn other_triggers(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    let Some(own) = pool.sender.as_ref().and_then(|sender| QualifiedArn::parse(&sender.arn)) else {
        return Ok(Judgement::sound("no producer to be named twice"));
    };
    let is_own = |arn: &str| QualifiedArn::parse(arn).is_some_and(|arn| arn.is_same_function(&own));
    let also: Vec<_> =
        pool.other_triggers.iter().filter(|(_, arn)| is_own(arn)).map(|(trigger, _)| trigger.as_str()).collect();
    if !also.is_empty() {
        let remedy = "the producer takes SMS only and refuses all else: take it out of these triggers, where the pool is \
            described";
        return Ok(Judgement::wrong(format!("the producer is also {}", also.join(", ")), Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(match &pool.email_sender {
        Some(sender) => format!("{} shares the pool's key, and must be able to decrypt with it", sender.arn),
        None => "the producer is no other trigger".to_owned(),
    }))
}

pub(super) fn sms_settings(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    if !pool.has_sms_settings {
        let remedy = "give the pool SmsConfiguration, with a role as SmsRole in infra/aws/demo-pool.yaml: Cognito asks for \
            it although every SMS goes through the trigger";
        return Ok(Judgement::wrong("the pool has no SmsConfiguration", Remedy::by_hand(remedy)));
    }
    Ok(match &pool.sms_failure {
        Some(failure) => Judgement::warning(
            format!("SmsConfigurationFailure: {failure}"),
            Remedy::by_hand("correct the role that SmsConfiguration names: without the trigger nothing would be sent"),
        ),
        None => Judgement::sound("SmsConfiguration is there, without a failure"),
    })
}

pub(super) fn phone_in_use(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    // What cannot be looked at is taken for possible.
    let by_mfa = pool.mfa != Mfa::Off && readings.sms_mfa.as_ref().copied().unwrap_or(true);
    let by_recovery = match &pool.recovery {
        Recovery::Legacy => false,
        Recovery::By(ways) => ways.iter().any(|way| way == PHONE),
    };
    let uses = [
        (pool.verifies_phones, "sign-up"),
        (by_mfa, "second factor"),
        (pool.signs_in_by_sms, "first factor"),
        (by_recovery, "forgotten passwords"),
    ];
    let uses: Vec<_> = uses.into_iter().filter_map(|(is_used, what)| is_used.then_some(what)).collect();
    if uses.is_empty() {
        let remedy = "let the pool verify phone_number (AutoVerifiedAttributes), or have SMS as a factor, where it is \
            described; else the trigger hardly ever fires";
        return Ok(Judgement::warning("the pool sends SMS for invitations only", Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(format!("SMS are sent for {}", uses.join(", "))))
}

const PHONE: &str = "verified_phone_number";
const EMAIL: &str = "verified_email";

/// Where a code for a forgotten password goes. A phone that is the second factor is passed over, and nothing says so
/// (<https://github.com/aws-amplify/amplify-js/issues/13403>).
pub(super) fn account_recovery(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    let ways = match &pool.recovery {
        Recovery::Legacy => {
            return Ok(Judgement::sound("not set: forgotten passwords go to the phone, else by e-mail"));
        }
        Recovery::By(ways) => ways,
    };
    let order = ways.join(", then ");
    if !ways.iter().any(|way| way == PHONE) {
        let remedy = "add verified_phone_number to AccountRecoverySetting, where the pool is described, if forgotten \
            passwords are to go by SMS";
        let found = format!("{order}: a forgotten password never sends an SMS");
        return Ok(Judgement::warning(found, Remedy::by_hand(remedy)));
    }
    let is_possible = pool.mfa != Mfa::Off && readings.sms_mfa.as_ref().copied().unwrap_or(true);
    if is_possible {
        let instead = if ways.iter().any(|way| way == EMAIL) {
            "get an e-mail, or nothing if they have no address"
        } else {
            "get nothing"
        };
        let found = format!("{order}: users with SMS as their second factor {instead} when they forget a password");
        let remedy = "expect no SMS for them; to send them SMS all the same, which lets one stolen phone take an account \
            over, leave AccountRecoverySetting empty where the pool is described";
        return Ok(Judgement::warning(found, Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(if ways[0] == PHONE {
        format!("{order}, and SMS is no second factor")
    } else {
        format!("{order}: SMS for users without an address, and SMS is no second factor")
    }))
}

pub(super) fn sign_in_lifetime(readings: &Readings) -> Reading<Judgement> {
    let lifetimes = lifetimes(readings)?;
    let clients = known(&readings.clients)?;
    let people: Vec<_> = clients.looked_at.iter().filter(|client| client.is_for_people).collect();
    let lifetime = |client: &AppClient| lifetimes.of(TriggerSource::Authentication, Some(&client.id));
    let longer: Vec<_> = people.iter().filter(|client| lifetime(client) > client.session).copied().collect();
    let shorter: Vec<_> = people.iter().filter(|client| lifetime(client) < client.session).copied().collect();
    let looked = if clients.is_cut { " (others were not looked at)" } else { "" };
    let looked = format!("{} looked at{looked}", counted(people.len() as u64, "app client"));
    let named = |clients: &[&AppClient]| {
        let each = clients.iter().map(|client| format!("{} ({})", client.id, minutes(client.session)));
        each.collect::<Vec<_>>().join(", ")
    };
    let write = |clients: &[&AppClient]| {
        let each = clients.iter().map(|client| {
            format!("[lifetime.client.{}] authentication = \"{}m\"", client.id, client.session.as_secs() / 60)
        });
        let each = each.collect::<Vec<_>>().join(", ");
        Remedy::by_hand(format!("write {each} in the configuration file, and deploy it"))
    };
    if !longer.is_empty() {
        let found = format!(
            "[lifetime] sends codes that cannot be used any more, past the AuthSessionValidity of {}; {looked}",
            named(&longer)
        );
        return Ok(Judgement::wrong(found, write(&longer)));
    }
    if !shorter.is_empty() {
        let found =
            format!("[lifetime] gives codes up before the AuthSessionValidity of {} ends; {looked}", named(&shorter));
        return Ok(Judgement::warning(found, write(&shorter)));
    }
    Ok(Judgement::sound(format!("[lifetime] is the AuthSessionValidity of each app client; {looked}")))
}

pub(super) fn password_lifetime(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    let lifetime = lifetimes(readings)?.of(TriggerSource::AdminCreateUser, None);
    let days = pool.password_days;
    let remedy = || {
        let line = format!("admin_create_user = \"{days}d\"");
        Remedy::by_hand(format!("write {line} under [lifetime] in the configuration file, and deploy it"))
    };
    let of_pool = Duration::from_secs(days * 24 * 60 * 60);
    let found = format!("TemporaryPasswordValidityDays is {days}, admin_create_user {}", long(lifetime.as_secs()));
    Ok(match lifetime.cmp(&of_pool) {
        std::cmp::Ordering::Greater => Judgement::wrong(found, remedy()),
        std::cmp::Ordering::Less => Judgement::warning(found, remedy()),
        std::cmp::Ordering::Equal => Judgement::sound(found),
    })
}

fn lifetimes(readings: &Readings) -> Reading<&Lifetimes> {
    super::configuration::sound_file(readings).map(|file| &file.settings.lifetimes)
}

fn minutes(duration: Duration) -> String {
    format!("{} min", duration.as_secs() / 60)
}
