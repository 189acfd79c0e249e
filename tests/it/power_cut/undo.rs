//! Does to a home folder's files what a power cut would have done: takes back what was not synced, or parts of
//! it, from the notes that the shim has left.
//!
//! Content: of a file's writes since it was last synced, each sector may hold any version, and the file any of
//! its sizes. Names: of the files and folders made and renamed since their folder was synced, any number of the
//! last are gone, as on file systems that keep a journal.

use crate::dice::Dice;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A change, and how to undo it.
#[derive(Debug)]
struct Note {
    kind: char,
    path: PathBuf,
    other: PathBuf,
    offset: u64,
    len: u64,
    old_size: u64,
    data: Vec<u8>,
}

/// What the disk writes whole.
const SECTOR: u64 = 512;
const PAGE: u64 = 4096;

/// Cuts the power: the process must be dead. Answers how many changes were not synced.
pub fn cut_power(notes: &Path, dice: &mut Dice) -> usize {
    let Ok(bytes) = fs::read(notes) else { return 0 };
    let (content, names) = unsynced(parse(&bytes));
    let pending = content.len() + names.len();
    let mut by_file: BTreeMap<&Path, Vec<&Note>> = BTreeMap::new();
    for note in &content {
        by_file.entry(&note.path).or_default().push(note);
    }
    let how = dice.below(4);
    for (file, notes) in by_file {
        undo_content(file, &notes, how, dice);
    }
    let kept = if how == 0 { 0 } else { dice.below(names.len() as u64 + 1) as usize };
    for note in names[kept..].iter().rev() {
        undo_name(note);
    }
    fs::remove_file(notes).unwrap();
    pending
}

fn parse(mut bytes: &[u8]) -> Vec<Note> {
    let mut notes = Vec::new();
    loop {
        let mut left = bytes;
        let mut take = |len: usize| left.split_off(..len);
        // The process may have been killed within its last note, whose change it then had not made.
        let Some(head) = take(48) else { return notes };
        let small = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let large = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        let path = take(small(4) as usize);
        let other = take(small(8) as usize);
        let data = take(large(40) as usize);
        let (Some(path), Some(other), Some(data)) = (path, other, data) else { return notes };
        let text = |bytes: &[u8]| PathBuf::from(String::from_utf8(bytes.to_vec()).unwrap());
        notes.push(Note {
            kind: char::from_u32(small(0)).unwrap(),
            path: text(path),
            other: text(other),
            offset: large(16),
            len: large(24),
            old_size: large(32),
            data: data.to_vec(),
        });
        bytes = left;
    }
}

/// The changes to content and to names that were never synced, in their order.
fn unsynced(notes: Vec<Note>) -> (Vec<Note>, Vec<Note>) {
    let (mut content, mut names): (Vec<Note>, Vec<Note>) = Default::default();
    for note in notes {
        match note.kind {
            'W' | 'T' => content.push(note),
            'S' => content.retain(|earlier| earlier.path != note.path),
            'D' => names.retain(|earlier| earlier.name().parent() != Some(note.path.as_path())),
            'U' => {
                content.retain(|earlier| earlier.path != note.path);
                names.retain(|earlier| earlier.name() != note.path);
            }
            _ => {
                // A file's content goes with it to its new name.
                for earlier in content.iter_mut().filter(|c| note.kind == 'R' && c.path == note.path) {
                    earlier.path = note.other.clone();
                }
                names.push(note);
            }
        }
    }
    (content, names)
}

impl Note {
    /// The name that a change of names brought about.
    fn name(&self) -> &Path {
        if self.kind == 'R' { &self.other } else { &self.path }
    }
}

/// Gives each sector of a file one of the versions it had since the file was synced.
fn undo_content(file: &Path, notes: &[&Note], how: u64, dice: &mut Dice) {
    let Ok(mut content) = fs::read(file) else { return };
    let all = notes.len();
    let now = content.len() as u64;
    let size_after = |n: usize| if n == all { now } else { notes[n].old_size };
    // How many of the changes have reached the disk, all in all.
    let reached = dice.below(all as u64 + 1) as usize;
    let size = match how {
        0 => size_after(0),
        1 | 2 => size_after(dice.below(all as u64 + 1) as usize),
        _ => size_after(reached),
    };
    let mut kept: BTreeMap<u64, usize> = BTreeMap::new();
    for (n, note) in notes.iter().enumerate().rev() {
        let end = if note.kind == 'T' { note.old_size } else { note.offset + note.len };
        content.resize(content.len().max(end as usize), 0);
        let mut at = note.offset;
        while at < end {
            let next = ((at / SECTOR + 1) * SECTOR).min(end);
            let versions = match how {
                0 => 0,
                1 => *kept.entry(at / SECTOR).or_insert_with(|| dice.below(all as u64 + 1) as usize),
                2 => *kept.entry(at / PAGE).or_insert_with(|| if dice.one_in(2) { all } else { 0 }),
                _ => reached,
            };
            if versions <= n {
                for byte in at..next {
                    let old = note.data.get((byte - note.offset) as usize).copied();
                    content[byte as usize] = old.unwrap_or(0);
                }
            }
            at = next;
        }
    }
    content.resize(size as usize, 0);
    fs::write(file, content).unwrap();
}

fn undo_name(note: &Note) {
    // What a later name took along with it is gone already.
    let _ = match note.kind {
        'C' => fs::remove_file(&note.path),
        'R' => fs::rename(&note.other, &note.path),
        _ => fs::remove_dir_all(&note.path),
    };
}
