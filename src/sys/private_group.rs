//! Whether a group is this user's alone, as systems with the umask 002 give one to each.

use std::fs;
use std::sync::OnceLock;

const ROOT: u32 = 0;

/// Whether a group that may write to a file is no more than this user: its primary group, which is
/// nobody else's, or that of root. Groups that are not in the files of this machine are not.
pub(super) fn is_private(gid: u32) -> bool {
    static PRIVATE: OnceLock<bool> = OnceLock::new();
    let is_ours = || gid == rustix::process::getegid().as_raw();
    gid == ROOT || (is_ours() && *PRIVATE.get_or_init(|| judge(gid)))
}

fn judge(gid: u32) -> bool {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let uid = super::owner_support::us();
    is_alone(gid, uid, &read("/etc/group"), &read("/etc/passwd"))
}

/// Judges by lines `name:x:gid:members` and `name:x:uid:gid:…`.
fn is_alone(gid: u32, uid: u32, groups: &str, users: &str) -> bool {
    let (gid, uid) = (gid.to_string(), uid.to_string());
    let with_group = users.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, id, group) = (fields.next()?, fields.nth(1)?, fields.next()?);
        (group == gid).then_some((name, id))
    });
    let with_group: Vec<(&str, &str)> = with_group.collect();
    let our_names: Vec<&str> = (with_group.iter())
        .filter(|(_, id)| *id == uid)
        .map(|(name, _)| *name)
        .collect();
    let members = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let id = fields.nth(2)?;
        (id == gid).then(|| fields.next().unwrap_or_default())
    });
    let is_us = |member: &str| our_names.contains(&member);
    let no_other_member = members
        .is_some_and(|members| (members.split(',').filter(|member| !member.is_empty())).all(is_us));
    no_other_member && !our_names.is_empty() && with_group.len() == our_names.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n\
                         ben:x:1001:100::/home/ben:/bin/sh\ncy:x:1002:100::/home/cy:/bin/sh\n";

    #[test]
    fn a_group_is_private_if_nobody_else_is_in_it() {
        let groups = "root:x:0:\nana:x:1000:\nusers:x:100:\n";
        assert!(is_alone(1000, 1000, groups, USERS));
        let groups = "ana:x:1000:ana\n";
        assert!(is_alone(1000, 1000, groups, USERS));
    }

    #[test]
    fn a_group_with_others_in_it_or_that_is_unknown_is_not() {
        let shared = "ana:x:1000:ana,ben\nusers:x:100:\n";
        assert!(!is_alone(1000, 1000, shared, USERS));
        assert!(!is_alone(100, 1001, shared, USERS));
        assert!(!is_alone(1000, 1000, "users:x:100:\n", USERS));
        assert!(!is_alone(1000, 1000, "", ""));
        // Users of a directory service are in no file.
        assert!(!is_alone(
            100,
            70_000,
            "users:x:100:\n",
            "root:x:0:0::/root:/bin/sh\n"
        ));
    }
}
