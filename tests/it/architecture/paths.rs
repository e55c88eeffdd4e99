//! The paths that a source file names: those of its `use` declarations and those in its code.

/// A path, with the name that a `use` gives it.
pub(super) struct ModulePath {
    pub(super) text: String,
    pub(super) name: Option<String>,
    /// Passed on by `pub use`.
    pub(super) is_public: bool,
}

/// The code before the unit tests, which may use whatever they like, without comments.
pub(super) fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// All paths of a source without comments.
pub(super) fn paths(source: &str) -> Vec<ModulePath> {
    let mut paths = Vec::new();
    let mut statement = String::new();
    for line in source.lines() {
        let start = line.trim_start();
        let is_use = start.starts_with("use ")
            || (start.starts_with("pub") && start.split(['(', ' ', ')']).any(|word| word == "use"));
        if !is_use && statement.is_empty() {
            let line = match start.strip_prefix("pub(in ") {
                // Who may see an item is no need of the item's.
                Some(rest) => rest.split_once(')').unwrap().1,
                None => start,
            };
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let words = words.filter(|word| word.contains("::"));
            paths.extend(words.map(|word| ModulePath {
                text: word.to_owned(),
                name: None,
                is_public: false,
            }));
            continue;
        }
        statement.push_str(line);
        if line.trim_end().ends_with(';') {
            declaration(&statement, &mut paths);
            statement.clear();
        }
    }
    paths
}

/// The paths of one `use` declaration.
fn declaration(statement: &str, paths: &mut Vec<ModulePath>) {
    let (visibility, tree) = statement.split_once("use ").unwrap();
    let mut flat = Vec::new();
    flatten("", tree.trim_end().trim_end_matches(';'), &mut flat);
    for path in flat {
        let (text, alias) = path.split_once(" as ").unwrap_or((&path, &path));
        let name = alias.trim_end_matches("::self").rsplit("::").next();
        paths.push(ModulePath {
            text: text.trim_end_matches("::self").to_owned(),
            name: name.map(str::to_owned),
            is_public: visibility.contains("pub"),
        });
    }
}

/// Takes the groups of a `use` tree apart.
fn flatten(prefix: &str, tree: &str, flat: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        if !tree.trim().is_empty() {
            flat.push(format!("{prefix}{}", tree.trim()));
        }
        return;
    };
    let members = rest.rsplit_once('}').map_or(rest, |(members, _)| members);
    let mut depth = 0;
    let between = |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    };
    for member in members.split(between) {
        flatten(&format!("{prefix}{}", head.trim()), member, flat);
    }
}
