//! `mod.rs` is the door of a room, and nothing else.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "doors",
    remedy: "a room is tools/WING/src/ROOM/mod.rs; any other module is foo.rs beside its folder foo/",
    find,
};

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let parts: Vec<_> = file.path.split('/').collect();
        match parts.as_slice() {
            ["tools", _, "src", _, "mod.rs"] => {}
            [.., "mod.rs"] => findings.push(Finding::new(&file.path, 0, "is no door of a room")),
            ["tools", wing, "src", room, ..] => {
                let door = format!("tools/{wing}/src/{room}/mod.rs");
                let is_folder = parts.len() > 4;
                if is_folder && tree.file(&door).is_none() {
                    findings.push(Finding::new(&file.path, 0, "its room has no door mod.rs"));
                }
            }
            _ => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    #[test]
    fn only_rooms_have_doors() {
        let door = ("tools/run/src/links/mod.rs", "");
        check(&CHECK, &[door, ("tools/run/src/links/store.rs", "")], &[]);
        check(&CHECK, &[("store/src/sqlite/mod.rs", "")], &["store/src/sqlite/mod.rs:0"]);
        let deep = "tools/run/src/links/store/mod.rs";
        check(&CHECK, &[door, (deep, "")], &["tools/run/src/links/store/mod.rs:0"]);
        let alone = ("tools/run/src/views/store.rs", "");
        check(&CHECK, &[alone], &["tools/run/src/views/store.rs:0"]);
        check(&CHECK, &[("tools/run/src/lib.rs", "")], &[]);
    }
}
