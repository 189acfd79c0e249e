//! The one writer is killed inside its writes: what it had called committed is there, whole, and of nothing a
//! part.

use crate::dice::{Dice, rounds};
use crate::ledger::{Acknowledged, Program, check};
use crate::support::Home;

#[test]
fn what_was_committed_is_there_whole_whenever_the_writer_is_killed() {
    let rounds = rounds("kills of the writer", 25, 5.0);
    let (mut dice, home) = (Dice::new(), Home::new());
    let mut acknowledged = Acknowledged::default();
    let mut last = 0;
    for round in 1..=rounds {
        let program = Program::start(home.path(), &[]);
        // Sometimes while it opens the database, or for the first time makes it.
        if !dice.one_in(4) {
            program.until_it_writes(&mut acknowledged);
        }
        dice.wait_up_to_ms(200);
        program.kill(&mut acknowledged);
        if !is_made(&home) {
            assert_eq!(acknowledged.any, 0);
            continue;
        }
        last = check(&home);
        // The commit whose word was not heard any more may be there too.
        let heard = acknowledged.any;
        assert!(last == heard || last == heard + 1, "round {round}: {heard} heard of, {last} stored");
        acknowledged.any = last;
    }
    eprintln!("{rounds} kills, {last} groups");
}

#[test]
fn a_database_is_made_whole_whenever_its_maker_is_killed() {
    let mut dice = Dice::new();
    for _ in 0..rounds("kills of the database's maker", 5, 0.25) {
        let home = Home::new();
        for _ in 0..3 {
            let program = Program::start(home.path(), &[]);
            dice.wait_up_to_ms(30);
            program.kill(&mut Acknowledged::default());
        }
        let program = Program::start(home.path(), &[]);
        program.until_it_writes(&mut Acknowledged::default());
        program.kill(&mut Acknowledged::default());
        check(&home);
    }
}

/// Whether the database has its tables: a program may be killed before it has made them, and who only reads
/// cannot take back what a rollback journal says was begun.
pub fn is_made(home: &Home) -> bool {
    home.path().join("sweepd.db").exists()
        && !home.path().join("sweepd.db-journal").exists()
        && !home.rows("select name from sqlite_schema where name = 'counter'").is_empty()
}
