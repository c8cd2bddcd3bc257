mod bodies;
mod calls;
mod codes;
mod drawing;
mod draws;
#[cfg(feature = "esdk")]
#[path = "../../esdk/tests/fixtures/mod.rs"]
mod fixtures;
mod history;
mod invariants;
mod life;
mod outside;
mod panics;
mod plan;
mod processes;
mod providers;
mod receives;
#[path = "../worker/sealed.rs"]
mod sealed;
mod trace;
mod world;

#[test]
fn tries() {
    let codes = codes::Codes::by_hand();
    let begin = std::time::Instant::now();
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..300 {
        let plan = plan::Plan::draw(seed, &codes);
        let history = history::History::of(&plan, &codes);
        if let Some(violation) = invariants::violated(&history) {
            let list: &mut Vec<_> = seen.entry(violation.invariant).or_default();
            list.push((seed, violation.what));
        }
    }
    for (name, list) in seen {
        println!("{name}: {}", list.len());
        for l in list.iter().take(6) {
            println!("    {l:?}")
        }
    }
    println!("{:?}", begin.elapsed());
}
