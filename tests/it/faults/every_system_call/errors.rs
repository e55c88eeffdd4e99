//! Which error each system call can end with.

use super::strace::Point;

/// The errors that a kernel may return for this call; none where a failure would mean nothing for
/// the files. A short write is not among them: `strace` can only pretend one, and what really ends
/// early is tried in `atomic_write_cut_short.rs`.
pub(super) fn of(point: &Point) -> Vec<&'static str> {
    let has = |part: &str| point.args.contains(part);
    // The kernel has no such errors for its own objects, and the loader's are not ours.
    if has("anon_inode:") || has("/lib/") {
        return Vec::new();
    }
    match point.call.as_str() {
        "open" | "openat" if has("O_CREAT") => {
            vec!["ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE", "EINTR"]
        }
        "open" | "openat" if has("O_WRONLY") || has("O_RDWR") => {
            vec!["EIO", "EROFS", "EACCES", "EMFILE", "EINTR"]
        }
        "open" | "openat" => vec!["EIO", "EACCES", "EMFILE", "EINTR"],
        "write" | "pwrite64" | "writev" => vec!["ENOSPC", "EIO", "EINTR"],
        "fsync" | "fdatasync" => vec!["EIO", "ENOSPC", "EINTR"],
        "rename" | "renameat" | "renameat2" => vec!["ENOSPC", "EIO", "EROFS", "EACCES"],
        "chmod" | "fchmod" | "fchmodat" | "utimensat" => vec!["EIO", "EROFS", "EACCES"],
        "unlink" | "unlinkat" | "rmdir" => vec!["EIO", "EROFS", "EACCES"],
        "mkdir" | "mkdirat" => vec!["ENOSPC", "EIO", "EROFS", "EACCES"],
        "flock" => vec!["EINTR", "ENOLCK", "EIO"],
        "ftruncate" => vec!["EIO", "EINTR"],
        "fallocate" => vec!["ENOSPC", "EIO", "EINTR", "EOPNOTSUPP"],
        "read" => vec!["EIO", "EINTR"],
        "statx" | "newfstatat" | "readlink" => vec!["EIO", "EACCES"],
        "getdents64" | "lseek" => vec!["EIO"],
        "socket" | "epoll_create1" | "eventfd2" => vec!["EMFILE"],
        "fcntl" if has("DUPFD") => vec!["EMFILE"],
        _ => Vec::new(),
    }
}

/// The same, as `strace` is told.
pub(super) fn whats(point: &Point) -> Vec<String> {
    let errors = of(point).into_iter();
    errors.map(|error| format!("error={error}")).collect()
}
