//! Checks of a directory that change nothing: what it lies on, whose it is, and what fits in.

use std::path::Path;

use crate::model::hint::shell_word;
use crate::ports::disk::{Kind, Owner};
use crate::ports::files::FileError;

use super::lab::{DiskCheck, Lab};
use super::report::Verdict;

/// The checks that change nothing; they get the directory itself.
pub(super) const LOOKS: [DiskCheck; 3] = [
    ("file_system", file_system),
    ("owner", owner),
    ("free_space", free_space),
];

/// A disk with less free space than this is nearly full: a store of many logins and its copy.
const LITTLE: u64 = 16 * 1024 * 1024;
const NOTHING: u64 = 256 * 1024;

/// Returns the directory, or the nearest existing one above it.
fn existing<'a>(lab: &Lab, place: &'a Path) -> Result<&'a Path, FileError> {
    for directory in place.ancestors() {
        if lab.files.stat(directory)?.is_some() {
            return Ok(directory);
        }
    }
    Ok(place)
}

fn file_system(lab: &Lab, place: &Path) -> Result<Verdict, FileError> {
    let kind = lab.disk.volume(existing(lab, place)?)?.kind;
    Ok(match kind {
        Kind::Local(name) => Verdict::ok(name),
        Kind::Memory(name) => Verdict::warning(
            format!("{name}: in memory"),
            "all logins stored here are lost on restart",
        ),
        Kind::Overlay => Verdict::warning(
            "overlay: a layer of a container",
            "all logins stored here are lost with the container; mount a volume",
        ),
        Kind::Network(name) => Verdict::warning(
            format!("{name}: network file system"),
            "use it from one machine at a time, unless its locks work across machines",
        ),
        Kind::Served(name) => Verdict::warning(
            format!("{name}: served by another program"),
            "locks and permissions depend on that program; in WSL, use the Linux disk",
        ),
        Kind::Foreign(name) => Verdict::warning(
            format!("{name}: does not support file owners"),
            "every user of this machine can read files here",
        ),
        Kind::Unknown(Some(number)) => Verdict::ok(format!("unknown (0x{number:x})")),
        Kind::Unknown(None) => Verdict::ok("unknown on this system"),
    })
}

/// What others may do with the directory: commands refuse it, or not, by the same judgement.
fn owner(lab: &Lab, place: &Path) -> Result<Verdict, FileError> {
    let Some(stat) = lab.files.stat(place)? else {
        return Ok(Verdict::ok("does not exist yet"));
    };
    if let Err(error) = lab.files.check_settings(place) {
        return match error.untrusted() {
            Some(untrusted) => Ok(Verdict::failed(untrusted.to_string(), error.remedy())),
            None => Err(error),
        };
    }
    let path = shell_word(&place.display().to_string());
    let owner = lab.disk.owner(place)?;
    if owner == Owner::Another {
        let found = "owned by another user";
        let advice = format!("run as that user, or: sudo chown -R \"$USER\" {path}");
        return Ok(Verdict::warning(found, advice));
    }
    if stat.mode & 0o002 != 0 {
        let found = format!(
            "everyone can move or remove what is here (mode {:03o})",
            stat.mode
        );
        let advice = format!("sudo chown \"$USER\" {path} && chmod go-w {path}");
        return Ok(Verdict::warning(found, advice));
    }
    Ok(Verdict::ok(match owner {
        Owner::Root => "owned by root, not writable by others",
        _ => "owned by this user, not writable by others",
    }))
}

fn free_space(lab: &Lab, place: &Path) -> Result<Verdict, FileError> {
    let volume = lab.disk.volume(existing(lab, place)?)?;
    let advice = "free some space, or no login can be stored";
    let found = format!("{} MiB free", volume.free / (1024 * 1024));
    Ok(match (volume.free, volume.free_files) {
        (_, Some(0)) => Verdict::failed("no more files can be created", advice),
        (..NOTHING, _) => Verdict::failed(found, advice),
        (..LITTLE, _) => Verdict::warning(found, advice),
        _ => Verdict::ok(found),
    })
}
