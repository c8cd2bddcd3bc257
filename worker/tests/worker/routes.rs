//! Which provider is asked for which country.

use shared::DeadLetterReason;

use crate::messages::{record, sign_in, to};
use crate::provider_double::{ScriptedProvider, accepts, provider_permanent};
use crate::scene::Scene;

const US: &str = "+12065550100";
const GB: &str = "+447400123456";
const FR: &str = "+33639980001";
const IN: &str = "+919800000000";

/// One message to each of these numbers; what comes back is how often each provider was asked, and the reasons
/// for which others were dead-lettered.
async fn sent_to(sections: &str, numbers: &[&str]) -> (Vec<usize>, Vec<(DeadLetterReason, String)>) {
    let providers = ["first", "second", "third"].map(|name| ScriptedProvider::named(name, [accepts()]));
    let scene = Scene::configured(sections, providers);
    let records: Vec<_> = (0..).zip(numbers).map(|(n, number)| record(n, &to(number, sign_in(n)))).collect();
    assert_eq!(scene.receive(&records).await, [""; 0]);
    let letters = scene.queue.letters().into_iter().map(|letter| (letter.reason, letter.detail));
    (scene.requests(), letters.collect())
}

fn not_allowed(detail: &str) -> (DeadLetterReason, String) {
    (DeadLetterReason::CountryNotAllowed, detail.to_owned())
}

#[tokio::test(start_paused = true)]
async fn without_a_route_all_providers_serve_every_country_in_the_files_order() {
    assert_eq!(sent_to("", &[US, GB, FR, IN]).await, (vec![4, 0, 0], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_country_has_its_own_route_or_the_default() {
    let sections = "[route]\ndefault = [\"second\", \"first\"]\n[route.country]\nIN = [\"third\"]\nGB = [\"first\"]\n";
    assert_eq!(sent_to(sections, &[US]).await, (vec![0, 1, 0], vec![]));
    assert_eq!(sent_to(sections, &[IN]).await, (vec![0, 0, 1], vec![]));
    assert_eq!(sent_to(sections, &[GB, FR]).await, (vec![1, 1, 0], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_country_of_no_provider_is_refused() {
    let sections = "[route.country]\nGB = []\n";
    assert_eq!(sent_to(sections, &[GB, US]).await, (vec![1, 0, 0], vec![not_allowed("nothing is sent to GB")]));
}

#[tokio::test(start_paused = true)]
async fn an_empty_default_refuses_every_country_that_is_not_listed() {
    let sections = "[route]\ndefault = []\n[route.country]\nFR = [\"third\"]\n";
    assert_eq!(sent_to(sections, &[US, FR]).await, (vec![0, 0, 1], vec![not_allowed("nothing is sent to US")]));
}

#[tokio::test(start_paused = true)]
async fn a_number_whose_country_cannot_be_told_is_always_refused() {
    let (requests, letters) = sent_to("", &["+447700900123"]).await;
    assert_eq!(requests, [0, 0, 0]);
    assert_eq!(letters[0].0, DeadLetterReason::CountryNotAllowed);
    assert!(letters[0].1.starts_with("its country is not known"), "{letters:?}");
}

#[tokio::test(start_paused = true)]
async fn failover_stays_within_the_countrys_route() {
    let first = ScriptedProvider::named("first", [provider_permanent()]);
    let second = ScriptedProvider::named("second", [accepts()]);
    let third = ScriptedProvider::named("third", [accepts()]);
    let scene =
        Scene::configured("[route.country]\nIN = [\"third\", \"first\"]\nGB = [\"first\"]\n", [first, second, third]);

    let stays = scene.receive(&[record(0, &to(GB, sign_in(0)))]).await;

    assert_eq!(stays.len(), 1, "first cannot, and nobody else may");
    assert_eq!(scene.requests(), [1, 0, 0]);
}
