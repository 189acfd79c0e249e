//! How long a daemon takes from the start of its process to its first answer, and how much memory.

use super::generate::LARGE;
use super::process::{Daemon, forget_cached, spread};
use sqlx::{AssertSqlSafe, Connection as _};
use std::path::Path;
use sweepd::store::DATABASE_FILE;

/// Trials that wait in the sweep that is opened again, at most.
const WAITING: u64 = 100_000;

pub async fn measure(home: &Path, repeat: usize) {
    restart(home, repeat, "every sweep has ended");
    let (mut trials, waiting) = size(home).await;
    let open = format!(
        "update sweep set state = 'active', finished_ms = null,
                spec = json_set(spec, '$.search.trials', {}) where name = '{LARGE}'",
        trials + waiting
    );
    change(home, &open).await;
    restart(home, repeat, &format!("{trials} trials have ended, {waiting} are still to be drawn"));
    let rungs = format!(
        "update leg set until_step = 20 where sweep_id = (select sweep_id from sweep where name = '{LARGE}');
         update sweep set spec = json_set(spec, '$.search.stopper',
             json('{{\"name\":\"asha\",\"min_steps\":5,\"factor\":4}}')) where name = '{LARGE}'"
    );
    change(home, &rungs).await;
    restart(home, repeat, "the same with a stopper that knows every rung");
    let free = format!(
        "update leg set until_step = null where until_step is not null;
         update sweep set spec = json_remove(spec, '$.search.stopper') where name = '{LARGE}'"
    );
    change(home, &free).await;
    change(home, &waiting_trials(waiting)).await;
    trials += waiting;
    restart(home, repeat, &format!("{waiting} of {trials} trials wait, drawn"));
    let close = format!(
        "delete from trial_param where trial_id in (select trial_id from trial where state = 'queued');
         delete from trial where state = 'queued';
         update sweep set state = 'completed', finished_ms = created_ms + 1000000 where name = '{LARGE}'"
    );
    change(home, &close).await;
}

fn restart(home: &Path, repeat: usize, what: &str) {
    let (mut times, mut peak) = (Vec::new(), 0.0f64);
    for _ in 0..repeat.max(1) {
        let daemon = Daemon::start(home);
        times.push(daemon.ready_after);
        peak = peak.max(daemon.peak_mb());
    }
    println!("{}  {what}; {peak:.0} MB", spread(times));
    let times = (0..3).map(|_| {
        forget_cached(home);
        let daemon = Daemon::start(home);
        let ready = daemon.ready_after;
        daemon.kill();
        ready
    });
    println!("{}  the same, killed before, nothing cached", spread(times.collect()));
}

/// Trials of the large sweep, and how many are to wait in it.
async fn size(home: &Path) -> (u64, u64) {
    let mut connection = connect(home).await;
    let sql = "select count(*) from trial join sweep using (sweep_id) where name = ?";
    let trials: i64 = sqlx::query_scalar(sql).bind(LARGE).fetch_one(&mut connection).await.unwrap();
    let trials = u64::try_from(trials).unwrap();
    (trials, WAITING.min(trials / 9))
}

/// Waiting trials like the first ones of the sweep.
fn waiting_trials(n: u64) -> String {
    format!(
        "begin;
         insert into trial (sweep_id, number, state, params, suggested, parameter_count, created_ms)
             select sweep_id, number + (select max(number) + 1 from trial where sweep_id = first.sweep_id), 'queued',
                    params, '{{\"kind\":\"enqueued\",\"filled_in\":[]}}', parameter_count, created_ms
             from trial first where sweep_id = (select sweep_id from sweep where name = '{LARGE}') and number < {n}
             order by number;
         insert into trial_param (trial_id, name, sweep_id, value)
             select trial_id, key, sweep_id, value from trial, json_each(params) where state = 'queued';
         commit"
    )
}

async fn connect(home: &Path) -> sqlx::SqliteConnection {
    let url = format!("sqlite://{}", home.join(DATABASE_FILE).display());
    sqlx::SqliteConnection::connect(&url).await.unwrap()
}

async fn change(home: &Path, sql: &str) {
    let mut connection = connect(home).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
