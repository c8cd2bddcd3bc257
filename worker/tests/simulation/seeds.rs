//! Many histories, or one that is told whole.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::codes::Codes;
use crate::coverage::Coverage;
use crate::history::History;
use crate::invariants::{Violation, violated};
use crate::plan::Plan;
use crate::shrinking::shortest;

/// What a number of seeds showed.
pub(crate) struct Shown {
    pub(crate) coverage: Coverage,
    /// Of the first seed that violates one.
    violation: Option<(u64, Violation)>,
}

/// The histories of the first `count` seeds, as many at once as there are cores; none is begun after a violation.
pub(crate) fn try_seeds(count: u64, codes: &Codes) -> Shown {
    let next = AtomicU64::new(0);
    let shown = Mutex::new(Shown { coverage: Coverage::default(), violation: None });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut coverage = Coverage::default();
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < count
                {
                    let history = History::of(&Plan::draw(seed, codes), codes);
                    coverage.add(&history);
                    if let Some(violation) = violated(&history) {
                        next.store(count, Ordering::Relaxed);
                        let mut shown = shown.lock().expect("not poisoned");
                        if shown.violation.as_ref().is_none_or(|(other, _)| seed < *other) {
                            shown.violation = Some((seed, violation));
                        }
                    }
                }
                shown.lock().expect("not poisoned").coverage.merge(coverage);
            });
        }
    });
    shown.into_inner().expect("not poisoned")
}

impl Shown {
    /// Fails with the shortest history that shows the violation, if there is one.
    pub(crate) fn assert_sound(&self, codes: &Codes) {
        if let Some((seed, violation)) = &self.violation {
            let (history, violation) = shortest(&Plan::draw(*seed, codes), violation, codes);
            panic!("{}\n{}", told(&history), advice(*seed, &violation, codes));
        }
    }
}

/// One seed's history, told whole. Fails as [`Shown::assert_sound`] does.
#[allow(clippy::print_stdout, reason = "somebody asked for it")]
pub(crate) fn tell(seed: u64, codes: &Codes) {
    let plan = Plan::draw(seed, codes);
    let history = History::of(&plan, codes);
    println!("{}", told(&history));
    let violation = violated(&history).map(|violation| (seed, violation));
    Shown { coverage: Coverage::default(), violation }.assert_sound(codes);
}

fn advice(seed: u64, Violation { invariant, what }: &Violation, codes: &Codes) -> String {
    let test = codes.test();
    format!(
        "violated: {invariant}\n{what}\nto repeat it, whole and then shortened as here:\n\
         SIMULATION_SEED={seed} cargo test -p worker {test} -- --nocapture"
    )
}

/// Plan and trace.
fn told(history: &History) -> String {
    let Plan {
        seed,
        horizon,
        time_to_type,
        function_timeout,
        has_table,
        state,
        limits,
        providers,
        heals_at,
        messages,
        repeats,
        redrives,
        shutdowns,
        faults,
        processes,
        incidents,
    } = &history.plan;
    let heals_at = heals_at / 1_000;
    let table = if *has_table { "a table" } else { "no table" };
    let mut lines = vec![format!(
        "seed {seed}: horizon {horizon:?}, time to type {time_to_type:?}, function timeout {function_timeout:?}, \
         {providers} providers, {table}, {state:?}, {limits:?}, all is well from {heals_at} s on"
    )];
    lines.extend(processes.iter().map(|process| format!("  {process:?}")));
    lines.extend(messages.iter().map(|message| format!("  {message:?}")));
    lines.extend(repeats.iter().map(|repeat| format!("  {repeat:?}")));
    lines.extend(redrives.iter().map(|redrive| format!("  {redrive:?}")));
    lines.extend(shutdowns.iter().map(|shutdown| format!("  {shutdown:?}")));
    lines.extend(faults.iter().map(|fault| format!("  {fault:?}")));
    lines.extend(incidents.iter().map(|incident| format!("  {incident:?}")));
    lines.extend(history.trace.iter().map(ToString::to_string));
    lines.join("\n")
}
