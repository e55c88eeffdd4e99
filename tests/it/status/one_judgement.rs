//! One judgement of a login: whatever is stored, no two views contradict.
//!
//! The agreement, which every test here holds every view to. Of a *provider*:
//! - `models auth token --provider` hands a token out, perhaps after a refresh that the server
//!   grants ⇔ `provider token-status` exits 0 ⇔ `explain` names what is used ⇔ `status --json` calls
//!   the provider usable.
//! - It fails ⇔ each of these fails, with the same exit code and in the same words.
//! - It fails and somebody must act ⇔ the prompt shows `!` behind the provider ⇔ `status --check`
//!   exits 1 (if no other provider makes it).
//! - It fails and time alone mends that (a pause) ⇒ `status --check` does not exit 1, and the prompt
//!   shows no `!`.
//!
//! `tick` and metrics speak of a *login* where it lies, whatever the choice for its provider: that an
//! order, `auth.profiles`, a mode or a pin excludes it is no problem of theirs. So they are held to
//! `token --profile`:
//! - It hands a token out ⇔ metrics say usable, except that a login that cools down counts as not
//!   usable (`docs/monitoring.md`).
//! - It fails ⇔ `tick` reports a problem with the same exit code and words; where somebody must act
//!   metrics say that it needs a login, and in a pause they do not.
//! - It hands a token out and `tick` reports a problem ⇒ metrics say that it needs a login: told
//!   ahead, for no other token comes.
//!
//! And after whatever `token` did, granted, refused, in vain or without an answer, all of that holds
//! again.

mod cell;
mod generated;
mod processes;
mod views;
mod written;

use openclaw::model::id::{AgentId, ProfileId, ProviderId};

use crate::security::random_inputs::targets::fake_ports::Answers;
use cell::{Cell, Choice, Journal, PROFILE, PROVIDER, Site};
use views::{OfLogin, OfProvider};

/// What the views say of one cell in contradiction, on files in memory.
fn contradictions(cell: &Cell, site: &Site) -> Vec<String> {
    let provider = ProviderId::parse(PROVIDER).unwrap();
    let profile = ProfileId::parse(PROFILE).unwrap();
    let main = AgentId::main();
    let ports = cell.build(site);
    let (of_provider, check) = OfProvider::ask(ports.ports(), &main, &provider).unwrap();
    let mut wrong = of_provider.contradictions();
    wrong.extend(of_check(cell, &of_provider, check));
    if cell.concerns_login() {
        let (own, twin) = (cell.build(site), cell.build(site));
        let of_login = OfLogin::ask(own.ports(), twin.ports(), &profile);
        assert_eq!(of_login.cools_down, cell.is_cooling_down());
        wrong.extend(of_login.contradictions());
    }
    wrong
}

/// What `status --check` says in contradiction.
fn of_check(cell: &Cell, of_provider: &OfProvider, check: u8) -> Option<String> {
    // A profile that is configured for another provider is a login that is missing there.
    let is_needed = of_provider.needs_somebody() || cell.choice == Choice::OtherProvider;
    let is_wrong = (check == 1) != is_needed;
    is_wrong.then(|| format!("check exits {check}: {:?}", of_provider.token))
}

/// Every contradiction in `cells`, which both processors look at.
fn all_contradictions(
    cells: &[Cell],
    of: &(dyn Fn(&Cell) -> Vec<String> + Sync),
) -> Result<(), String> {
    let told = |cell: &Cell| {
        let wrong = of(cell);
        (!wrong.is_empty()).then(|| format!("{cell:?}\n    {}", wrong.join("\n    ")))
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let halves = cells.chunks(cells.len().div_ceil(2));
        let workers = halves.map(|half| scope.spawn(|| half.iter().filter_map(told).collect()));
        let workers: Vec<_> = workers.collect();
        let found = workers.into_iter().map(|worker| worker.join().unwrap());
        found.flat_map(|found: Vec<String>| found).collect()
    });
    match wrong.len() {
        0 => Ok(()),
        n => Err(format!(
            "{n} of {} cells:\n{}",
            cells.len(),
            wrong.join("\n")
        )),
    }
}

#[test]
fn every_view_says_the_same_of_every_cell_of_the_matrix() {
    let cells = cell::all();
    let site = Site::in_memory();
    assert!(cells.len() > 5_000, "{}", cells.len());
    let wrong = all_contradictions(&cells, &|cell| contradictions(cell, &site));
    wrong.unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn every_view_says_the_same_after_whatever_the_server_said() {
    let site = Site::in_memory();
    let provider = ProviderId::parse(PROVIDER).unwrap();
    let profile = ProfileId::parse(PROFILE).unwrap();
    let mut cells = cell::all();
    let journals = [Journal::Nothing, Journal::Unknown, Journal::PauseOver];
    cells.retain(|cell| cell.choice == Choice::Alone && journals.contains(&cell.journal));
    cells.retain(|cell| !cell.end.is_odd());
    let wrong = all_contradictions(&cells, &|cell| {
        let mut wrong = Vec::new();
        for answers in [
            Answers::Tokens,
            Answers::Refusal,
            Answers::Trouble,
            Answers::Nothing,
            Answers::Lost,
        ] {
            let asked = || {
                let ports = cell.build(&site);
                ports.answer(answers);
                let _ = OfProvider::ask(ports.ports(), &AgentId::main(), &provider);
                ports.answer(Answers::Tokens);
                ports
            };
            let (ports, own, twin) = (asked(), asked(), asked());
            let (views, _) = OfProvider::ask(ports.ports(), &AgentId::main(), &provider).unwrap();
            let of_login = OfLogin::ask(own.ports(), twin.ports(), &profile);
            let found = [views.contradictions(), of_login.contradictions()].concat();
            wrong.extend(found.into_iter().map(|text| format!("{answers:?}: {text}")));
        }
        wrong
    });
    wrong.unwrap_or_else(|wrong| panic!("{wrong}"));
}
