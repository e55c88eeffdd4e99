//! The pages that a browser shows.

use crate::support::browser::visit;
use crate::support::issuer::Account;

use super::compare;
use crate::support::World;
use crate::support::login::Waiting;

fn text(pages: &[(&str, String)]) -> String {
    let each = pages.iter().map(|(what, answer)| {
        let lines = answer.lines().filter(|line| !line.starts_with("Date: "));
        let answer: Vec<_> = lines.collect();
        format!("# {what}\n{}\n", answer.join("\n"))
    });
    each.collect::<Vec<_>>().join("\n")
}

#[test]
fn success_and_strays_have_their_pages() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &[]);
    let mut pages = login.refusals();
    pages.push((
        "the answer",
        visit(&login.url).unwrap().text.replace('\r', ""),
    ));
    login.finish();
    compare("pages", &text(&pages));
}

#[test]
fn each_failure_has_its_page() {
    let page = |spoil: &dyn Fn(&World, &crate::support::issuer::Issuer)| {
        let (world, issuer) = World::with_issuer(Account::default());
        let login = Waiting::start(&world, &[]);
        spoil(&world, &issuer);
        let page = visit(&login.url).unwrap().text.replace('\r', "");
        login.finish();
        let base = world.directory.path().display().to_string();
        page.replace(&base, "<base>")
    };
    let refused = page(&|_, issuer| issuer.refuse_consent("access_denied", "<b>No</b>\u{1b}[31m"));
    let unanswered = page(&|_, issuer| super::token::hang_up(issuer));
    let unstored = page(&|world, _| world.block("agents/main"));
    let pages = [
        ("refused by the person", refused),
        ("could not exchange the code", unanswered),
        ("the login could not be stored", unstored),
    ];
    compare("pages_of_failure", &text(&pages));
}
