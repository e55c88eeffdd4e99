//! Where an answer of ours differs from a recorded one, on purpose: `exceptions.txt`.

use super::compare::Difference;

/// A difference that is meant.
#[derive(Debug)]
pub(super) struct Exception {
    /// What differs, as the first column of `docs/compatibility.md` has it.
    pub(super) what: &'static str,
    release: &'static str,
    how: &'static str,
    questions: &'static str,
    stores: &'static str,
    path: &'static str,
}

/// All of them.
pub(super) fn all() -> Vec<Exception> {
    let mut what = "";
    let mut all = Vec::new();
    for line in include_str!("exceptions.txt").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            what = title;
        } else if !line.is_empty() && !line.starts_with('#') {
            let words: Vec<&str> = line.split(' ').collect();
            let [release, how, questions, stores, path] = words[..] else {
                panic!("{line}");
            };
            all.push(Exception {
                what,
                release,
                how,
                questions,
                stores,
                path,
            });
        }
    }
    all
}

impl Exception {
    /// Whether this is why an answer differs.
    pub(super) fn explains(
        &self,
        release: &str,
        store: &str,
        question: &str,
        difference: &Difference,
    ) -> bool {
        let one_of = |list: &str, name: &str| list.split(',').any(|pattern| fits(pattern, name));
        let (path, names) = (words(self.path), words(&difference.path));
        self.release == release
            && self.how == format!("{:?}", difference.how)
            && one_of(self.questions, question)
            && one_of(self.stores, store)
            && leads(&path, &names)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

fn words(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

fn leads(pattern: &[&str], names: &[&str]) -> bool {
    match (pattern, names) {
        ([], []) => true,
        (["**", after @ ..], _) => (0..=names.len()).any(|skipped| leads(after, &names[skipped..])),
        ([first, after @ ..], [name, others @ ..]) => fits(first, name) && leads(after, others),
        _ => false,
    }
}
