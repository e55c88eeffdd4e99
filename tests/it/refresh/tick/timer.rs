//! `tick --install`: units that say what they must, and nobody else's unit touched.

use std::path::PathBuf;

use crate::support::World;

fn units(world: &World) -> PathBuf {
    world.directory.path().join("home/.config/systemd/user")
}

fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(units(world).join(name)).unwrap()
}

#[test]
fn units_name_what_is_in_use_and_are_written_once() {
    let world = World::new();
    world.write("openclaw.json", "{}");
    let ran = world.run(&[
        "tick",
        "--install",
        "--every",
        "hourly",
        "--prometheus",
        "a.prom",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out
            .contains("systemctl --user enable --now openclaw-tick.timer")
    );
    let service = read(&world, "openclaw-tick.service");
    let prometheus = world.directory.path().join("a.prom");
    let line = format!(
        "ExecStart=\"{}\" \"tick\" \"--prometheus\" \"{}\"\n",
        crate::support::program(),
        prometheus.display()
    );
    assert!(service.contains(&line), "{service}");
    let state = format!(
        "Environment=\"OPENCLAW_STATE_DIR={}\"\n",
        world.state().display()
    );
    assert!(service.contains(&state), "{service}");
    assert!(read(&world, "openclaw-tick.timer").contains("OnUnitActiveSec=3600s\n"));

    let again = world.run(&[
        "tick",
        "--install",
        "--every",
        "1h",
        "--prometheus",
        "a.prom",
    ]);
    assert_eq!(again.out.matches("Unchanged: ").count(), 2, "{again:?}");
    let other = world.run(&["tick", "--install"]);
    assert_eq!(other.out.matches("Written: ").count(), 2, "{other:?}");
    assert!(read(&world, "openclaw-tick.timer").contains("OnUnitActiveSec=900s\n"));

    let wants = units(&world).join("timers.target.wants");
    std::fs::create_dir(&wants).unwrap();
    let link = wants.join("openclaw-tick.timer");
    std::os::unix::fs::symlink("../openclaw-tick.timer", &link).unwrap();
    let removed = world.run(&["tick", "--uninstall"]);
    assert_eq!(removed.out.matches("Removed: ").count(), 2, "{removed:?}");
    assert!(std::fs::symlink_metadata(&link).is_err());
    let left = std::fs::read_dir(units(&world)).unwrap().flatten();
    assert_eq!(left.count(), 1, "only the directory of links is left");
    let nothing = world.run(&["tick", "--uninstall"]);
    assert_eq!(
        (nothing.code, nothing.out.matches("Not there: ").count()),
        (0, 2)
    );
}

#[test]
fn the_configuration_directory_is_that_of_xdg() {
    let world = World::new();
    let config = world.directory.path().join("xdg");
    let mut command = world.command(&["tick", "--install"]);
    let output = command.env("XDG_CONFIG_HOME", &config).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(config.join("systemd/user/openclaw-tick.timer").exists());
    // A relative one is not to be heeded.
    let mut command = world.command(&["tick", "--install"]);
    let output = command.env("XDG_CONFIG_HOME", "xdg").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(units(&world).join("openclaw-tick.timer").exists());
}

#[test]
fn a_unit_of_somebody_else_stays() {
    let world = World::new();
    std::fs::create_dir_all(units(&world)).unwrap();
    let theirs = units(&world).join("openclaw-tick.timer");
    std::fs::write(&theirs, "[Timer]\n").unwrap();
    for command in ["--install", "--uninstall"] {
        let ran = world.run(&["tick", command]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("was not written by openclaw"), "{ran:?}");
    }
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "[Timer]\n");
    assert!(!units(&world).join("openclaw-tick.service").exists());
}

#[test]
fn cron_gets_one_line_that_a_shell_understands() {
    let world = World::new();
    let out = world
        .run(&["tick", "--print", "cron", "--every", "30m"])
        .out;
    let line = out.strip_suffix('\n').unwrap();
    let command = line.strip_prefix("*/30 * * * * ").unwrap();
    assert!(!line.contains('\n'));
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", command])
        .env_clear()
        .env("HOME", world.directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (0, 0),
        "{output:?}"
    );
    assert!(world.state().join("alerts.json").exists());
    assert_eq!(
        world
            .run(&["tick", "--print", "cron", "--every", "7m"])
            .code,
        1
    );
    assert_eq!(world.run(&["tick", "--install", "--every", "10s"]).code, 1);
    assert_eq!(world.run(&["tick", "--every", "1h"]).code, 1);
    let nowhere = world.run(&["tick", "--install", "--prometheus", "-"]);
    assert_eq!(nowhere.code, 1, "{nowhere:?}");
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_understands_the_units() {
    let base = tempfile::tempdir().unwrap();
    let odd = base.path().join("a b%c$d\"e");
    std::fs::create_dir(&odd).unwrap();
    let world = World::new();
    let prometheus = odd.join("x.prom");
    let mut command = world.command(&["tick", "--install", "--prometheus"]);
    let output = command.arg(prometheus).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for name in ["openclaw-tick.service", "openclaw-tick.timer"] {
        let output = std::process::Command::new("systemd-analyze")
            .args(["verify", "--user"])
            .arg(units(&world).join(name))
            .env("XDG_RUNTIME_DIR", base.path())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !err.contains("openclaw-tick"),
            "{err}"
        );
    }
}
