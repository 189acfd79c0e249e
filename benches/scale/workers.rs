//! Many workers at once against the real daemon: each claims, reports every second, tells, and claims again.
//! Afterwards the daemon is killed, and the database must hold every report that was acknowledged.

use super::connection::Connection;
use super::generate::STEPS;
use super::process::{Daemon, spread, submit};
use sqlx::Connection as _;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};
use sweepd::domain::{AttemptId, Metrics, ObjectiveKind, TellState, TrialId};
use sweepd::store::DATABASE_FILE;
use sweepd::worker::protocol::{Claim, DaemonFile, Report, Tell, Verdict, Work};
use tokio::time::{MissedTickBehavior, interval_at};

/// What one worker saw.
#[derive(Default)]
struct Log {
    claims: Vec<Duration>,
    reports: Vec<Duration>,
    tells: Vec<Duration>,
    acknowledged: Vec<(TrialId, u64, AttemptId, f64)>,
}

pub async fn run(home: &Path, workers: usize, seconds: u64) {
    let daemon = Daemon::start(home);
    let text = super::generate::file("load", 10_000_000).replace("external", "toy");
    submit(&daemon.address, text).await;
    let started = tokio::time::Instant::now() + Duration::from_secs(1);
    let ends = started + Duration::from_secs(seconds);
    let (cpu, clock) = (daemon.cpu_s(), Instant::now());
    let tasks: Vec<_> = (0..workers)
        .map(|number| {
            // Spread over the second, as workers that started whenever they did.
            let at = started
                + Duration::from_secs(1) * u32::try_from(number).unwrap() / u32::try_from(workers).unwrap();
            tokio::spawn(work(daemon.address.clone(), number, at, ends))
        })
        .collect();
    let pings = tokio::spawn(ping(daemon.address.clone(), ends));
    let mut all = Log::default();
    for task in tasks {
        let log = task.await.unwrap();
        all.claims.extend(log.claims);
        all.reports.extend(log.reports);
        all.tells.extend(log.tells);
        all.acknowledged.extend(log.acknowledged);
    }
    let (cpu, wall) = (daemon.cpu_s() - cpu, clock.elapsed().as_secs_f64());
    println!(
        "{workers} workers for {seconds} s; the daemon used {:.0} % of a core, {:.0} MB",
        100.0 * cpu / wall,
        daemon.peak_mb()
    );
    daemon.kill();
    let pings = pings.await.unwrap();
    for (what, times) in
        [("claim", all.claims), ("report", all.reports), ("tell", all.tells), ("ping", pings)]
    {
        println!("{what:>7}: {}  {}", quantiles(times.clone()), spread(times));
    }
    let lost = lost(home, &all.acknowledged).await;
    println!("{} reports acknowledged, {lost} of them lost after kill -9", all.acknowledged.len());
    assert_eq!(lost, 0);
}

/// How long the machine alone takes for an answer, with everybody who shares it.
async fn ping(daemon: DaemonFile, ends: tokio::time::Instant) -> Vec<Duration> {
    let mut connection = Connection::open(&daemon).await;
    let mut times = Vec::new();
    while tokio::time::Instant::now() < ends {
        let at = Instant::now();
        connection.ping().await;
        times.push(at.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}

async fn work(
    daemon: DaemonFile,
    number: usize,
    starts: tokio::time::Instant,
    ends: tokio::time::Instant,
) -> Log {
    let mut connection = Connection::open(&daemon).await;
    let mut log = Log::default();
    let mut second = interval_at(starts, Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Those that start later are in the middle of a trial when the first ones end theirs.
    let mut left = 1 + number as u64 % STEPS;
    for request in 0.. {
        second.tick().await;
        let claim = Claim {
            worker: format!("worker-{number}"),
            slot: format!("node{number}:0"),
            request_id: format!("{number}-{request}"),
            kinds: vec![ObjectiveKind::Toy],
            environment: BTreeMap::from([("host".into(), format!("node{number}"))]),
            beside: None,
        };
        let at = Instant::now();
        let Some(work) = connection.call::<Work>("/api/v1/work/claim", &claim).await else { continue };
        log.claims.push(at.elapsed());
        for step in 1..=left {
            second.tick().await;
            if tokio::time::Instant::now() >= ends {
                return log;
            }
            let rmse = 3.0 / step as f64 + number as f64 * 1e-6;
            let metrics =
                Metrics::default().with("rmse", rmse).with("train_loss", rmse / 50.0).with("seconds", 1.0);
            let report = Report { attempt: work.attempt, step, metrics };
            let path = format!("/api/v1/trials/{}/report", work.trial_id);
            let at = Instant::now();
            connection.call::<Verdict>(&path, &report).await;
            log.reports.push(at.elapsed());
            log.acknowledged.push((work.trial_id, step, work.attempt, rmse));
        }
        left = STEPS;
        let tell = Tell {
            attempt: work.attempt,
            state: TellState::Completed,
            metrics: Metrics::default(),
            reason: None,
            weights: None,
        };
        let path = format!("/api/v1/trials/{}/tell", work.trial_id);
        let at = Instant::now();
        connection.call::<()>(&path, &tell).await;
        log.tells.push(at.elapsed());
    }
    log
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!("50 % {:6.1} ms, 90 % {:6.1}, 99 % {:6.1}, 99.9 % {:6.1};", at(0.5), at(0.9), at(0.99), at(0.999))
}

/// How many acknowledged reports the database does not hold as they were sent.
async fn lost(home: &Path, acknowledged: &[(TrialId, u64, AttemptId, f64)]) -> usize {
    let url = format!("sqlite://{}", home.join(DATABASE_FILE).display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let first = acknowledged.iter().map(|(trial, ..)| trial.0).min().unwrap_or(0);
    let rows: Vec<(i64, i64, i64, f64)> =
        sqlx::query_as("select trial_id, step, attempt_id, rmse from report where trial_id >= ?")
            .bind(first)
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let stored: HashMap<(i64, i64), (i64, f64)> =
        rows.into_iter().map(|(trial, step, attempt, rmse)| ((trial, step), (attempt, rmse))).collect();
    let is_lost = |(trial, step, attempt, rmse): &&(TrialId, u64, AttemptId, f64)| {
        stored.get(&(trial.0, i64::try_from(*step).unwrap())) != Some(&(attempt.0, *rmse))
    };
    acknowledged.iter().filter(is_lost).count()
}
