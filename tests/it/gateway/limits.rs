//! How much one client may ask.

use std::io::Read;
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::access::{bearer, status};
use super::keys::{add, revoke};
use crate::support::World;
use crate::support::running_gateway::{Answer, Gateway, TOKEN};

/// How many of ten a minute are allowed at once; on a slow machine some come back meanwhile.
const A_MINUTE: RangeInclusive<usize> = 10..=20;

/// Asks with wrong bearers until they are too many: how many there were, and the last answer.
fn guess(gateway: &Gateway, headers: &str) -> (usize, Answer) {
    let mut count = 0;
    loop {
        let wrong = format!("{}{headers}", bearer(&format!("guess-{count}")));
        let answer = gateway.ask("GET", "/v1/auth/openai/status", &wrong, "");
        if answer.status != 401 {
            return (count, answer);
        }
        count += 1;
        assert!(count < 1_000, "guessing is never stopped");
    }
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[test]
fn wrong_bearers_are_limited_and_lock_nobody_out() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, _) = add(&world, &[]);
    assert_eq!(status(&gateway, &key).status, 200);
    let (count, answer) = guess(&gateway, "X-Forwarded-For: 203.0.113.9\r\n");
    assert!(A_MINUTE.contains(&count), "{count}");
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (429, &"rate_limited".into())
    );
    assert!((1..=6).contains(&retry_after(&answer)), "{answer:?}");
    assert_eq!(status(&gateway, TOKEN).status, 200);
    assert_eq!(status(&gateway, &key).status, 200);
    let none = gateway.ask("GET", "/v1/auth/openai/status", "", "");
    assert_eq!(none.status, 401);
}

#[test]
fn a_key_does_not_outlive_its_revocation_by_wrong_bearers_beside_it() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, entry) = add(&world, &[]);
    assert_eq!(status(&gateway, &key).status, 200);
    guess(&gateway, "");
    revoke(&world, &entry);
    // Longer than a key is accepted without another look at the file.
    std::thread::sleep(Duration::from_millis(300));
    let refused = status(&gateway, &key);
    assert!(matches!(refused.status, 401 | 429), "{refused:?}");
}

#[test]
fn a_token_that_could_be_guessed_is_not_even_compared_after_that() {
    let world = World::new();
    world.write("short", "short");
    let path = world.state().join("short").display().to_string();
    let run = [
        "gateway",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--token-file",
        &path,
    ];
    let gateway = Gateway::of(world.command(&run));
    assert_eq!(status(&gateway, "short").status, 200);
    // Each refusal is followed by the right one: whether that comes back in time is not for a test.
    for _ in 0..100 {
        guess(&gateway, "");
        if status(&gateway, "short").status == 429 {
            return;
        }
    }
    panic!("the right one was never refused");
}

#[test]
fn each_client_behind_a_proxy_has_its_own_limit() {
    let world = World::new();
    let run = [
        "gateway",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--trusted-proxy",
        "127.0.0.0/8",
    ];
    let gateway = Gateway::of(world.command(&run));
    guess(&gateway, "X-Forwarded-For: 203.0.113.9\r\n");
    let other = format!("{}X-Forwarded-For: 203.0.113.10\r\n", bearer("wrong"));
    let answer = gateway.ask("GET", "/v1/auth/openai/status", &other, "");
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[test]
fn logins_of_a_caller_are_limited() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let key = |name: &str| add(&world, &["--role", "operator", "--name", name]).0;
    let (busy, other) = (key("busy"), key("other"));
    let start = |key: &str| gateway.ask("POST", "/v1/auth/nobody/start", &bearer(key), "");
    let mut count = 0;
    let refused = loop {
        let answer = start(&busy);
        if answer.status != 404 {
            break answer;
        }
        count += 1;
        assert!(count < 1_000, "logins are never limited");
    };
    assert!(A_MINUTE.contains(&count), "{count}");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!((1..=6).contains(&retry_after(&refused)), "{refused:?}");
    assert_eq!(start(&other).status, 404);
    assert_eq!(status(&gateway, &busy).status, 200);
}

#[test]
fn one_client_does_not_get_all_connections() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let refused = |stream: &mut TcpStream| {
        let mut answer = String::new();
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let _ = stream.read_to_string(&mut answer);
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n")
    };
    // Connections without a request are ended after a while, so a slow machine needs more of them.
    let mut held: Vec<TcpStream> = Vec::new();
    while !held.last_mut().is_some_and(refused) {
        assert!(held.len() < 1_000, "no connection is refused");
        held.push(TcpStream::connect(&gateway.address).unwrap());
    }
    // All clients together have 256.
    assert!((33..256).contains(&held.len()), "{}", held.len());
    drop(held);
    for _ in 0..600 {
        if status(&gateway, TOKEN).status == 200 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the places never came back");
}
