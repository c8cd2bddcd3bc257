//! From a plan whose history violates an invariant to the shortest part of it that still does: delta debugging (Zeller
//! and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002) over the elements of the plan.

use crate::codes::Codes;
use crate::history::History;
use crate::invariants::{Violation, violated};
use crate::plan::Plan;

/// What can be taken out of a plan, by its place in the whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Process(usize),
    Message(usize),
    Repeat(usize),
    Redrive(usize),
    Shutdown(usize),
    Fault(usize),
    Incident(usize),
}

/// The shortest history found that violates the same invariant.
pub(crate) fn shortest(plan: &Plan, violation: &Violation, codes: &Codes) -> (History, Violation) {
    let violates = |elements: &[Element]| {
        let history = History::of(&plan.with_only(elements), codes);
        violated(&history).filter(|found| found.invariant == violation.invariant).map(|found| (history, found))
    };
    let mut elements = plan.elements();
    let mut shortest = (History::of(plan, codes), violation.clone());
    let mut parts = 2;
    while let Some(size) = elements.len().checked_div(parts).filter(|size| *size > 0) {
        let smaller = (0..elements.len()).step_by(size).find_map(|from| {
            let until = (from + size).min(elements.len());
            let rest = [&elements[..from], &elements[until..]].concat();
            // Without a process nothing happens, which proves nothing.
            let has_process = rest.iter().any(|element| matches!(element, Element::Process(_)));
            has_process.then(|| violates(&rest)).flatten().map(|found| (rest, found))
        });
        match smaller {
            Some((rest, found)) => {
                (elements, shortest) = (rest, found);
                parts = (parts - 1).max(2);
            }
            None if size == 1 => break,
            None => parts = (parts * 2).min(elements.len()),
        }
    }
    shortest
}

impl Plan {
    fn elements(&self) -> Vec<Element> {
        let processes = (0..self.processes.len()).map(Element::Process);
        let messages = (0..self.messages.len()).map(Element::Message);
        let repeats = (0..self.repeats.len()).map(Element::Repeat);
        let redrives = (0..self.redrives.len()).map(Element::Redrive);
        let shutdowns = (0..self.shutdowns.len()).map(Element::Shutdown);
        let faults = (0..self.faults.len()).map(Element::Fault);
        let incidents = (0..self.incidents.len()).map(Element::Incident);
        let operated = repeats.chain(redrives).chain(shutdowns);
        processes.chain(messages).chain(operated).chain(faults).chain(incidents).collect()
    }

    fn with_only(&self, elements: &[Element]) -> Self {
        fn kept<T: Clone>(all: &[T], element: fn(usize) -> Element, elements: &[Element]) -> Vec<T> {
            let is_kept = |(index, _): &(usize, &T)| elements.contains(&element(*index));
            all.iter().enumerate().filter(is_kept).map(|(_, element)| element.clone()).collect()
        }
        Self {
            processes: kept(&self.processes, Element::Process, elements),
            messages: kept(&self.messages, Element::Message, elements),
            repeats: kept(&self.repeats, Element::Repeat, elements),
            redrives: kept(&self.redrives, Element::Redrive, elements),
            shutdowns: kept(&self.shutdowns, Element::Shutdown, elements),
            faults: kept(&self.faults, Element::Fault, elements),
            incidents: kept(&self.incidents, Element::Incident, elements),
            ..self.clone()
        }
    }
}
