//! What is found goes away by the remedy that was printed with it.

use std::collections::BTreeSet;

use crate::provocations::{Provocation, Remedied, STEPS};
use crate::world::World;

/// Provokes each finding of a step, and applies its remedy.
pub(crate) fn clear(world: &World, provocations: &[Provocation]) {
    let before = world.doctor();
    assert_eq!((before.code, before.not_sound()), (Some(0), Vec::new()), "{}", before.whole);
    for provocation in provocations {
        let Provocation { check, verdict, found, provoke, remedy } = provocation;
        let what = format!("{check}: {found}");
        provoke(world);
        let said = world.doctor();
        let finding = said.finding(check);
        let is_found = finding["verdict"] == *verdict && finding["found"].as_str().unwrap().contains(found);
        assert!(is_found, "{what}: {finding:#}");
        assert!(finding["remedy"].is_string(), "{what}: {finding:#}");
        let is_wrong = said.findings.iter().any(|finding| finding["verdict"] == "wrong");
        assert_eq!(said.code, Some(i32::from(is_wrong)), "{what}");
        let command = finding["command"].as_str();
        match (remedy, command) {
            (Remedied::Command, Some(command)) => world.paste(command),
            (Remedied::CommandAnd(apply), Some(command)) => {
                world.paste(command);
                apply(world);
            }
            (Remedied::Hand(apply), None) => apply(world),
            (Remedied::Command | Remedied::CommandAnd(_), None) => panic!("{what}: no command: {finding:#}"),
            (Remedied::Hand(_), Some(command)) => panic!("{what}: its command is not tried: {command}"),
        }
        let after = world.doctor();
        assert_eq!((after.code, after.not_sound()), (Some(0), Vec::new()), "{what}, remedied");
    }
}

/// Each check of the doctor is provoked at least once.
pub(crate) fn every_check_is_provoked(world: &World) {
    let provoked: BTreeSet<_> = STEPS.iter().flat_map(|(_, all)| all.iter()).map(|one| one.check).collect();
    let said = world.doctor();
    let checks: BTreeSet<_> = said.findings.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    assert_eq!(provoked, checks);
}
