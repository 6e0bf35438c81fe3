//! A disk as the power leaves it: what was synced is there; of what was not, any 512-byte sectors
//! are, and any older version of them. A file that was removed may be there again until its folder
//! is synced.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

use super::recording::Event;
use crate::proof::Dice;

const SECTOR: usize = 512;

/// The files while the recording is played.
#[derive(Default)]
pub(super) struct Disk {
    files: BTreeMap<String, File>,
    /// What was removed since the folder was synced.
    removed: BTreeMap<String, File>,
    /// What threads sync: the file, and the last change that it covers.
    syncing: HashMap<u32, (String, u64)>,
    changes: u64,
}

#[derive(Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<(u64, Change)>,
}

enum Change {
    Write { at: usize, bytes: Rc<[u8]> },
    Resize(usize),
}

impl Disk {
    pub(super) fn play(&mut self, event: &Event, folder: &str) {
        self.changes += 1;
        match event {
            Event::Write { file, at, bytes } => {
                self.change(file, Change::Write { at: *at, bytes: Rc::clone(bytes) });
            }
            Event::Resize { file, length } => self.change(file, Change::Resize(*length)),
            Event::Remove { file } => {
                if let Some(removed) = self.files.remove(file) {
                    self.removed.insert(file.clone(), removed);
                }
            }
            Event::SyncBegan { file, thread } => {
                self.syncing.insert(*thread, (file.clone(), self.changes));
            }
            Event::Synced { thread } => {
                let (file, covered) = self.syncing.remove(thread).unwrap();
                if file == folder {
                    self.removed.clear();
                } else if let Some(file) = self.files.get_mut(&file) {
                    file.sync(covered);
                }
            }
        }
    }

    fn change(&mut self, file: &str, change: Change) {
        // A new file of this name takes the place of the old one.
        self.removed.remove(file);
        self.files.entry(file.to_owned()).or_default().pending.push((self.changes, change));
    }

    /// Leaves in `folder` what a power cut leaves now. Says how many sectors were lost.
    pub(super) fn cut(&self, folder: &Path, dice: &mut Dice) -> usize {
        let kept = *dice.one_of(&[0, 10, 50, 90, 100]);
        let mut lost = 0;
        for (name, file) in &self.files {
            std::fs::write(folder.join(name), file.cut(kept, dice, &mut lost)).unwrap();
        }
        for (name, file) in &self.removed {
            if dice.percent(50) {
                std::fs::write(folder.join(name), file.cut(kept, dice, &mut lost)).unwrap();
            }
        }
        lost
    }
}

impl File {
    fn sync(&mut self, covered: u64) {
        for (_, change) in self.pending.extract_if(.., |(number, _)| *number <= covered) {
            match change {
                Change::Write { at, bytes } => put(&mut self.durable, at, &bytes),
                Change::Resize(length) => self.durable.resize(length, 0),
            }
        }
    }

    /// The content if `kept` of a hundred of the sectors that are not synced are there.
    fn cut(&self, kept: usize, dice: &mut Dice, lost: &mut usize) -> Vec<u8> {
        let mut content = self.durable.clone();
        for (_, change) in &self.pending {
            match change {
                Change::Resize(length) if dice.percent(kept) => content.resize(*length, 0),
                Change::Resize(_) => *lost += 1,
                Change::Write { at, bytes } => {
                    let mut from = 0;
                    while from < bytes.len() {
                        let to = bytes.len().min((at + from) / SECTOR * SECTOR + SECTOR - at);
                        if dice.percent(kept) {
                            put(&mut content, at + from, &bytes[from..to]);
                        } else {
                            *lost += 1;
                        }
                        from = to;
                    }
                }
            }
        }
        content
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}
