//! Fills a database with completed trials: one sweep has nine tenths of them, one with two objectives nearly all the
//! others, and ten small ones share the last hundredth.
//!
//! The sweeps come through the store; rows of trials go straight into its tables, in large transactions and
//! with the secondary indexes built at the end. Configurations are drawn by the real sampler.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection};
use std::path::Path;
use std::time::Instant;
use sweepd::domain::{Change, Millis, Origin, Params, Sweep, SweepId, SweepRow, SweepState, Value};
use sweepd::intake;
use sweepd::sampler::Suggestion;
use sweepd::store::{DATABASE_FILE, Durability, Writer};

/// The sweep with most of the trials.
pub const LARGE: &str = "large";
/// The second largest: its trials have a second objective.
pub const PAIRS: &str = "pairs";
/// Steps of each trial.
pub const STEPS: u64 = 20;

/// Rows of one `insert`; trials of one transaction.
const ROWS: u64 = 500;
const TRANSACTION: u64 = 20_000;

/// A sweep of twelve parameters, as its file says it.
pub fn file(name: &str, trials: u64) -> String {
    let objective = match name {
        PAIRS => r#"metrics = [{ name = "rmse" }, { name = "ms_per_image" }]"#,
        _ => r#"metric = "rmse""#,
    };
    format!(
        r#"
name = "{name}"
seed = 7
[objective]
kind = "external"
{objective}
[search]
sampler = "random"
trials = {trials}
[space]
activation    = {{ type = "choice", values = ["relu", "leaky_relu", "elu", "selu", "gelu", "silu"] }}
batch_norm    = {{ type = "choice", values = [true, false] }}
batch_size    = {{ type = "choice", values = [32, 64, 128] }}
blocks        = {{ type = "int", low = 3, high = 6 }}
dropout       = {{ type = "float", low = 0.0, high = 0.6 }}
epochs        = {{ type = "fixed", value = {STEPS} }}
filters       = {{ type = "choice", values = [8, 16, 32, 64] }}
growth        = {{ type = "float", low = 1.0, high = 2.0 }}
kernel_size   = {{ type = "choice", values = [3, 5, 7] }}
learning_rate = {{ type = "float", low = 1e-4, high = 1e-2, log = true }}
optimizer     = {{ type = "choice", values = ["adam", "sgd", "rmsprop"] }}
weight_decay  = {{ type = "float", low = 1e-6, high = 1e-2, log = true }}
"#
    )
}

/// Generates `trials` completed trials into the database of `home`, which must be new.
pub async fn database(home: &Path, trials: u64) {
    let started = Instant::now();
    let small = trials / 1000;
    let mut sizes = vec![(LARGE.to_owned(), trials * 9 / 10)];
    sizes.extend((0..10).map(|i| (format!("small-{i}"), small)));
    let rest = trials - sizes.iter().map(|(_, size)| size).sum::<u64>();
    sizes.insert(1, (PAIRS.into(), rest));
    let specs: Vec<(Sweep, u64)> = sizes
        .iter()
        .map(|(name, size)| (intake::read_toml("sweep.toml", &file(name, *size)).unwrap(), *size))
        .collect();
    insert_sweeps(home, &specs).await;

    let mut connection = bulk_connection(home).await;
    let indexes = drop_indexes(&mut connection).await;
    let mut first = 1;
    for (sweep, (spec, size)) in (1..).zip(&specs) {
        insert_trials(&mut connection, sweep, spec, first, *size).await;
        first += *size;
    }
    insert_second_objective(&mut connection).await;
    let rows = started.elapsed();
    for index in indexes {
        sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut connection).await.unwrap();
    }
    let sql = "update sweep set state = 'completed', finished_ms = created_ms + 1000000;
               update counter set value = (select max(ended_seq) from leg) where name = 'seq'";
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    Writer::open(home).await.unwrap().close().unwrap();

    let bytes = std::fs::metadata(home.join(DATABASE_FILE)).unwrap().len();
    println!(
        "{trials} trials, {} reports, {} sweeps: {:.0} s for the rows, {:.0} s in all, {:.2} GB",
        trials * STEPS,
        specs.len(),
        rows.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        bytes as f64 / 1e9
    );
}

async fn insert_sweeps(home: &Path, specs: &[(Sweep, u64)]) {
    let mut writer = Writer::open(home).await.unwrap();
    let row = |(id, (spec, _)): (i64, &(Sweep, u64))| {
        Change::SweepInserted(Box::new(SweepRow {
            id: SweepId(id),
            uid: format!("uid{id:05}"),
            state: SweepState::Active,
            spec: spec.clone(),
            origin: Origin { source: file(&spec.name, 0), ..Origin::default() },
            created: Millis(1_700_000_000_000),
        }))
    };
    let changes: Vec<Change> = (1..).zip(specs).map(row).collect();
    writer.apply(&changes, 0, Durability::Synced).unwrap();
    writer.close().unwrap();
}

/// A connection that gives up safety for speed.
async fn bulk_connection(home: &Path) -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new()
        .filename(home.join(DATABASE_FILE))
        .foreign_keys(false)
        .disable_statement_logging()
        .connect()
        .await
        .unwrap();
    let sql = "pragma locking_mode = exclusive; pragma journal_mode = off; pragma synchronous = off;
               pragma cache_size = -1000000;
               create temp table step (step integer primary key);
               insert into step with recursive n (i) as (values (1) union all select i + 1 from n where i < 20)
                   select i from n;";
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection
}

/// Drops the secondary indexes; the statements that build them again.
async fn drop_indexes(connection: &mut SqliteConnection) -> Vec<String> {
    let sql = "select name, sql from sqlite_master where type = 'index' and sql is not null";
    let indexes: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut *connection).await.unwrap();
    for (name, _) in &indexes {
        sqlx::raw_sql(AssertSqlSafe(format!("drop index {name}"))).execute(&mut *connection).await.unwrap();
    }
    indexes.into_iter().map(|(_, sql)| sql).collect()
}

async fn insert_trials(connection: &mut SqliteConnection, sweep: i64, spec: &Sweep, first: u64, size: u64) {
    let drawn = intake::samples(spec, size);
    let mut done = 0;
    while done < size {
        let until = (done + TRANSACTION).min(size);
        sqlx::raw_sql("begin").execute(&mut *connection).await.unwrap();
        for from in (done..until).step_by(ROWS as usize) {
            let to = (from + ROWS).min(until);
            let mut query = QueryBuilder::<Sqlite>::new(
                "insert into trial (trial_id, sweep_id, number, state, params, suggested, ended, parameter_count, \
                 budget_steps, steps, best_step, best_value, created_ms, started_ms, finished_ms) ",
            );
            query.push_values(from..to, |mut row, number| {
                let Suggestion::Trial { params, reason } = &drawn[number as usize] else {
                    panic!("exhausted")
                };
                let at = 1_700_000_000_000 + number as i64 * 1000;
                row.push_bind((first + number) as i64)
                    .push_bind(sweep)
                    .push_bind(number as i64)
                    .push_bind("completed")
                    .push_bind(serde_json::to_string(params).unwrap())
                    .push_bind(serde_json::to_string(reason).unwrap())
                    .push_bind(r#"{"kind":"budget_spent"}"#)
                    .push_bind(1_000_000 + (number * 7919 % 1_000_000) as i64)
                    .push_bind(STEPS as i64)
                    .push_bind(STEPS as i64)
                    .push_bind(STEPS as i64)
                    .push_bind(value(params, number))
                    .push_bind(at)
                    .push_bind(at + 100)
                    .push_bind(at + 60_000 + (number % 977) as i64);
            });
            query.build().execute(&mut *connection).await.unwrap();
        }
        insert_what_follows(connection, first + done, first + until).await;
        sqlx::raw_sql("commit").execute(&mut *connection).await.unwrap();
        done = until;
    }
}

/// A made-up score: better around a learning rate of 0.002, with small kernels, and with luck.
fn value(params: &Params, number: u64) -> f64 {
    let get = |name: &str| params.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let luck = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1u64 << 53) as f64;
    1.5 + (get("learning_rate") / 0.002).log10().abs()
        + 0.05 * get("kernel_size")
        + get("dropout")
        + 2.0 * luck
}

/// All other rows of the trials `from..until`, as the daemon would have left them.
async fn insert_what_follows(connection: &mut SqliteConnection, from: u64, until: u64) {
    let which = format!("trial_id >= {from} and trial_id < {until}");
    // Twenty-five inputs each: handed out, every report, ended.
    let sql = format!(
        r#"
insert into trial_param (trial_id, name, sweep_id, value)
    select trial_id, key, sweep_id, value from trial, json_each(params) where {which};
insert into trial_value (trial_id, objective, sweep_id, step, value, ranked)
    select trial_id, 0, sweep_id, best_step, best_value, 1 from trial where {which};
insert into leg (leg_id, sweep_id, number, trial_id, fold, from_step, decided_seq, ended_seq, outcome, value)
    select trial_id, sweep_id, number, trial_id, 0, 0, trial_id * 25, trial_id * 25 + 22, 'completed', best_value
    from trial where {which};
insert into attempt (attempt_id, leg_id, trial_id, worker, slot, request_id, environment, lease_ms, state, reason,
                     tell, started_ms, finished_ms)
    select trial_id, trial_id, trial_id, 'local-cpu-0', 'cpu:0', 'local-cpu-0-' || trial_id,
           '{{"cpu_features":"avx2,fma","device":"cpu","host":"node","libtorch":"2.11.0","threads":"1"}}', 60000,
           'completed', '{{"kind":"budget_spent"}}',
           '{{"attempt":' || trial_id || ',"state":"completed","metrics":{{}},"reason":null,"weights":null}}',
           started_ms, finished_ms
    from trial where {which};
insert into event (seq, at_ms, sweep_id, trial_id, attempt_id, kind, reason)
    select trial_id * 25, created_ms, sweep_id, trial_id, null, 'trial_suggested', suggested
    from trial where {which};
insert into event (seq, at_ms, sweep_id, trial_id, attempt_id, kind, reason)
    select trial_id * 25, started_ms, sweep_id, trial_id, trial_id, 'attempt_started', null
    from trial where {which};
insert into event (seq, at_ms, sweep_id, trial_id, attempt_id, kind, reason)
    select trial_id * 25 + 22, finished_ms, sweep_id, trial_id, trial_id, 'trial_completed', ended
    from trial where {which};
insert into report (trial_id, fold, step, attempt_id, seq, at_ms, rmse, train_loss, train_rmse, learning_rate,
                    seconds, images_per_second)
    select trial_id, 0, step, trial_id, trial_id * 25 + step, started_ms + step * 3000,
           best_value * (1.0 + 0.05 * (20 - step)), best_value * (0.01 + 0.002 * (20 - step)),
           best_value * (0.9 + 0.06 * (20 - step)), 0.001 * (21 - step) / 20.0, 2.9 + trial_id % 100 / 97.0,
           730.0 + trial_id % 100 / 7.0
    from trial cross join step where {which};
"#
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// What the trials of [`PAIRS`] came to in their second objective: larger where the first one is smaller, with luck.
async fn insert_second_objective(connection: &mut SqliteConnection) {
    let sql = format!(
        "insert into trial_value (trial_id, objective, sweep_id, step, value, ranked)
             select trial_id, 1, sweep_id, best_step, 10.0 / best_value + trial_id * 7919 % 1000 / 500.0, 1
             from trial where sweep_id = (select sweep_id from sweep where name = '{PAIRS}')"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
