//! Many processes at once.

use super::{assert_nowhere, get, set};
use crate::support::World;

/// Sixteen names at the same time, in a vault that is there and in one that the first of them makes.
#[test]
fn what_sixteen_processes_store_at_once_is_all_there() {
    for is_there in [false, true] {
        let world = World::new();
        if is_there {
            set(&world, "FIRST", "MARKER");
        }
        let names: Vec<String> = (0..16).map(|number| format!("N{number}")).collect();
        let started: Vec<_> = (names.iter())
            .map(|name| world.feed(&["secrets", "set", name], &format!("MARKER {name}")))
            .collect();
        for child in started {
            let ended = child.wait_with_output().unwrap();
            assert!(ended.status.success(), "{ended:?}");
        }
        for name in &names {
            assert_eq!(get(&world, name).out, format!("MARKER {name}"));
        }
        assert_nowhere(&world, "MARKER");
    }
}
