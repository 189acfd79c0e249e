//! The power is cut: what was not synced is lost, or a random part of it. What was called synced is there all
//! the same, of the rest only the end is missing, and a sweep goes on as if nothing had been.

mod undo;

use crate::dice::{Dice, rounds};
use crate::kill::{TOYS, Victim};
use crate::ledger::{Acknowledged, Program, check};
use crate::support::Home;
use crate::table;
use crate::writer_killed::is_made;
use nix::sys::signal::Signal;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use sweepd::worker::process::{signal_group, workers_of};

/// The shim, compiled once.
fn shim() -> &'static str {
    static SHIM: OnceLock<String> = OnceLock::new();
    SHIM.get_or_init(|| {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/power_cut/shim.c");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join("power-cut.so");
        // Tests of one build may run in several processes at once: each puts its own in place, whole.
        let fresh = folder.join(format!("power-cut-{}.so", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&fresh, &here])
            .args(["-ldl", "-lpthread"])
            .status()
            .expect("cc, which Rust needs as well");
        assert!(compiled.success(), "{compiled}");
        std::fs::rename(&fresh, &library).unwrap();
        library.to_str().unwrap().to_owned()
    })
}

/// The variables of the environment that have a process note what it does to a home folder.
struct Noted {
    home: String,
    notes: PathBuf,
}

impl Noted {
    fn of(home: &Home) -> Self {
        let folder = home.path().canonicalize().unwrap();
        Self { home: folder.to_str().unwrap().to_owned(), notes: folder.join("unsynced") }
    }

    fn environment(&self) -> [(&str, &str); 3] {
        let notes = self.notes.to_str().unwrap();
        [("LD_PRELOAD", shim()), ("POWER_CUT_HOME", &self.home), ("POWER_CUT_NOTES", notes)]
    }
}

#[test]
fn what_was_called_synced_survives_a_power_cut() {
    let rounds = rounds("power cuts of the writer", 25, 1.0);
    let (mut dice, home) = (Dice::new(), Home::new());
    let noted = Noted::of(&home);
    let (mut lost, mut cuts) = (0, 0);
    let mut acknowledged = Acknowledged::default();
    for round in 1..=rounds {
        let program = Program::start(home.path(), &noted.environment());
        if !dice.one_in(4) {
            program.until_it_writes(&mut acknowledged);
        }
        dice.wait_up_to_ms(80);
        program.kill(&mut acknowledged);
        cuts += usize::from(undo::cut_power(&noted.notes, &mut dice) > 0);
        if !is_made(&home) {
            assert_eq!(acknowledged.synced, 0);
            acknowledged.any = 0;
            continue;
        }
        // That the groups which are there are the first ones, all of them whole, is part of the check.
        let last = check(&home);
        let Acknowledged { any, synced } = acknowledged;
        assert!(
            synced <= last && last <= any + 1,
            "round {round}: {synced} synced, {any} heard, {last} there"
        );
        lost += (any - last).max(0);
        acknowledged.any = last;
    }
    eprintln!("{rounds} rounds, unsynced changes in {cuts}, {lost} batched groups lost");
    assert!(cuts > 0 && lost > 0, "the test has no teeth: nothing was ever lost");
}

#[test]
fn a_sweep_comes_out_the_same_after_power_cuts() {
    let victim = Victim { sweep: TOYS, flags: &["--no-trainer"], prepare: &|_| {}, pause_ms: 300 };
    let expected = victim.undisturbed(2);
    let (mut dice, mut cuts) = (Dice::new(), 0);
    let most = rounds("power cuts of daemons", 5, 0.25);
    while cuts < most {
        let mut home = Home::new();
        let noted = Noted::of(&home);
        home.serve_with(2, victim.flags, &noted.environment());
        let id = home.submit(victim.sweep);
        for _ in 0..8 {
            if home.rows("select state from sweep") == ["completed"] || cuts == most {
                break;
            }
            dice.wait_up_to_ms(victim.pause_ms);
            home.signal_daemon(Signal::SIGKILL);
            for worker in workers_of(home.path()) {
                signal_group(worker.pid, worker.started, Signal::SIGKILL);
            }
            undo::cut_power(&noted.notes, &mut dice);
            cuts += 1;
            home.serve_with(2, victim.flags, &noted.environment());
        }
        home.until_over(&id);
        table::assert_same(&expected, &table::of(&home, &id), "after power cuts");
        home.is_sound();
        home.ok(&["stop", "--drain"]);
    }
}
