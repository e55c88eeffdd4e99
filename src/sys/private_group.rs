//! Whether a group is this user's alone, as systems with the umask 002 give one to each.

use std::fs;
use std::sync::OnceLock;

const ROOT: u32 = 0;

/// Whether a group that may write to a file of `owner` is no more than that user, or that of root.
///
/// Where all users are in the files of this machine, a group is its owner's alone if these files name
/// nobody else; containers give groups to volumes that no file names. Where a directory service
/// has users, too, only a group is that the files say is the owner's.
pub(super) fn is_private(gid: u32, owner: u32) -> bool {
    gid == ROOT || judge(gid, owner)
}

/// What the files of this machine say of users and groups.
struct Accounts {
    groups: String,
    users: String,
    are_all_local: bool,
}

fn judge(gid: u32, owner: u32) -> bool {
    // Where the umask is 002, every file that is looked at asks.
    static ACCOUNTS: OnceLock<Accounts> = OnceLock::new();
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let accounts = ACCOUNTS.get_or_init(|| Accounts {
        groups: read("/etc/group"),
        users: read("/etc/passwd"),
        are_all_local: are_all_local(&read("/etc/nsswitch.conf")),
    });
    match accounts.are_all_local {
        true => !is_shared(gid, owner, &accounts.groups, &accounts.users),
        false => is_alone(gid, owner, &accounts.groups, &accounts.users),
    }
}

/// Whether the system asks nothing but its files for users and groups.
fn are_all_local(nsswitch: &str) -> bool {
    const LOCAL: [&str; 6] = ["files", "compat", "systemd", "altfiles", "db", "extrausers"];
    let asks = |line: &&str| {
        let names = [
            "passwd:",
            "group:",
            "initgroups:",
            "passwd_compat:",
            "group_compat:",
        ];
        names.iter().any(|name| line.trim_start().starts_with(name))
    };
    nsswitch.lines().filter(asks).all(|line| {
        let services = line.split_whitespace().skip(1);
        let mut services = services.filter(|word| !word.contains(['[', ']', '=']));
        services.all(|service| LOCAL.contains(&service))
    })
}

/// Whether the files name somebody else of a group than its owner.
fn is_shared(gid: u32, owner: u32, groups: &str, users: &str) -> bool {
    let (gid, owner) = (gid.to_string(), owner.to_string());
    let user = |line: &str| {
        let mut fields = line.split(':');
        Some((
            fields.next()?.to_owned(),
            fields.nth(1)?.to_owned(),
            fields.next()?.to_owned(),
        ))
    };
    let users: Vec<(String, String, String)> = users.lines().filter_map(user).collect();
    let is_owner = |member: &str| {
        users
            .iter()
            .any(|(name, id, _)| name == member && *id == owner)
    };
    let members = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        (fields.nth(2)? == gid).then(|| fields.next().unwrap_or_default())
    });
    let mut members = members
        .flat_map(|list| list.split(','))
        .filter(|name| !name.is_empty());
    let has_other_member = members.any(|member| !is_owner(member));
    has_other_member
        || users
            .iter()
            .any(|(_, id, group)| *group == gid && *id != owner)
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
    fn a_group_that_no_file_names_is_private_where_all_users_are_local() {
        assert!(!is_shared(2000, 1000, "root:x:0:\n", USERS));
        assert!(!is_shared(1000, 1000, "ana:x:1000:ana\n", USERS));
        assert!(is_shared(1000, 1000, "ana:x:1000:ben\n", USERS));
        assert!(is_shared(100, 1001, "users:x:100:\n", USERS));
        for local in [
            "",
            "passwd: files systemd\ngroup: files [SUCCESS=merge] systemd\nhosts: dns\n",
        ] {
            assert!(are_all_local(local), "{local}");
        }
        assert!(!are_all_local("passwd: files sss\n"));
        assert!(!are_all_local("group:  compat ldap\n"));
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
