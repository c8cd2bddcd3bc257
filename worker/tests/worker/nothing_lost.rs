//! Whatever fails in whatever order, every record of a batch ends in exactly one place.

use std::time::Duration;

use fastrand::Rng;
use worker::KeyError;

use crate::doubles::{KeyBehaviour, QueueBehaviour};
use crate::messages::{number, received, record, record_of_text, second, sent, sign_in, sqs_id};
use crate::provider_double::{
    Behaviour, ScriptedProvider, accepts, fraud_blocked, hangs, panics, provider_permanent, recipient_permanent,
    times_out, transient, unknown,
};
use crate::scene::Scene;

const RECORDS: u32 = 12;

fn any_behaviour(rng: &mut Rng) -> Behaviour {
    let behaviour = match rng.u32(0..12) {
        0 => transient(),
        1 => unknown(),
        2 => provider_permanent(),
        3 => recipient_permanent(),
        4 => fraud_blocked(),
        5 => panics(),
        6 => hangs(),
        7 => return times_out(),
        8 => accepts().after(Duration::from_secs(60)),
        _ => accepts(),
    };
    if rng.bool() { behaviour } else { behaviour.after(Duration::from_millis(rng.u64(0..9_000))) }
}

fn any_provider(name: &'static str, rng: &mut Rng) -> ScriptedProvider {
    (0..RECORDS).fold(ScriptedProvider::named(name, [any_behaviour(rng)]), |provider, n| {
        provider.with_number(number(n), any_behaviour(rng))
    })
}

fn any_key_service(rng: &mut Rng) -> KeyBehaviour {
    match rng.u32(0..8) {
        0 => KeyBehaviour::Fails(KeyError::Unavailable { code: "timeout".to_owned() }),
        1 => KeyBehaviour::Fails(KeyError::Invalid { code: "InvalidCiphertextException".to_owned() }),
        2 => KeyBehaviour::Hangs,
        3 => KeyBehaviour::Panics,
        _ => KeyBehaviour::UnwrapsAfter(Duration::from_millis(rng.u64(0..3_000))),
    }
}

fn any_queue(rng: &mut Rng) -> QueueBehaviour {
    match rng.u32(0..6) {
        0 => QueueBehaviour::Refuses,
        1 => QueueBehaviour::Hangs,
        _ => QueueBehaviour::Works,
    }
}

fn any_record(n: u32, rng: &mut Rng) -> serde_json::Value {
    let body = sign_in(n).to_string();
    let body = match rng.u32(0..8) {
        0 => &body[..rng.usize(0..body.len())],
        _ => &body,
    };
    let age = if rng.bool() { 0 } else { -30_000 };
    sent(second(age), received(rng.u32(1..12), record_of_text(n, body)))
}

#[tokio::test(start_paused = true)]
async fn every_record_is_delivered_or_dead_lettered_or_stays() {
    let mut ends = [0; 3];
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let providers = [any_provider("first", &mut rng), any_provider("second", &mut rng)];
        let scene = Scene::of(providers);
        scene.keys.become_like(any_key_service(&mut rng));
        scene.queue.postponing_becomes(any_queue(&mut rng));
        scene.queue.dead_lettering_becomes(any_queue(&mut rng));
        let records: Vec<_> = (0..RECORDS).map(|n| any_record(n, &mut rng)).collect();

        let stays = scene.receive_within(Duration::from_millis(rng.u64(0..25_000)), &records).await;

        let delivered = scene.facts.of("delivered");
        let letters = scene.queue.letters();
        for (n, record) in (0..).zip(&records) {
            let own_id = crate::sealed::Seal::nth(n).id();
            let found = [
                delivered.iter().filter(|fact| fact["id"] == own_id.as_str()).count(),
                letters.iter().filter(|letter| record["body"] == letter.body.as_str()).count(),
                stays.iter().filter(|id| **id == sqs_id(n)).count(),
            ];
            assert_eq!(found.iter().sum::<usize>(), 1, "seed {seed}, record {n}: {found:?}");
            ends.iter_mut().zip(found).for_each(|(end, found)| *end += found);
        }
    }
    assert!(ends.iter().all(|end| *end > 300), "each end is common: {ends:?}");
}

#[test]
fn the_random_records_include_sound_ones() {
    let whole = record(0, &sign_in(0));
    let sound = (0..100).filter(|seed| any_record(0, &mut Rng::with_seed(*seed))["body"] == whole["body"]).count();
    assert!((50..100).contains(&sound), "{sound}");
}
