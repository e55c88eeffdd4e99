//! `models auth exec`: a program that runs, and the reasons why one does not.

use crate::support::issuer::{Account, Scripted};

use super::Transcript;
use crate::support::{World, recorded};

fn exec<'a>(options: &[&'a str], program: &[&'a str]) -> Vec<&'a str> {
    [&["models", "auth", "exec"], options, &["--"], program].concat()
}

#[test]
fn exec_runs_a_program_with_a_token() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let env = exec(&["--env", "MY_TOKEN"], &["/usr/bin/printenv", "MY_TOKEN"]);
    let cat = "cat <&$OPENCLAW_TOKEN_FD; echo \"$OPENCLAW_AUTH_PROFILE\"; exit 9";
    Transcript::of(&world)
        .env("PATH", "/usr/bin:/bin")
        .run(&env)
        .run(&exec(&["--fd"], &["sh", "-c", cat]))
        .matches("exec");
}

#[test]
fn exec_says_why_a_program_does_not_run() {
    let (world, _, _) = recorded::world("two-accounts");
    let (trouble, issuer) = World::with_issuer(Account::default());
    trouble.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    let refused = Transcript::of(&trouble)
        .note("the stored token has ended, and the provider is in trouble")
        .run(&exec(&["--env", "X"], &["true"]))
        .note("its manifest names no variable")
        .run(&exec(&["--provider", "openai-codex"], &["true"]))
        .text;
    let anthropic = ["--provider", "anthropic"];
    let mut transcript = Transcript::of(&world);
    transcript.text.insert_str(0, &refused);
    transcript
        .run(&exec(&anthropic, &["./openclaw-nonesuch"]))
        .run(&exec(&anthropic, &["/"]))
        .run(&exec(&["--provider", "google"], &["true"]))
        .run(&exec(&["--profile", "anthropic:wrok"], &["true"]))
        .run(&exec(&["--env", "A=B"], &["true"]))
        .run(&exec(&["--fd", "1"], &["true"]))
        .run(&["models", "auth", "exec", "--provider", "anthropic"])
        .run(&["models", "auth", "exec", "--provider", "anthropic", "true"])
        .matches("exec_refused");
}
