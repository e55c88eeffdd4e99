//! What the file system's port owes, on the real one.

use super::*;

const FILES: SystemFiles = SystemFiles;

fn names(dir: &Path) -> Vec<String> {
    FILES.list(dir).unwrap()
}

#[test]
fn a_replace_is_private_and_keeps_the_symlink() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    std::os::unix::fs::symlink("real", &link).unwrap();
    // The first time what the link points to does not exist, the second time it does.
    for content in ["one", "two"] {
        FILES.replace(&link, content.as_bytes()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(FILES.read(&real).unwrap().unwrap(), content.as_bytes());
        assert_eq!(FILES.stat(&link).unwrap().unwrap().mode, 0o600);
        FILES.set_mode(&real, 0o644).unwrap();
    }
    assert_eq!(names(dir.path()), ["link", "real"]);
}

#[test]
fn a_replace_that_fails_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    assert!(FILES.replace(&dir.path().join("none/a"), b"x").is_err());
    // Renaming a file over a directory fails at the last step, for root, too.
    let path = dir.path().join("a");
    FILES.create_dirs(&path.join("inside")).unwrap();
    assert!(FILES.replace(&path, b"x").is_err());
    assert_eq!(names(dir.path()), ["a"]);
    assert_eq!(names(&path), ["inside"]);
}

#[test]
fn where_nothing_can_be_created_nothing_is_reserved() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    FILES.replace(&file, b"old").unwrap();
    // A file in the place of the directory stops root, too, whom no mode stops.
    for error in [
        FILES.replace(&file.join("a"), b"new").unwrap_err(),
        FILES.reserve(&file.join("a"), 1).err().unwrap(),
        FILES
            .create_new(&file.join("a"), b"new", 0o600)
            .unwrap_err(),
        FILES.create_dirs(&file.join("a")).unwrap_err(),
    ] {
        assert_eq!(error.source.kind(), io::ErrorKind::NotADirectory, "{error}");
    }
    assert_eq!(FILES.read(&file).unwrap().unwrap(), b"old");
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn a_reservation_takes_space_then_fills_or_vanishes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    FILES.replace(&path, b"old").unwrap();
    let reservation = FILES.reserve(&path, 4_096).unwrap();
    let temp = names(dir.path()).remove(0);
    assert_eq!(fs::metadata(dir.path().join(temp)).unwrap().len(), 4_096);
    drop(reservation);
    assert_eq!(names(dir.path()), ["a"]);
    assert_eq!(FILES.read(&path).unwrap().unwrap(), b"old");

    for (size, content) in [(4_096, "new"), (0, "more than was reserved")] {
        let reservation = FILES.reserve(&path, size).unwrap();
        reservation.fill(content.as_bytes()).unwrap();
        assert_eq!(FILES.read(&path).unwrap().unwrap(), content.as_bytes());
        assert_eq!(names(dir.path()), ["a"]);
    }
}

#[test]
fn what_is_not_there_is_no_error_and_loops_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    assert_eq!(FILES.read(&path).unwrap(), None);
    assert_eq!(FILES.stat(&path).unwrap(), None);
    assert!(names(&path).is_empty());
    FILES.remove(&path).unwrap();
    std::os::unix::fs::symlink("none", &path).unwrap();
    assert!(FILES.resolve(&path).is_err());
}

#[test]
fn creating_touching_and_removing() {
    let dir = tempfile::tempdir().unwrap();
    let (sub, file) = (dir.path().join("x/y"), dir.path().join("x/y/f"));
    FILES.create_dirs(&sub).unwrap();
    assert_eq!(FILES.stat(&sub).unwrap().unwrap().mode, 0o700);
    FILES.create_new(&file, b"1", 0o600).unwrap();
    let again = FILES.create_new(&file, b"2", 0o600).unwrap_err();
    assert_eq!(again.source.kind(), io::ErrorKind::AlreadyExists);
    let again = FILES.create_dir_new(&sub).unwrap_err();
    assert_eq!(again.source.kind(), io::ErrorKind::AlreadyExists);
    for path in [&file, &sub] {
        let time = Timestamp(1_700_000_000_123);
        FILES.touch(path, time).unwrap();
        assert_eq!(FILES.stat(path).unwrap().unwrap().modified, time);
    }
    FILES.remove(&file).unwrap();
    FILES.remove(&sub).unwrap();
    assert_eq!(FILES.stat(&sub).unwrap(), None);
}

#[test]
fn a_process_lives_until_it_is_reaped() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    assert!(FILES.process_lives(child.id()));
    child.wait().unwrap();
    assert!(!FILES.process_lives(child.id()));
    assert!(FILES.process_lives(1), "not ours, but alive");
    assert!(!FILES.process_lives(0));
    assert!(!FILES.process_lives(u32::MAX));
}
