//! A login belongs to whoever began it.

use super::access::bearer;
use super::keys::add;
use super::login::{CANCEL, FLOW, START, code_of, start};
use crate::support::World;
use crate::support::issuer::Account;
use crate::support::running_gateway::Gateway;

#[test]
fn nobody_gets_the_url_of_somebody_elses_login() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let (key, _) = add(&world, &["--role", "operator"]);
    let gateway = Gateway::start(&world);
    let ask = |method: &str, path: &str| gateway.ask(method, path, &bearer(&key), "");
    let url = start(&gateway);
    let taken = ask("POST", START);
    assert_eq!(taken.status, 409, "{taken:?}");
    assert_eq!(code_of(&taken), "login_in_progress");
    let flow = ask("GET", FLOW);
    assert_eq!(flow.json()["state"], "waiting", "{flow:?}");
    assert!(flow.json().get("auth_url").is_none(), "{flow:?}");
    assert_eq!(gateway.get(FLOW).json()["auth_url"], url);
    // Whoever may log in may also end what is in their way.
    assert_eq!(ask("POST", CANCEL).json()["status"], "cancelled");
    let own = ask("POST", START);
    assert_eq!(own.status, 200, "{own:?}");
    assert_ne!(own.json()["auth_url"], url);
    assert!(gateway.get(FLOW).json().get("auth_url").is_none());
}
