//! What commands that only look must not do.

use crate::support::World;
use crate::support::recorded::{stores, world};

fn run(world: &World, env: &[(String, String)], args: &[&str]) -> crate::support::Ran {
    let mut command = world.command(args);
    command.envs(env.iter().map(|(key, value)| (key, value)));
    crate::support::ran(command.output().unwrap())
}

#[test]
fn short_secrets_are_masked_where_the_reference_printed_them() {
    let (world, env, _) = world("env-keys");
    for args in [&["models", "status"][..], &["models", "status", "--json"]] {
        let ran = run(&world, &env, args);
        for (name, secret) in &env {
            assert!(ran.out.contains(name.as_str()), "{ran:?}");
            assert!(!ran.out.contains(secret.as_str()), "{name} is shown whole");
        }
    }
}

#[test]
fn reading_writes_nothing() {
    for store in stores() {
        let (world, env, _) = world(&store);
        let before = snapshot(&world);
        for args in [
            &["models", "status"][..],
            &["models", "auth", "list"],
            &["agents", "list"],
            &["models", "list"],
            &["models", "aliases", "list"],
            &["models", "fallbacks", "list"],
            &["channels", "list"],
        ] {
            run(&world, &env, args);
        }
        assert_eq!(snapshot(&world), before, "{store}");
    }
}

fn snapshot(world: &World) -> Vec<(String, Vec<u8>)> {
    fn walk(directory: &std::path::Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&world.state(), &mut found);
    found.sort();
    found
}
