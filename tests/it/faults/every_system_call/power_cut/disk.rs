//! What a disk may show after a power cut, by what POSIX promises: what was synced is there; of
//! everything else each change of a file's content, of its length and of a directory is there or
//! not, in any combination. A rename is there whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::trace::Call;

/// The number of a file or directory.
type Node = usize;

/// What stands for the content of a directory.
pub(super) const DIRECTORY: &[u8] = b"a directory";

/// The contents of files, and [`DIRECTORY`] of directories, by their paths.
pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// So many changes that may be lost are tried in every combination; of more, every one and every
/// two are lost or kept alone.
const EVERY_COMBINATION: usize = 9;

#[derive(Clone, Debug)]
enum Change {
    Write {
        node: Node,
        at: usize,
        bytes: Vec<u8>,
    },
    SetLength {
        node: Node,
        length: usize,
        only_grows: bool,
    },
    /// Entries of directories, which change together.
    Entries(Vec<(Node, String, Option<Node>)>),
}

impl Change {
    /// The file or directory whose sync makes it durable; of a rename, where the name appears.
    fn node(&self) -> Node {
        match self {
            Self::Write { node, .. } | Self::SetLength { node, .. } => *node,
            Self::Entries(entries) => entries.last().map_or(0, |entry| entry.0),
        }
    }
}

/// A disk on which a command is replayed.
pub(super) struct Disk {
    root: PathBuf,
    /// The changes so far, and whether each is durable.
    changes: Vec<(Change, bool)>,
    /// The entries of directories as processes see them.
    live: HashMap<(Node, String), Node>,
    directories: Vec<Node>,
    nodes: usize,
    initial: HashMap<Node, Vec<u8>>,
    initial_entries: Vec<(Node, String, Node)>,
}

impl Disk {
    /// A disk that durably holds these files below `root`.
    pub(super) fn new(root: &Path, files: &Files) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            changes: Vec::new(),
            live: HashMap::new(),
            directories: vec![0],
            nodes: 1,
            initial: HashMap::new(),
            initial_entries: Vec::new(),
        };
        for (path, bytes) in files {
            let mut directory = 0;
            let names: Vec<String> = path
                .iter()
                .map(|name| name.to_string_lossy().into())
                .collect();
            for (place, name) in names.iter().enumerate() {
                let known = disk.live.get(&(directory, name.clone())).copied();
                let node = known.unwrap_or_else(|| {
                    let node = disk.new_node();
                    disk.live.insert((directory, name.clone()), node);
                    disk.initial_entries.push((directory, name.clone(), node));
                    node
                });
                match place + 1 == names.len() && bytes != DIRECTORY {
                    true => drop(disk.initial.insert(node, bytes.clone())),
                    false => disk.directories.push(node),
                }
                directory = node;
            }
        }
        disk
    }

    fn new_node(&mut self) -> Node {
        self.nodes += 1;
        self.nodes - 1
    }

    /// The directory and the name of a path, if the directory is there.
    fn place(&self, path: &Path) -> Option<(Node, String)> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let name = relative.file_name()?.to_string_lossy().into_owned();
        let mut directory = 0;
        for part in relative.parent()?.iter() {
            directory = *self.live.get(&(directory, part.to_string_lossy().into()))?;
        }
        Some((directory, name))
    }

    fn node(&self, path: &Path) -> Option<Node> {
        if path == self.root {
            return Some(0);
        }
        self.live.get(&self.place(path)?).copied()
    }

    /// Does a call. Returns whether anything changed that a power cut could show.
    pub(super) fn apply(&mut self, call: &Call) -> bool {
        self.try_apply(call).is_some()
    }

    fn try_apply(&mut self, call: &Call) -> Option<()> {
        match call {
            Call::Create { path, truncates } => match self.node(path) {
                Some(node) if *truncates => self.change(Change::SetLength {
                    node,
                    length: 0,
                    only_grows: false,
                }),
                Some(_) => return None,
                None => drop(self.make(path)?),
            },
            Call::MakeDirectory(path) => {
                let node = self.make(path)?;
                self.directories.push(node);
            }
            Call::Write { path, at, bytes } => {
                let node = self.node(path)?;
                let (at, bytes) = (*at, bytes.clone());
                self.change(Change::Write { node, at, bytes });
            }
            Call::SetLength {
                path,
                length,
                only_grows,
            } => {
                let node = self.node(path)?;
                let (length, only_grows) = (*length, *only_grows);
                self.change(Change::SetLength {
                    node,
                    length,
                    only_grows,
                });
            }
            Call::Rename {
                from,
                to,
                exchanges,
            } => {
                let node = self.node(from)?;
                let other = self.node(to).filter(|_| *exchanges);
                let (from, to) = (self.place(from)?, self.place(to)?);
                self.entries(vec![(from.0, from.1, other), (to.0, to.1, Some(node))]);
            }
            Call::Remove(path) => {
                let (directory, name) = self.place(path)?;
                self.entries(vec![(directory, name, None)]);
            }
            Call::Sync(path) => {
                let node = self.node(path)?;
                for (change, durable) in &mut self.changes {
                    *durable |= change.node() == node;
                }
            }
            Call::Send => return None,
        }
        Some(())
    }

    fn make(&mut self, path: &Path) -> Option<Node> {
        let (directory, name) = self.place(path)?;
        let node = self.new_node();
        self.entries(vec![(directory, name, Some(node))]);
        Some(node)
    }

    fn entries(&mut self, entries: Vec<(Node, String, Option<Node>)>) {
        for (directory, name, node) in &entries {
            match node {
                Some(node) => drop(self.live.insert((*directory, name.clone()), *node)),
                None => drop(self.live.remove(&(*directory, name.clone()))),
            }
        }
        self.change(Change::Entries(entries));
    }

    fn change(&mut self, change: Change) {
        self.changes.push((change, false));
    }

    /// Whether a sync of this file or directory would make durable what counts.
    pub(super) fn needs_sync(&self, path: &Path, counts: &dyn Fn(&Path) -> bool) -> bool {
        let Some(node) = self.node(path) else {
            return false;
        };
        let mut changes = self.changes.iter().zip(self.names());
        changes.any(|((change, durable), names)| {
            !durable && change.node() == node && names.iter().any(|name| counts(name))
        })
    }

    /// Everything that the disk may show if the power is cut now.
    pub(super) fn after_a_cut(&self, counts: &dyn Fn(&Path) -> bool) -> Vec<Files> {
        let kept: Vec<bool> = self.changes.iter().map(|(_, durable)| *durable).collect();
        let names = self.names();
        let open: Vec<usize> = (0..kept.len())
            .filter(|&place| !kept[place] && names[place].iter().any(|path| counts(path)))
            .collect();
        let mut all = Vec::new();
        for lost in combinations(open.len()) {
            let mut chosen = vec![true; kept.len()];
            for (bit, &place) in open.iter().enumerate() {
                chosen[place] = !lost.contains(&bit);
            }
            let files = self.show(&chosen);
            if !all.contains(&files) {
                all.push(files);
            }
        }
        all
    }

    /// The paths that each change concerns, under every name that a file ever had.
    fn names(&self) -> Vec<Vec<PathBuf>> {
        let mut paths: HashMap<Node, Vec<PathBuf>> = HashMap::from([(0, vec![PathBuf::new()])]);
        let initial = self
            .initial_entries
            .iter()
            .map(|(d, name, node)| (*d, name, *node));
        let later = self.changes.iter().flat_map(|(change, _)| match change {
            Change::Entries(entries) => entries.as_slice(),
            _ => &[],
        });
        let later = later.filter_map(|(d, name, node)| Some((*d, name, (*node)?)));
        for (directory, name, node) in initial.chain(later) {
            let parents = paths.get(&directory).cloned().unwrap_or_default();
            let known = paths.entry(node).or_default();
            known.extend(parents.iter().map(|parent| parent.join(name)));
        }
        let of = |node: Node| paths.get(&node).cloned().unwrap_or_default();
        let each = self.changes.iter().map(|(change, _)| match change {
            Change::Write { node, .. } | Change::SetLength { node, .. } => of(*node),
            Change::Entries(entries) => {
                let parents = entries.iter().flat_map(|(d, name, _)| {
                    of(*d).into_iter().map(move |parent| parent.join(name))
                });
                parents.collect()
            }
        });
        each.collect()
    }

    fn show(&self, chosen: &[bool]) -> Files {
        let mut contents = self.initial.clone();
        let initial = self.initial_entries.iter();
        let mut entries: BTreeMap<(Node, String), Node> = initial
            .map(|(directory, name, node)| ((*directory, name.clone()), *node))
            .collect();
        for ((change, _), _) in self
            .changes
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| **chosen)
        {
            match change {
                Change::Write { node, at, bytes } => {
                    let content = contents.entry(*node).or_default();
                    content.resize(content.len().max(at + bytes.len()), 0);
                    content[*at..at + bytes.len()].copy_from_slice(bytes);
                }
                Change::SetLength {
                    node,
                    length,
                    only_grows,
                } => {
                    let content = contents.entry(*node).or_default();
                    if !only_grows || content.len() < *length {
                        content.resize(*length, 0);
                    }
                }
                Change::Entries(changed) => {
                    for (directory, name, node) in changed {
                        match node {
                            Some(node) => drop(entries.insert((*directory, name.clone()), *node)),
                            None => drop(entries.remove(&(*directory, name.clone()))),
                        }
                    }
                }
            }
        }
        let mut files = Files::new();
        self.collect(0, &PathBuf::new(), &entries, &contents, &mut files);
        files
    }

    fn collect(
        &self,
        directory: Node,
        path: &Path,
        entries: &BTreeMap<(Node, String), Node>,
        contents: &HashMap<Node, Vec<u8>>,
        files: &mut Files,
    ) {
        let from = (directory, String::new());
        for ((_, name), node) in entries.range(from..(directory + 1, String::new())) {
            let path = path.join(name);
            if !self.directories.contains(node) {
                files.insert(path, contents.get(node).cloned().unwrap_or_default());
                continue;
            }
            self.collect(*node, &path, entries, contents, files);
            files.insert(path, DIRECTORY.to_vec());
        }
    }
}

/// Which of so many changes are lost.
fn combinations(count: usize) -> Vec<Vec<usize>> {
    if count <= EVERY_COMBINATION {
        let all = 0..1_usize << count;
        return all
            .map(|bits| (0..count).filter(|bit| bits >> bit & 1 == 1).collect())
            .collect();
    }
    let mut few: Vec<Vec<usize>> = vec![Vec::new()];
    for first in 0..count {
        few.extend((first..count).map(|second| vec![first, second]));
    }
    let all_but = |few: &Vec<usize>| (0..count).filter(|place| !few.contains(place)).collect();
    let many: Vec<Vec<usize>> = few.iter().map(all_but).collect();
    few.into_iter().chain(many).collect()
}
