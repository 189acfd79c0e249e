//! Taking care of a home folder: backup, clearing up, checking, versions.

use crate::support::{Home, toy};

#[test]
fn a_backup_taken_while_a_sweep_runs_is_a_whole_database() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&toy("backed-up", 12, 20, ""));
    home.until("some trials are done", || {
        home.json(&["show", &id])["trials"]["completed"].as_u64() >= Some(3)
    });
    let other = Home::new();
    let file = other.path().join("sweepd.db");
    home.ok(&["backup", file.to_str().unwrap(), "--blobs"]);
    assert!(!home.sweepd(&["backup", file.to_str().unwrap()]).status.success(), "an existing file stays");
    let board = other.json(&["best", "backed-up"]);
    assert!(board["ranked"].as_array().unwrap().len() >= 3);
    // The copy is a home like any other: a daemon goes on with it.
    let mut other = other;
    other.serve(2);
    other.until_over(&id);
    assert_eq!(other.json(&["show", &id])["trials"]["completed"], 12);
    home.until_over(&id);
}

#[test]
fn what_nothing_refers_to_is_found_and_cleared_up() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("cleared", 2, 1, ""));
    home.until_over(&id);
    let stray = home.path().join("blobs/ab");
    std::fs::create_dir_all(&stray).unwrap();
    std::fs::write(stray.join("ab".repeat(32)), b"nobody's").unwrap();
    home.ok(&["rm", "cleared"]);
    let said = String::from_utf8(home.sweepd(&["doctor"]).stdout).unwrap();
    assert!(said.contains("1 files that nothing refers to: `sweepd gc`"), "{said}");
    let cleared = home.json(&["gc"]);
    assert_eq!(
        (&cleared["files"], &cleared["folders"], &cleared["bytes"]),
        (&1.into(), &1.into(), &8.into())
    );
    home.ok(&["stop", "--drain"]);
    // Without a daemon too.
    std::fs::write(stray.join("ab".repeat(32)), b"nobody's").unwrap();
    assert_eq!(home.json(&["gc"])["files"], 1);
    assert!(!String::from_utf8(home.sweepd(&["doctor"]).stdout).unwrap().contains("nothing refers"));
}

/// Changes the database behind everybody's back.
pub fn sql(home: &Home, statement: &'static str) {
    let url = format!("sqlite://{}", home.path().join("sweepd.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("newer", 1, 1, ""));
    home.until_over(&id);
    home.ok(&["stop", "--drain"]);
    sql(
        &home,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9999, 'of a later version', 1, x'00', 0)",
    );
    for args in [&["best", "newer"][..], &["serve", "--listen", "127.0.0.1:0", "--no-trainer"]] {
        let refused = home.sweepd(args);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("newer sweepd"), "{args:?}: {said}");
    }
    sql(&home, "delete from _sqlx_migrations where version = 9999");
    assert_eq!(home.json(&["best", "newer"])["ranked"].as_array().unwrap().len(), 1);
}

#[test]
fn a_damaged_database_is_reported_not_used() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("damaged", 4, 1, ""));
    home.until_over(&id);
    home.ok(&["stop", "--drain"]);
    // All of it into the one file, where the last connection to close has not put it there.
    sql(&home, "pragma wal_checkpoint(truncate)");
    let file = home.path().join("sweepd.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // Every page but the first: the schema is found, what it points to is not.
    let (_, pages) = bytes.split_at_mut(8192);
    pages.fill(0x5a);
    std::fs::write(&file, bytes).unwrap();
    let checked = home.sweepd(&["doctor"]);
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1));
    assert!(said.lines().any(|line| line.starts_with("BAD ") && line.contains("database")), "{said}");
    assert!(!home.sweepd(&["best", "damaged"]).status.success());
}
