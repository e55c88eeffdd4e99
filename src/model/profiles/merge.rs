//! Merging what another program wrote into a document while a change of ours was under way.

use super::super::json::Extra;
use super::{AuthProfiles, Content, Entry};

impl AuthProfiles {
    /// Makes every change here that leads from `base` to `theirs`, entry by entry. What both changed
    /// is as in `theirs`.
    pub fn merge(&mut self, base: &Self, theirs: Self) {
        let is_gone = |entry: &&Entry| theirs.like(entry).is_none();
        for gone in base.entries.iter().filter(is_gone) {
            let is_it = |mine: &Entry| mine.key == gone.key && is_same(mine, gone);
            self.entries.retain(|mine| !is_it(mine));
        }
        let is_new = |entry: &Entry| !base.like(entry).is_some_and(|old| is_same(old, entry));
        for entry in theirs.entries.into_iter().filter(is_new) {
            match self.entries.iter_mut().find(|mine| mine.key == entry.key) {
                Some(mine) => *mine = entry,
                None => self.entries.push(entry),
            }
        }
        merge(&mut self.order, &base.order, theirs.order);
        merge(&mut self.last_good, &base.last_good, theirs.last_good);
        merge(&mut self.usage, &base.usage, theirs.usage);
        let extras = |mine: &mut Extra, base: &Extra, theirs: Extra| {
            merge(&mut mine.0, &base.0, theirs.0);
        };
        extras(&mut self.extra, &base.extra, theirs.extra);
        extras(&mut self.state_extra, &base.state_extra, theirs.state_extra);
    }

    /// Adds what is in `theirs` and not here. Returns the entries that are here with other content.
    pub fn add_missing(&mut self, theirs: Self, is_wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut other = Vec::new();
        for entry in theirs.entries {
            match self.like(&entry) {
                None if is_wanted(&entry) => self.entries.push(entry),
                Some(mine) if !is_same(mine, &entry) => other.push(entry),
                _ => {}
            }
        }
        add(&mut self.order, theirs.order);
        add(&mut self.last_good, theirs.last_good);
        add(&mut self.usage, theirs.usage);
        add(&mut self.extra.0, theirs.extra.0);
        add(&mut self.state_extra.0, theirs.state_extra.0);
        other
    }

    fn like(&self, entry: &Entry) -> Option<&Entry> {
        self.entries.iter().find(|other| other.key == entry.key)
    }
}

fn is_same(one: &Entry, other: &Entry) -> bool {
    // A secret that is sealed equals nothing, and its text does.
    if one.text.is_some() && one.text == other.text {
        return true;
    }
    match (&one.content, &other.content) {
        (Content::Invalid { .. }, Content::Invalid { .. }) => one.text == other.text,
        (one, other) => one == other,
    }
}

fn merge<T: PartialEq>(
    mine: &mut Vec<(String, T)>,
    base: &[(String, T)],
    theirs: Vec<(String, T)>,
) {
    let place = |name: &str, all: &[(String, T)]| all.iter().position(|(key, _)| key == name);
    for old in base
        .iter()
        .filter(|(name, _)| place(name, &theirs).is_none())
    {
        mine.retain(|mine| mine != old);
    }
    for new in theirs {
        match place(&new.0, mine) {
            _ if base.contains(&new) => {}
            Some(place) => mine[place] = new,
            None => mine.push(new),
        }
    }
}

fn add<T>(mine: &mut Vec<(String, T)>, theirs: Vec<(String, T)>) {
    for new in theirs {
        if !mine.iter().any(|(name, _)| *name == new.0) {
            mine.push(new);
        }
    }
}
