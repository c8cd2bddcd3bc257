//! A plan from a seed.

use std::time::Duration;

use fastrand::Rng;
use shared::{Lifetimes, TriggerSource};
use worker::{Country, OnAbandoned, StateSettings, Switch, WhenUnreachable};

use crate::bodies::COUNTRY_OF_ONE_PROVIDER;
use crate::codes::Codes;
use crate::plan::{
    CallTrouble, Fault, Incident, KeyTrouble, Kind, LifesEnd, Millis, Plan, PlannedLimits, PlannedMessage, Process,
    ProcessKind, ProviderTrouble, QueueCall, Redrive, Repeat, Shutdown, TableTrouble, Trouble,
};
use crate::providers::NAMES;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
/// No clock is further off.
pub(crate) const MOST_SKEW_MILLIS: i64 = 2_000;

impl Plan {
    pub(crate) fn draw(seed: u64, codes: &Codes) -> Self {
        let mut rng = Rng::with_seed(seed);
        let heals_at = match rng.u32(..10) {
            0..6 => rng.u64(MINUTE..10 * MINUTE),
            6..9 => rng.u64(10 * MINUTE..60 * MINUTE),
            _ => rng.u64(60 * MINUTE..240 * MINUTE),
        };
        let providers = rng.usize(2..=3);
        let flood = (rng.u32(..100) == 0).then(|| rng.u64(..heals_at));
        let processes = processes(&mut rng, flood.is_some());
        let has_table = rng.u32(..100) < 85;
        let faults = faults(&mut rng, heals_at, providers, has_table, flood);
        let messages = messages(&mut rng, heals_at, &faults, flood, codes);
        Self {
            seed,
            horizon: Duration::from_secs(*pick(&mut rng, &[120, 600, 1_800, 7_200, 21_600])),
            time_to_type: Duration::from_secs(rng.u64(10..=30)),
            function_timeout: Duration::from_secs(*pick(&mut rng, &[20, 20, 20, 20, 12, 9])),
            has_table,
            state: StateSettings {
                unreachable: if rng.u32(..10) < 6 { WhenUnreachable::Allow } else { WhenUnreachable::Hold },
                abandoned: if rng.u32(..10) < 7 { OnAbandoned::Resend } else { OnAbandoned::Park },
            },
            limits: PlannedLimits {
                per_number: (rng.u32(..10) < 4).then(|| rng.u32(1..=6)),
                in_all: (rng.u32(..10) < 2).then(|| rng.u32(5..=20)),
            },
            providers,
            heals_at,
            repeats: repeats(&mut rng, &messages),
            messages,
            redrives: redrives(&mut rng, heals_at),
            shutdowns: shutdowns(&mut rng, heals_at, providers),
            faults,
            incidents: incidents(&mut rng, heals_at, &processes),
            processes,
        }
    }
}

fn pick<'t, T>(rng: &mut Rng, from: &'t [T]) -> &'t T {
    &from[rng.usize(..from.len())]
}

/// A flood is for one alone.
fn processes(rng: &mut Rng, is_flood: bool) -> Vec<Process> {
    let count = if is_flood { 1 } else { rng.u32(1..=4) };
    let process = |number| Process {
        number,
        kind: if is_flood || rng.bool() { ProcessKind::Service } else { ProcessKind::Lambda },
        starts: rng.u64(0..3 * SECOND),
        skew_millis: rng.i64(-MOST_SKEW_MILLIS..=MOST_SKEW_MILLIS),
    };
    (0..count).map(process).collect()
}

/// In a flood there are more than a process works on at once.
fn messages(
    rng: &mut Rng,
    heals_at: Millis,
    faults: &[Fault],
    flood: Option<Millis>,
    codes: &Codes,
) -> Vec<PlannedMessage> {
    let count = if flood.is_some() { 150 } else { rng.usize(3..=20) }.min(codes.most_messages());
    let last = heals_at + 3 * MINUTE;
    // Where a fault begins, or anywhere.
    let burst = |rng: &mut Rng| match faults.get(rng.usize(..=faults.len())) {
        Some(fault) => fault.from.saturating_sub(rng.u64(..SECOND)),
        None => rng.u64(..last),
    };
    let bursts: Vec<_> = (0..rng.usize(1..=3)).map(|_| burst(rng)).collect();
    // The others come alone, mostly while something is wrong.
    let alone = |rng: &mut Rng| match faults.get(rng.usize(..=faults.len())) {
        Some(fault) => rng.u64(fault.from..=fault.until),
        None => rng.u64(..last),
    };
    let lifetimes = Lifetimes::default();
    // Somebody who asks for a code again and again.
    let impatient = rng.bool().then(|| (rng.u32(..20), *pick(rng, &SUPERSEDING)));
    (0..count)
        .map(|number| {
            let number = u32::try_from(number).expect("few");
            let kind = kind(rng, codes);
            let (source, user) = match impatient {
                Some((user, sources)) if kind != Kind::WithoutCode && rng.u32(..10) < 3 => (*pick(rng, sources), user),
                Some(_) | None => (source(rng, kind), rng.u32(..20)),
            };
            PlannedMessage {
                number,
                arrives: match flood {
                    Some(at) => at + rng.u64(..500),
                    None if rng.bool() => *pick(rng, &bursts) + rng.u64(..500),
                    None => alone(rng),
                },
                delay_seconds: if rng.u32(..10) < 2 { rng.u32(1..=6) } else { 0 },
                source,
                lifetime: lifetimes.of(source, None),
                // All of a flood go the same way, and none supersedes another.
                user: if flood.is_some() { 4 * number } else { user },
                kind,
            }
        })
        .collect()
}

/// Sources of which a newer code supersedes an older one.
const SUPERSEDING: [&[TriggerSource]; 3] = [
    &[TriggerSource::SignUp, TriggerSource::ResendCode],
    &[TriggerSource::ForgotPassword],
    &[TriggerSource::UpdateUserAttribute, TriggerSource::VerifyUserAttribute],
];

/// Mostly once, a minute or two later as Lambda does it; now and then as a race.
fn repeats(rng: &mut Rng, messages: &[PlannedMessage]) -> Vec<Repeat> {
    let mut repeats = Vec::new();
    for _ in 0..rng.u32(..4) {
        let message = pick(rng, messages).number;
        let is_race = rng.u32(..3) == 0;
        let after = *pick(rng, &[SECOND, 10 * SECOND, 70 * SECOND, 190 * SECOND]);
        for _ in 0..if is_race { rng.u32(1..=5) } else { 1 } {
            repeats.push(Repeat { message, after: if is_race { rng.u64(..60) } else { rng.u64(after / 2..after) } });
        }
    }
    repeats
}

fn redrives(rng: &mut Rng, heals_at: Millis) -> Vec<Redrive> {
    (0..rng.u32(..3)).map(|_| Redrive { at: rng.u64(30 * SECOND..heals_at + 3 * MINUTE) }).collect()
}

fn shutdowns(rng: &mut Rng, heals_at: Millis, providers: usize) -> Vec<Shutdown> {
    let shutdown = |rng: &mut Rng| {
        let (from, until) = window(rng, heals_at);
        let of = match rng.u32(..4) {
            0 => Switch::Everything,
            1 => Switch::Country(Country::parse(COUNTRY_OF_ONE_PROVIDER).expect("a country")),
            _ => Switch::Provider(NAMES[rng.usize(..providers)].to_owned()),
        };
        Shutdown { of, from, until }
    };
    let count = if rng.u32(..5) == 0 { rng.u32(1..=3) } else { 0 };
    (0..count).map(|_| shutdown(rng)).collect()
}

fn kind(rng: &mut Rng, codes: &Codes) -> Kind {
    const ODD: [Kind; 16] = [
        Kind::NotJson,
        Kind::UnknownType,
        Kind::ForeignId,
        Kind::UntrustedSender,
        Kind::ForeignPool,
        Kind::NoPhoneNumber,
        Kind::ImpossibleNumber,
        Kind::RefusedCountry,
        Kind::ExpiredOnArrival,
        Kind::ForeignKey,
        Kind::InvalidDataKey,
        Kind::NeverOpens,
        Kind::OpensToNothing,
        Kind::OpeningFails,
        Kind::RejectedRecipient,
        Kind::Fraud,
    ];
    let drawn = match rng.u32(..100) {
        0..70 => Kind::Sound,
        70..75 => Kind::ExpiresSoon,
        75..81 => Kind::WithoutCode,
        _ => *pick(rng, &ODD),
    };
    if codes.has(drawn) { drawn } else { Kind::Sound }
}

fn source(rng: &mut Rng, kind: Kind) -> TriggerSource {
    if kind == Kind::WithoutCode {
        return *pick(rng, &[TriggerSource::AdminCreateUser, TriggerSource::AccountTakeOverNotification]);
    }
    let with_code: Vec<_> = TriggerSource::ALL.into_iter().filter(|source| source.needs_code()).collect();
    // Most codes are for signing in, and what can only be tried until its end should have a near one.
    if kind == Kind::OpeningFails || rng.u32(..10) < 4 { TriggerSource::Authentication } else { *pick(rng, &with_code) }
}

/// From when until when something is wrong.
fn window(rng: &mut Rng, heals_at: Millis) -> (Millis, Millis) {
    let from = rng.u64(..heals_at);
    let length = *pick(rng, &[10 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, heals_at]);
    (from, (from + length).min(heals_at))
}

fn faults(rng: &mut Rng, heals_at: Millis, providers: usize, has_table: bool, flood: Option<Millis>) -> Vec<Fault> {
    let mut troubles: Vec<(Trouble, u64)> = Vec::new();
    // Outages: everything fails in one way, at one provider or at all of them.
    if rng.u32(..10) < 6 {
        let trouble = provider_trouble(rng);
        let only = rng.bool().then(|| rng.usize(..providers));
        let hit = (0..providers).filter(|provider| only.is_none_or(|only| only == *provider));
        troubles.extend(hit.map(|provider| (Trouble::Provider(provider, trouble), 100)));
    }
    if rng.u32(..10) < 2 {
        troubles.push((Trouble::Keys(*pick(rng, &KEY_TROUBLES)), 100));
    }
    // A right that is missing, say.
    if rng.u32(..20) == 0 {
        let call = *pick(rng, &[QueueCall::Receive, QueueCall::Postpone, QueueCall::DeadLetter]);
        troubles.push((Trouble::Queue(call, CallTrouble::Refused), 100));
    }
    // The table vanishes.
    if has_table && rng.u32(..10) < 2 {
        troubles.push((Trouble::Table(*pick(rng, &[TableTrouble::TimesOut, TableTrouble::Throttled])), 100));
    }
    // With an outage, a panic can come while a circuit is tried.
    if rng.u32(..10) < 2 {
        troubles.push((Trouble::WorkerPanics, 20));
    }
    // An outage of all providers hits them at the same time.
    let (from, until) = window(rng, heals_at);
    let mut faults: Vec<_> =
        troubles.into_iter().map(|(trouble, percent)| Fault { number: 0, from, until, percent, trouble }).collect();
    if let Some(from) = flood {
        // The provider of their choice is slow.
        let trouble = Trouble::Provider(0, ProviderTrouble::Slow);
        faults.insert(0, Fault { number: 0, from, until: from + 30 * SECOND, percent: 100, trouble });
    }
    for _ in 0..rng.u32(..10) {
        let (from, until) = window(rng, heals_at);
        let trouble = any_trouble(rng, providers, has_table);
        let percent = if trouble == Trouble::WorkerPanics { 10 } else { *pick(rng, &[10, 30, 60]) };
        faults.push(Fault { number: 0, from, until, percent, trouble });
    }
    (0..).zip(&mut faults).for_each(|(number, fault)| fault.number = number);
    faults
}

const KEY_TROUBLES: [KeyTrouble; 6] = [
    KeyTrouble::Unavailable,
    KeyTrouble::NotAllowed,
    KeyTrouble::Slow,
    KeyTrouble::Hangs,
    KeyTrouble::AnswersTooLate,
    KeyTrouble::Panics,
];

const TABLE_TROUBLES: [TableTrouble; 6] = [
    TableTrouble::Throttled,
    TableTrouble::TimesOut,
    TableTrouble::AnswerLost,
    TableTrouble::ArrivesLate,
    TableTrouble::MadeTwice,
    TableTrouble::Slow,
];

fn any_trouble(rng: &mut Rng, providers: usize, has_table: bool) -> Trouble {
    match rng.u32(..if has_table { 28 } else { 21 }) {
        0..7 => Trouble::Provider(rng.usize(..providers), provider_trouble(rng)),
        7..10 => Trouble::Keys(*pick(rng, &KEY_TROUBLES)),
        10..16 => queue_trouble(rng),
        16..18 => Trouble::DoubleDelivery,
        18 => Trouble::ShortVisibility,
        19 | 20 => Trouble::WorkerPanics,
        _ => Trouble::Table(*pick(rng, &TABLE_TROUBLES)),
    }
}

fn provider_trouble(rng: &mut Rng) -> ProviderTrouble {
    let sent = rng.bool();
    match rng.u32(..10) {
        0 | 1 => ProviderTrouble::Transient,
        2 => ProviderTrouble::TransientFor(*pick(rng, &[1, 5, 30, 120])),
        3 => ProviderTrouble::ProviderPermanent,
        4 => ProviderTrouble::Unknown { sent },
        5 => ProviderTrouble::TimesOut { sent },
        6 => ProviderTrouble::Hangs { sent },
        7 => ProviderTrouble::Slow,
        8 => ProviderTrouble::AnswersTooLate,
        _ => ProviderTrouble::Panics { sent },
    }
}

fn queue_trouble(rng: &mut Rng) -> Trouble {
    let call = *pick(rng, &[QueueCall::Receive, QueueCall::Delete, QueueCall::Postpone, QueueCall::DeadLetter]);
    let trouble = *pick(rng, &[CallTrouble::Refused, CallTrouble::AnswerLost, CallTrouble::Hangs, CallTrouble::Slow]);
    let forgotten = call == QueueCall::Delete && rng.u32(..4) == 0;
    Trouble::Queue(call, if forgotten { CallTrouble::Forgotten } else { trouble })
}

fn incidents(rng: &mut Rng, heals_at: Millis, processes: &[Process]) -> Vec<Incident> {
    let incident = |rng: &mut Rng| Incident {
        process: pick(rng, processes).number,
        end: match rng.u32(..4) {
            0 => LifesEnd::StopAt(rng.u64(..heals_at)),
            1 => LifesEnd::CrashAt(rng.u64(..heals_at)),
            _ => LifesEnd::CrashAtCall { n: rng.u32(..300), after_effect: rng.bool() },
        },
        back_after: rng.u64(500..60 * SECOND),
    };
    (0..rng.u32(..8)).map(|_| incident(rng)).collect()
}
