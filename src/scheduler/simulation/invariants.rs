//! What must hold after every step, read from the database in plain SQL.

use super::history::History;
use crate::domain::{AttemptId, SweepId, TrialId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqliteConnection};
use std::path::Path;

pub struct Checker {
    pub db: SqliteConnection,
    history: History,
    pub view: View,
}

/// What everybody can see of the database.
#[derive(Default)]
pub struct View {
    pub sweeps: Vec<SeenSweep>,
    pub trials: Vec<SeenTrial>,
}

pub struct SeenSweep {
    pub id: SweepId,
    pub name: String,
    pub state: String,
    pub external: bool,
    /// What it is, as JSON.
    pub spec: String,
}

pub struct SeenTrial {
    pub id: TrialId,
    pub sweep: SweepId,
    pub state: String,
}

impl View {
    /// Sweeps that clients can ask for work.
    pub fn external(&self) -> Vec<SweepId> {
        self.sweeps.iter().filter(|s| s.external && s.state == "active").map(|s| s.id).collect()
    }

    /// Whether nothing is left to be done.
    pub fn is_over(&self) -> bool {
        self.unfinished().is_empty()
    }

    /// Sweeps and trials that have not ended, in words.
    pub fn unfinished(&self) -> String {
        let over = |state: &str| matches!(state, "completed" | "cancelled" | "stopped" | "failed");
        let sweeps = self.sweeps.iter().filter(|s| !over(&s.state));
        let sweeps = sweeps.map(|s| format!("sweep {} ({}) is {}", s.id, s.name, s.state));
        let trials = self.trials.iter().filter(|trial| !over(&trial.state));
        let trials = trials.map(|t| format!("trial {} of sweep {} is {}", t.id, t.sweep, t.state));
        sweeps.chain(trials).collect::<Vec<_>>().join("; ")
    }
}

/// Each line selects what is wrong, as text; all together select nothing.
const WRONG: &[&str] = &[
    // Numbers have no gap; that none is double is the schema's word.
    "select 'trial numbers of sweep ' || sweep_id from trial group by sweep_id having count(*) <> max(number) + 1",
    "select 'leg numbers of sweep ' || sweep_id from leg group by sweep_id having count(*) <> max(number) + 1",
    // Attempts.
    "select 'two open attempts at trial ' || attempt.trial_id from attempt join leg using (leg_id) where state = 'open' \
     group by attempt.trial_id, fold having count(*) > 1",
    "select 'open attempt at trial ' || trial_id || ' that is ' || trial.state from attempt join trial using (trial_id) \
     where attempt.state = 'open' and trial.state not in ('running', 'stopping')",
    "select 'trial ' || trial_id || ' is ' || state || ' without an attempt' from trial where state in ('running', 'stopping') \
     and not exists (select 1 from attempt where attempt.trial_id = trial.trial_id and attempt.state = 'open')",
    "select 'attempt ' || attempt_id || ' ended without time or reason' from attempt where \
     (state = 'open') <> (finished_ms is null) or state in ('lost', 'failed') and reason is null",
    // Legs.
    "select 'leg ' || leg_id || ' is open at a trial that is ' || trial.state from leg join trial using (trial_id) \
     where outcome is null and trial.state not in ('queued', 'running', 'stopping')",
    "select 'two open legs of trial ' || trial_id from leg where outcome is null and trial_id is not null \
     group by trial_id, fold having count(*) > 1",
    "select 'trial ' || trial_id || ' runs without a leg' from trial where state in ('running', 'stopping') and not exists \
     (select 1 from leg where leg.trial_id = trial.trial_id and outcome is null)",
    "select 'leg ' || leg_id || ' of another sweep' from leg join trial using (trial_id) where leg.sweep_id <> trial.sweep_id",
    "select 'leg ' || leg_id || ' ended before it was decided' from leg where ended_seq < decided_seq",
    // Reports: none by an attempt after a later one began; each step once and none missing.
    "select 'report ' || report.trial_id || '/' || step || ' by fenced attempt ' || report.attempt_id from report \
     join event on event.trial_id = report.trial_id and kind = 'attempt_started' and event.attempt_id > report.attempt_id \
     where event.seq <= report.seq and report.fold = (select fold from attempt join leg using (leg_id) where attempt_id = event.attempt_id)",
    "select 'report ' || report.trial_id || '/' || step || ' of another fold' from report join attempt using (attempt_id) \
     join leg using (leg_id) where leg.fold <> report.fold",
    "select 'steps of trial ' || trial_id || ' have a gap' from report join trial using (trial_id) group by trial_id, fold \
     having count(*) <> max(step) - coalesce(parent_step, 0) or min(step) <> 1 + coalesce(parent_step, 0)",
    "select 'trial ' || trial_id || ' says ' || steps || ' steps' from trial where steps <> (select coalesce(sum(last), trial.parent_step, 0) \
     from (select max(step) as last from report where report.trial_id = trial.trial_id group by fold))",
    // Reasons.
    "select kind || ' of trial ' || trial_id || ' without a reason' from event where reason is null and kind in \
     ('trial_suggested', 'trial_stopped', 'trial_continued', 'trial_retried', 'trial_failed', 'trial_requeued', \
     'trial_cancelled', 'trial_completed', 'trial_stopping', 'trial_passed', 'trial_paused', 'sweep_completed', 'sweep_cancelled')",
    "select 'trial ' || trial_id || ' is ' || state || ', ended: ' || coalesce(ended, 'no') from trial where \
     (state in ('completed', 'stopped', 'failed', 'cancelled')) <> (ended is not null and finished_ms is not null)",
    // Suggestions.
    "select 'trial ' || trial.trial_id || ' was suggested ' || count(event_id) || ' times' from trial left join event on \
     event.trial_id = trial.trial_id and kind = 'trial_suggested' group by trial.trial_id having count(event_id) <> 1",
    // Budgets.
    "select 'sweep ' || sweep_id || ' has too many trials' from sweep where \
     (select count(*) from trial where trial.sweep_id = sweep.sweep_id) > json_extract(spec, '$.search.trials')",
    "select 'sweep ' || sweep_id || ' runs too many at once' from sweep where \
     (select count(*) from attempt join trial using (trial_id) where trial.sweep_id = sweep.sweep_id and attempt.state = 'open') \
     > json_extract(spec, '$.search.parallel')",
    // Values.
    "select 'trial ' || trial_id || ' has a value of ' || value || ', its best is ' || coalesce(best_value, 'none') from \
     trial_value join trial using (trial_id) where best_step is not step or value is not case objective \
     when 0 then best_value else json_extract(further, '$[' || (objective - 1) || ']') end or ranked <> (trial.state = 'completed') or trial.state in ('queued', 'running', 'paused', 'stopping')",
    "select 'trial ' || trial_id || ' ended without its value' from trial where best_value is not null \
     and state in ('completed', 'stopped', 'failed', 'cancelled') \
     and not exists (select 1 from trial_value where trial_value.trial_id = trial.trial_id)",
    "select 'completed trial ' || trial_id || ' has no value' from trial where state = 'completed' and best_value is null",
    "select 'completed trial ' || trial_id || ' lacks a value' from trial join sweep using (sweep_id) where trial.state = 'completed' and \
     (select count(*) from trial_value where trial_value.trial_id = trial.trial_id) \
     <> 1 + coalesce(json_array_length(spec, '$.objective.further'), 0)",
    "select 'leg ' || leg_id || ' ended with other values than trial ' || trial_id from leg join trial using (trial_id) where \
     outcome = 'completed' and fold = 0 and not exists (select 1 from fold where fold.trial_id = leg.trial_id) \
     and (leg.value is not best_value or leg.further is not trial.further)",
    // Folds.
    "select 'fold ' || fold.fold || ' of trial ' || trial_id || ' is worth ' || fold.value from fold join trial using (trial_id) \
     where fold.value is not null and coalesce(json_extract(trial.ended, '$.kind'), '') <> 'copied' and not exists \
     (select 1 from leg where leg.trial_id = fold.trial_id and leg.fold = fold.fold and outcome = 'completed' \
     and leg.value is fold.value and leg.further is fold.further)",
    "select 'trial ' || trial_id || ' is worth ' || best_value || ', its folds ' || (select avg(value) from fold where \
     fold.trial_id = trial.trial_id) from trial join sweep using (sweep_id) where json_extract(spec, '$.objective.folds') is not null \
     and abs(best_value - (select avg(value) from fold where fold.trial_id = trial.trial_id)) > 1e-9",
    "select 'trial ' || trial_id || ' completed without all folds' from trial join sweep using (sweep_id) where trial.state = 'completed' \
     and (select count(value) from fold where fold.trial_id = trial.trial_id) < json_extract(spec, '$.objective.folds')",
    "select 'fold ' || leg.fold || ' of trial ' || trial_id || ' was decided though it is given up' from leg join trial using (trial_id) \
     where exists (select 1 from event g where g.trial_id = leg.trial_id and g.kind = 'folds_given_up' and g.seq < decided_seq \
     and not exists (select 1 from event r where r.trial_id = leg.trial_id and r.kind = 'trial_retried' and r.seq between g.seq and decided_seq))",
    // Copied results.
    "select 'trial ' || c.trial_id || ' is no copy of number ' || json_extract(c.ended, '$.from') from trial c left join trial o \
     on o.sweep_id = c.sweep_id and o.number = json_extract(c.ended, '$.from') where json_extract(c.ended, '$.kind') = 'copied' and \
     (c.state <> 'completed' or o.state is not 'completed' or json_patch(c.params, o.params) is not c.params or o.best_value is not c.best_value or o.number >= c.number \
     or o.best_step is not c.best_step or o.further is not c.further or o.weights is not c.weights or json_extract(o.ended, '$.kind') = 'copied')",
    "select 'trial ' || trial_id || ' is a copy that was worked on' from trial where json_extract(ended, '$.kind') = 'copied' \
     and exists (select 1 from attempt where attempt.trial_id = trial.trial_id)",
    "select 'sweep ' || sweep_id || ' takes results over' from sweep where json_extract(spec, '$.search.duplicates') is not 'reuse' \
     and exists (select 1 from event where event.sweep_id = sweep.sweep_id and kind = 'trial_copied')",
    // Checkpoints.
    "select 'trial ' || trial_id || ' has ' || count(*) || ' checkpoints' from checkpoint join trial using (trial_id) \
     group by trial_id, fold having count(*) > case when state in ('queued', 'running', 'stopping') then 2 \
     when state in ('completed', 'stopped') then 0 else 1 end",
    "select 'checkpoint ' || trial_id || '/' || step || ' of a step that was not reported' from checkpoint join trial using (trial_id) \
     where step is not parent_step and not exists \
     (select 1 from report where report.trial_id = checkpoint.trial_id and report.fold = checkpoint.fold and report.step = checkpoint.step)",
    // Heirs.
    "select 'heir ' || h.trial_id || ' of number ' || h.parent from trial h left join trial p on p.sweep_id = h.sweep_id and \
     p.number = h.parent where h.parent is not null and (p.number is null or p.number >= h.number or \
     (h.parent is null) <> (h.parent_step is null) or json_extract(h.suggested, '$.kind') <> 'inherited' \
     or json_extract(h.suggested, '$.parent') <> h.parent or json_extract(h.suggested, '$.step') <> h.parent_step)",
    "select 'two trials take the place of number ' || json_extract(suggested, '$.replaces') from trial where parent is not null \
     group by sweep_id, json_extract(suggested, '$.replaces') having count(*) > 1",
    "select 'trial ' || r.trial_id || ' was replaced and is ' || r.state from trial h join trial r on r.sweep_id = h.sweep_id and \
     r.number = json_extract(h.suggested, '$.replaces') where h.parent is not null and r.state not in ('stopped', 'failed')",
    "select 'sweep ' || sweep_id || ' is ' || sweep.state || ' and keeps checkpoints for heirs' from heirloom join trial using (trial_id) \
     join sweep using (sweep_id) where sweep.state = 'completed' or json_extract(spec, '$.search.stopper.name') is not 'population'",
    "select 'sweep ' || sweep_id || ' has ' || count(*) || ' trials that begin anew' from trial join sweep using (sweep_id) \
     where json_extract(spec, '$.search.stopper.name') = 'population' and parent is null \
     group by sweep_id having count(*) > json_extract(spec, '$.search.stopper.members')",
    // Sweeps that are over.
    "select 'sweep ' || sweep_id || ' is ' || sweep.state || ', its trial ' || trial_id || ' is ' || trial.state from sweep \
     join trial using (sweep_id) where trial.state in ('queued', 'running', 'paused', 'stopping') and (sweep.state = 'completed' \
     or sweep.state = 'cancelled' and trial.state <> 'stopping')",
    // Memory.
    "select 'trial ' || trial_id || ' has batches in ' || accumulate || ' parts' from trial join sweep using (sweep_id) \
     where accumulate not in (1, 2, 4, 8) or accumulate > 1 and json_extract(spec, '$.objective.out_of_memory') is not 'accumulate'",
    // What was stored last was counted.
    "select 'event ' || event_id || ' of an input that was not counted' from event where seq > (select value from counter where name = 'seq')",
];

impl Checker {
    pub async fn new(home: &Path) -> Self {
        let options =
            SqliteConnectOptions::new().filename(home.join(crate::store::DATABASE_FILE)).read_only(true);
        let db = options.disable_statement_logging().connect().await.unwrap();
        Self { db, history: History::default(), view: View::default() }
    }

    /// Everything that must hold holds.
    pub async fn check(&mut self) {
        let sql = WRONG.join("\nunion all\n");
        let wrong: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.db).await.unwrap();
        assert!(wrong.is_empty(), "{}", wrong.join("; "));
        let ended = self.history.read(&mut self.db).await;
        self.look().await;
        self.history.agrees(&self.view);
        for trial in ended {
            super::history::value_is_the_best(&mut self.db, trial).await;
        }
    }

    async fn look(&mut self) {
        let sql = "select sweep_id, name, state, json_extract(spec, '$.objective.kind') = 'external', spec from sweep order by sweep_id";
        let rows = sqlx::query(sql).fetch_all(&mut self.db).await.unwrap();
        let seen = |row: &sqlx::sqlite::SqliteRow| SeenSweep {
            id: SweepId(row.get(0)),
            name: row.get(1),
            state: row.get(2),
            external: row.get(3),
            spec: row.get(4),
        };
        self.view.sweeps = rows.iter().map(seen).collect();
        let sql = "select trial_id, sweep_id, state from trial order by trial_id";
        let rows = sqlx::query(sql).fetch_all(&mut self.db).await.unwrap();
        let seen = |row: &sqlx::sqlite::SqliteRow| SeenTrial {
            id: TrialId(row.get(0)),
            sweep: SweepId(row.get(1)),
            state: row.get(2),
        };
        self.view.trials = rows.iter().map(seen).collect();
    }

    pub async fn attempt_state(&mut self, attempt: AttemptId) -> Option<String> {
        let sql = "select state from attempt where attempt_id = ?";
        sqlx::query_scalar(sql).bind(attempt.0).fetch_optional(&mut self.db).await.unwrap()
    }

    pub async fn newest_checkpoint(&mut self, trial: TrialId, fold: u32) -> Option<u64> {
        let sql = "select max(step) from checkpoint where trial_id = ? and fold = ?";
        let step: Option<i64> =
            sqlx::query_scalar(sql).bind(trial.0).bind(fold).fetch_one(&mut self.db).await.unwrap();
        step.map(|step| step as u64)
    }
}
