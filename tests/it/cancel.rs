//! Ctrl-C at a real terminal: nothing stored, and the exit code that shells expect.

use rexpect::session::spawn_command;

use crate::support::World;

fn cancelled(world: &World, args: &[&str], prompt: &str) {
    let mut command = world.command(args);
    // The terminal is the pseudo-terminal's, not the null device that other tests give.
    command
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::inherit());
    let mut session = spawn_command(command, Some(30_000)).unwrap();
    session.exp_string(prompt).unwrap();
    session.send_control('c').unwrap();
    session
        .exp_string("Cancelled. Nothing was stored.")
        .unwrap();
    session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    // The type's own name is not exported; its text is `Exited(Pid(…), 130)`.
    assert!(format!("{status:?}").ends_with(", 130)"), "{status:?}");
}

#[test]
fn at_the_prompt_for_a_token() {
    let world = World::new();
    cancelled(
        &world,
        &["models", "auth", "paste-token", "--provider", "anthropic"],
        "it is not shown",
    );
    assert!(
        !world
            .state()
            .join("agents/main/agent/auth-profiles.json")
            .exists()
    );
}

#[test]
fn while_a_login_waits() {
    let (world, issuer) = World::with_issuer(openclaw::testing::issuer::Account::default());
    cancelled(
        &world,
        &["models", "auth", "login", "--no-browser"],
        "Or paste",
    );
    assert_eq!(issuer.token_requests().len(), 0);
    assert!(
        !world
            .state()
            .join("agents/main/agent/auth-profiles.json")
            .exists()
    );
}
