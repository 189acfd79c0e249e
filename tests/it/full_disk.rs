//! The disk runs full in the middle of a sweep: questions are answered, writes are refused with what to do, nobody
//! ends, and the sweep goes on by itself when there is space again.
//!
//! A real file system of a few megabytes, in a mount namespace of the test's own: this executable starts itself
//! again within it.

use crate::dice::{Dice, rounds};
use crate::kill::{TOYS, Victim};
use crate::support::{Home, toy};
use crate::table;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const INSIDE: &str = "SWEEPD_TEST_SMALL_DISK";

#[test]
fn a_full_disk_is_waited_out() {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is how the test knows that it is within the namespace"
    )]
    if let Some(disk) = std::env::var_os(INSIDE).map(PathBuf::from) {
        return waits_a_full_disk_out(&disk);
    }
    let disk = tempfile::tempdir().unwrap();
    let me = if nix::unistd::geteuid().is_root() { "--mount" } else { "--mount --map-root-user" };
    let inside = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(me.split(' ')).args(["sh", "-c", script]);
        command.env("DISK", disk.path()).env("TMPDIR", disk.path()).env(INSIDE, disk.path());
        command
    };
    let mount = "mount -t tmpfs -o size=6m none \"$DISK\"";
    let may = inside(mount).output();
    if !may.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no file system can be mounted here, not even in a namespace ({may:?})");
        return;
    }
    let test = "--exact full_disk::a_full_disk_is_waited_out --nocapture --test-threads=1";
    let mut again = inside(&format!("{mount} && exec \"$ME\" {test}"));
    let status = again.env("ME", std::env::current_exe().unwrap()).status().unwrap();
    assert!(status.success(), "within the small file system: {status}");
}

fn waits_a_full_disk_out(disk: &Path) {
    let victim = Victim { sweep: TOYS, flags: &["--no-trainer"], prepare: &|_| {}, pause_ms: 300 };
    let expected = victim.undisturbed(2);
    let mut dice = Dice::new();
    for round in 0..rounds("sweeps on a disk that runs full", 1, 0.05) {
        let mut home = Home::new();
        // Its log lies on the same disk, and does not fit either.
        home.serve_with(2, victim.flags, &[("RUST_LOG", "debug")]);
        let id = home.submit(victim.sweep);
        home.until("the sweep is under way", || {
            home.rows("select 'x' from report").len() as u64 > 3 + 8 * (round % 4)
        });
        for seconds in [1, 4] {
            let ballast = fill(disk, dice.below(40_000));
            let refusal = until_refused(&home);
            assert!(refusal.contains("disk is full") && refusal.contains("free some space"), "{refusal}");
            std::thread::sleep(Duration::from_secs(seconds));
            answers_questions(&home, &id);
            fs::remove_file(ballast).unwrap();
            home.until("it writes again", || submit(&home).0 == 201);
        }
        home.until_over(&id);
        table::assert_same(&expected, &table::of(&home, &id), "after a full disk");
        home.is_sound();
        home.ok(&["stop", "--drain"]);
    }
}

/// Takes all space but so many bytes; the file that takes it.
fn fill(disk: &Path, leave: u64) -> PathBuf {
    let path = disk.join("ballast");
    let mut file = fs::File::create(&path).unwrap();
    let mut piece = vec![0x5a; 65536];
    while !piece.is_empty() {
        if file.write_all(&piece).is_err() {
            piece.truncate(piece.len() / 2);
        }
    }
    let size = file.metadata().unwrap().len();
    file.set_len(size.saturating_sub(leave)).unwrap();
    path
}

/// Submits a sweep of one short trial; the status and what was said.
fn submit(home: &Home) -> (u16, String) {
    call(home, "POST", "/api/v1/sweeps", &toy("another", 1, 0, ""))
}

/// What writes are refused with, once they are.
fn until_refused(home: &Home) -> String {
    let mut refusal = String::new();
    home.until("writes are refused", || {
        let (status, said) = submit(home);
        assert!(matches!(status, 201 | 503), "{status} {said}");
        refusal = said;
        status == 503
    });
    refusal
}

fn answers_questions(home: &Home, sweep: &str) {
    assert_eq!(call(home, "GET", "/healthz", "").0, 200);
    let (status, said) = call(home, "GET", "/api/v1/sweeps", "");
    assert!(status == 200 && said.contains(sweep), "{status} {said}");
    assert!(home.json(&["ls"]).as_array().is_some_and(|sweeps| !sweeps.is_empty()));
    assert!(home.json(&["best", sweep])["ranked"].is_array());
    assert_eq!(submit(home).0, 503, "it is full all the while");
}

fn call(home: &Home, method: &str, path: &str, body: &str) -> (u16, String) {
    let daemon: Value = home.daemon_file().expect("the daemon has not ended");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", daemon["url"].as_str().unwrap()))
        .header("authorization", format!("Bearer {}", daemon["token"].as_str().unwrap()))
        .header("content-type", "application/toml")
        .body(body.to_owned())
        .unwrap();
    let mut answer = agent.run(request).expect("the daemon answers");
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// A disk that gives nothing back either: commits fail, and so does starting again from what is stored.
#[test]
fn a_database_that_can_be_neither_written_nor_read_is_waited_out() {
    use sweepd::scheduler::Input;
    use sweepd::scheduler::shell::{DispatchError, Shell};
    let home = Home::new();
    let spec = sweepd::sweepfile::parse_toml("toy", &toy("toy", 1, 0, ""), &|_, _| Ok(())).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (shell, dispatcher) = runtime
        .block_on(async {
            let writer = sweepd::store::Writer::open(home.path()).await.unwrap();
            Shell::start(home.path().to_owned(), writer, 1000, u64::MAX, sweepd::daemon::now)
        })
        .unwrap();
    let shell = runtime.spawn_blocking(move || shell.run());
    let submit = |uid: &str| {
        let (uid, spec, origin) = (uid.to_owned(), Box::new(spec.clone()), Box::default());
        runtime.block_on(dispatcher.handle(Input::Submit { uid, spec, origin, sources: Vec::new() }))
    };
    submit("first").unwrap();
    crate::care::sql(&home, "alter table counter rename to elsewhere");
    for uid in ["second", "third"] {
        let refused = submit(uid);
        assert!(matches!(refused, Err(DispatchError::NotPersisted(_))), "{refused:?}");
    }
    crate::care::sql(&home, "alter table elsewhere rename to counter");
    submit("fourth").unwrap();
    drop(dispatcher);
    runtime.block_on(shell).unwrap().unwrap();
    assert_eq!(home.rows("select uid from sweep order by sweep_id"), ["first", "fourth"]);
}
