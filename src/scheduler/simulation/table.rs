//! A sweep's final table: what must be the same whatever happened on the way, with `order = "number"`.

use super::faults::Faults;
use super::user::User;
use super::wire::{Answer, Call};
use super::workers::{LOST, TOO_LARGE, Worker};
use super::world::{STORY, World};
use crate::domain::{Sweep, SweepId, Terms};
use crate::scheduler::Reply;
use sqlx::{Row, SqliteConnection};

/// One line per trial and per leg.
pub async fn of(db: &mut SqliteConnection, sweep: SweepId) -> Vec<String> {
    let sql = "select format('trial %d %s %s step %s %s %s %s', number, trial.state, params, step, \
               coalesce(ended, ''), coalesce(further, ''), iif(parent is null, '', suggested)), value from trial left join trial_value v \
               on v.trial_id = trial.trial_id and v.objective = 0 where trial.sweep_id = ? order by number";
    let mut lines = lines(db, sql, sweep).await;
    let sql = "select format('leg %d trial %s/%d from %d to %s %s', leg.number, trial.number, fold, from_step, until_step, \
               outcome || coalesce(leg.further, '')), value from leg left join trial using (trial_id) where leg.sweep_id = ? order by leg.number";
    lines.extend(self::lines(db, sql, sweep).await);
    let sql = "select format('fold %d/%d step %s %s', number, fold, fold.step, fold.further), value \
               from fold join trial using (trial_id) where trial.sweep_id = ? order by number, fold";
    lines.extend(self::lines(db, sql, sweep).await);
    lines
}

async fn lines(db: &mut SqliteConnection, sql: &'static str, sweep: SweepId) -> Vec<String> {
    let rows = sqlx::query(sql).bind(sweep.0).fetch_all(db).await.unwrap();
    rows.iter().map(|row| format!("{} {:?}", row.get::<String, _>(0), row.get::<Option<f64>, _>(1))).collect()
}

/// The table of a run without any fault and with one worker; one that goes on by other terms once it is over.
pub async fn calm(spec: &Sweep, edit: Option<&Terms>) -> Vec<String> {
    let workers = vec![Worker::new("w", None), Worker::new("c", Some(None))];
    let story = STORY.with_borrow(Clone::clone);
    let mut world = World::new(0, Faults::none(), User::new(Vec::new()), workers).await;
    let sweep = world.submit(spec.clone()).await;
    world.finish().await;
    if let Some(terms) = edit {
        let answer = world.ask(Call::Edit(sweep, Box::new(terms.clone()))).await;
        assert_eq!(answer, Answer::Reply(Reply::Done));
        world.finish().await;
    }
    // Who reads a failure wants to know of the other life.
    STORY.set(story);
    assert!(
        !has_lost_heirs(&mut world.checker.db, sweep).await,
        "{:?}: an heir had nothing to go on from",
        spec.search
    );
    of(&mut world.checker.db, sweep).await
}

/// Whether an heir had nothing to go on from: its parent's checkpoint was damaged, or never made.
async fn has_lost_heirs(db: &mut SqliteConnection, sweep: SweepId) -> bool {
    let sql = "select exists (select 1 from trial where sweep_id = ? and state = 'failed' and json_extract(ended, '$.message') = ?)";
    sqlx::query_scalar(sql).bind(sweep.0).bind(LOST).fetch_one(db).await.unwrap()
}

/// Whether a trial failed by chance: then the table is another.
pub async fn has_bad_luck(db: &mut SqliteConnection, sweep: SweepId) -> bool {
    // Or on a device that is not known to be the largest.
    let sql = "select exists (select 1 from trial where sweep_id = ? and state = 'failed' and \
               (json_extract(ended, '$.kind') = 'worker_lost' or json_extract(ended, '$.kind') = 'out_of_memory' and \
               (json_extract(ended, '$.message') <> ? or json_extract(ended, '$.alone') is null)))";
    let has = sqlx::query_scalar(sql).bind(sweep.0).bind(TOO_LARGE);
    let has: bool = has.fetch_one(&mut *db).await.unwrap();
    has || has_lost_heirs(db, sweep).await
}

impl World {
    /// Goes on until every sweep is over. Those that are paused go on when told to.
    pub async fn finish(&mut self) {
        self.calm_down();
        for step in 0.. {
            self.step().await;
            if self.user.plan.is_empty() && self.checker.view.is_over() {
                break;
            }
            let paused =
                self.checker.view.sweeps.iter().find(|sweep| sweep.state == "paused").map(|sweep| sweep.id);
            if let Some(sweep) = paused.filter(|_| self.daemon.core.is_some()) {
                let command = crate::scheduler::Command::Resume;
                let answer = self.ask(Call::Input(crate::scheduler::Input::Command { sweep, command })).await;
                assert!(matches!(answer, Answer::Reply(_)), "{answer:?}");
            }
            assert!(step < 20_000, "no end comes: {}", self.checker.view.unfinished());
        }
        self.agree("at the end").await;
        self.ledger.check(&mut self.checker, &self.daemon.reader).await;
    }
}
