//! A Cognito that others wrote, cognito-local, as the client of the producer: users sign up and are created over its
//! API, and what their phones show is what it then takes. It runs with `--include-ignored`.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

#[path = "../functions/binaries.rs"]
mod binaries;
mod trigger;
mod user_pool;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use witnesses::{Node, Trial, node, run};
use world::World;

const PHONE: &str = "+12065550100";
const PASSWORD: &str = "Tr4velling-light";

/// Far longer than anything takes; it only keeps a broken test from hanging.
const TIMEOUT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    run([
        trial("the_code_of_a_sign_up_confirms_the_user", a_sign_up),
        trial("the_temporary_password_of_a_new_user_signs_in", a_created_user),
        trial("the_code_for_an_attribute_verifies_it", an_attribute),
    ])
}

fn trial<F: Future<Output = ()>>(name: &str, scene: impl FnOnce(World) -> F + Send + 'static) -> Trial {
    Trial::outside(name, move || {
        let node: &Node = node()?;
        // The build must not use up the time of a started world.
        binaries::binaries();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let in_time = async { tokio::time::timeout(TIMEOUT, async { scene(World::new(node).await).await }).await };
        runtime.block_on(in_time).expect("it hangs");
        Ok(())
    })
}

async fn a_sign_up(world: World) {
    let pool = &world.users;
    let attributes = json!([{ "Name": "phone_number", "Value": PHONE }]);
    let request = json!({ "Username": "mary", "Password": PASSWORD, "UserAttributes": attributes });
    let answer = pool.as_client("SignUp", request).await.unwrap();
    assert_eq!(answer["UserConfirmed"], false);
    let (to, text) = world.phone().await;
    assert_eq!(to, PHONE);
    let code = digits(&text);
    assert_eq!(text, format!("Your Example sign-up code is {code}. Do not share it."));
    assert_eq!(world.status_of("mary").await, "UNCONFIRMED");

    let wrong = if code == "123456" { "123457" } else { "123456" };
    let confirm = |code: &str| pool.as_client("ConfirmSignUp", json!({ "Username": "mary", "ConfirmationCode": code }));
    assert_eq!(confirm(wrong).await.unwrap_err(), "CodeMismatchException");
    confirm(&code).await.unwrap();
    assert_eq!(world.status_of("mary").await, "CONFIRMED");
    world.shows_nothing_of(&[&code]);
}

async fn a_created_user(world: World) {
    let attributes = json!([{ "Name": "phone_number", "Value": PHONE }]);
    let request = json!({ "Username": "mary", "UserAttributes": attributes });
    world.users.as_administrator("AdminCreateUser", request).await.unwrap();
    let (to, text) = world.phone().await;
    assert_eq!(to, PHONE);
    let password = text.strip_prefix("Your Example account is ready. Your temporary password is ").unwrap();
    // Cognito itself says NotAuthorizedException.
    assert_eq!(world.sign_in("mary", "another").await.unwrap_err(), "InvalidPasswordException");
    world.sign_in("mary", password).await.unwrap();
    world.shows_nothing_of(&[password]);
}

async fn an_attribute(world: World) {
    let attributes = json!([{ "Name": "phone_number", "Value": PHONE }]);
    let request = json!({
        "Username": "mary", "TemporaryPassword": PASSWORD, "MessageAction": "SUPPRESS", "UserAttributes": attributes,
    });
    world.users.as_administrator("AdminCreateUser", request).await.unwrap();
    let token = world.sign_in("mary", PASSWORD).await.unwrap();
    let ask = json!({ "AccessToken": token, "AttributeName": "phone_number" });
    world.users.as_client("GetUserAttributeVerificationCode", ask).await.unwrap();
    let (to, text) = world.phone().await;
    assert_eq!(to, PHONE);
    let code = digits(&text);
    assert_eq!(text, format!("Your Example verification code is {code}. Do not share it."));

    let verify = json!({ "AccessToken": token, "AttributeName": "phone_number", "Code": code });
    world.users.as_client("VerifyUserAttribute", verify).await.unwrap();
    let user = world.users.as_administrator("AdminGetUser", json!({ "Username": "mary" })).await.unwrap();
    let verified = json!({ "Name": "phone_number_verified", "Value": "true" });
    assert!(user["UserAttributes"].as_array().unwrap().contains(&verified), "{user}");
    world.shows_nothing_of(&[&code]);
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
