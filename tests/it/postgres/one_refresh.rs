//! One refresh for any number of processes and gateways on two machines.

use std::process::Stdio;
use std::time::Duration;

use crate::support::ran;
use crate::support::running_gateway::{Answer, Gateway};
use crate::support::team::Team;

const PROFILE: &str = "openai-codex:default";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

#[test]
#[ignore = "needs PostgreSQL"]
fn sixty_four_callers_of_each_of_two_gateways_are_one_request() {
    let team = Team::new();
    let before = team.seed(PROFILE, -10);
    team.issuer.set_delay(Duration::from_millis(50));
    let gateways = [team.gateway(0), team.gateway(1)];
    let answers = std::thread::scope(|scope| {
        let callers = gateways.iter().flat_map(|gateway| [gateway; 64]);
        let callers = callers.map(|gateway| scope.spawn(|| ask(gateway)));
        let begun: Vec<_> = callers.collect();
        let answers = begun.into_iter().map(|caller| caller.join().unwrap());
        answers.collect::<Vec<_>>()
    });
    let (access, refresh) = team.tokens(PROFILE).unwrap();
    assert_ne!(refresh, before);
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["access_token"], access.as_str());
    }
    assert_eq!(team.issuer.token_requests().len(), 1);
}

/// Asks until there is a place: of one address so many may ask at once and no more.
fn ask(gateway: &Gateway) -> Answer {
    for _ in 0..600 {
        let answer = gateway.get("/v1/token?provider=openai-codex");
        // One that is turned away at the door may be reset before it has read why.
        if ![0, 503].contains(&answer.status) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("there is no place for one more");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn thirty_two_processes_on_two_machines_are_one_request() {
    let team = Team::new();
    team.seed(PROFILE, -10);
    team.issuer.set_delay(Duration::from_millis(50));
    let begun: Vec<_> = (0..32)
        .map(|number| {
            let mut command = team.command(number % 2, &TOKEN);
            let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            piped.spawn().unwrap()
        })
        .collect();
    let all = begun.into_iter();
    let all: Vec<_> = all
        .map(|child| ran(child.wait_with_output().unwrap()))
        .collect();
    let (access, _) = team.tokens(PROFILE).unwrap();
    for ran in all {
        assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
    }
    assert_eq!(team.issuer.token_requests().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn eight_callers_who_ask_for_more_than_the_provider_gives_are_one_request() {
    let team = Team::new();
    team.seed(PROFILE, -10);
    let args = [&TOKEN[..], &["--min-valid", "20d"]].concat();
    let begun: Vec<_> = (0..8)
        .map(|number| {
            let mut command = team.command(number % 2, &args);
            let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            piped.spawn().unwrap()
        })
        .collect();
    let ended = begun
        .into_iter()
        .map(|child| ran(child.wait_with_output().unwrap()));
    let mut all: Vec<_> = ended.collect();
    // One that comes when all the others are done.
    all.push(team.run(1, &args));
    let (access, _) = team.tokens(PROFILE).unwrap();
    for ran in all {
        assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
        assert!(ran.err.contains("--min-valid asks for 20d"), "{ran:?}");
    }
    assert_eq!(team.issuer.token_requests().len(), 1);
}
