//! What README, "Deploy", makes, as it is right afterwards.

use crate::world::World;

/// Before the trigger is set, that is all that is wrong.
pub(crate) fn a_deployment_as_in_readme_is_sound(world: &World) {
    let before = world.doctor();
    let wrong: Vec<_> = before.findings.iter().filter(|finding| finding["verdict"] == "wrong").collect();
    let checks: Vec<_> = wrong.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    assert_eq!((before.code, checks), (Some(1), vec!["trigger", "pool-key"]), "{:#?}", before.not_sound());
    world.paste(wrong[0]["command"].as_str().unwrap());

    let after = world.doctor();
    let not_sound = after.not_sound();
    let checks: Vec<_> = not_sound.iter().map(|line| line.split(':').next().unwrap()).collect();
    // The grant is Cognito's own doing, and MiniStack makes none. Nor does it give the pool SMS as second factor, which on
    // AWS would add a warning, `account-recovery`.
    assert_eq!((after.code, checks), (Some(0), vec!["cognito-grant"]), "{not_sound:#?}");
}
