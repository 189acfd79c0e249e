//! `/api/v1/events`: everything once, in order, whatever breaks off; and nobody waits for a slow reader.

use crate::support::{Home, toy};
use crate::web::{Event, Events};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// What the database holds of a sweep, as the stream tells it: `report TRIAL STEP` and `KIND TRIAL`.
fn stored(home: &Home, sweep: &str) -> Vec<String> {
    home.rows(&format!(
        "select text from (
             select seq, 0 as event, 'report ' || trial.number || ' ' || step as text
             from report join trial using (trial_id) join sweep using (sweep_id) where uid = '{sweep}'
             union all
             select seq, event_id, kind || ' ' || coalesce(trial.number, '-') from event join sweep using (sweep_id)
             left join trial on trial.trial_id = event.trial_id where uid = '{sweep}') order by seq, event"
    ))
}

fn told(event: &Event) -> Option<String> {
    let number = event.data["number"].as_u64().map_or("-".to_owned(), |number| number.to_string());
    match event.name.as_str() {
        "report" => Some(format!("report {number} {}", event.data["step"])),
        "change" => Some(format!("{} {number}", event.data["kind"].as_str().unwrap())),
        _ => None,
    }
}

/// What comes until the sweep has ended, or the stream.
fn listen(events: &mut Events, most: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < most {
        let Some(event) = events.next() else { break };
        assert_ne!(event.name, "reset");
        all.extend(told(&event));
        if all.last().is_some_and(|last| last == "sweep_completed -") {
            break;
        }
    }
    all
}

#[test]
fn a_stream_tells_everything_once_and_in_order() {
    let mut home = Home::new();
    home.serve(2);
    let mut events = home.events("", None);
    events.until_placed();
    let id = home.submit(&toy("told", 8, 1, ""));
    let mut hints = std::collections::BTreeSet::new();
    let mut all = Vec::new();
    loop {
        let event = events.next().unwrap();
        all.extend(told(&event));
        if event.name == "report" {
            assert_eq!(event.data["sweep"], id.as_str());
            assert!(
                event.data["metrics"]["rmse"].is_number() && event.data["at_ms"].is_number(),
                "{event:?}"
            );
        }
        if matches!(event.name.as_str(), "sweep" | "workers") {
            hints.insert(event.name.clone());
        }
        if all.last().is_some_and(|last| last == "sweep_completed -") && hints.len() == 2 {
            break;
        }
    }
    assert_eq!(all, stored(&home, &id));
    assert!(all.iter().any(|one| one == "trial_completed 7") && all.len() >= 8 * 5, "{all:?}");
    // Whatever the end has caused is told within a second.
    std::thread::sleep(Duration::from_millis(1500));
    let mut later = home.events("", None);
    later.until_placed();
    home.ok(&["note", &id, "looked at"]);
    let noted = std::iter::from_fn(|| later.next()).find(|event| event.name == "sweep").unwrap();
    assert_eq!(noted.data["sweep"], id.as_str(), "a note is hinted at");
    home.ok(&["rm", &id]);
    let gone = std::iter::from_fn(|| events.next()).find(|event| event.name == "sweep").unwrap();
    assert_eq!(gone.data["sweep"], id.as_str(), "a removed sweep is hinted at");
}

#[test]
fn nothing_is_missed_or_doubled_across_reconnects_and_a_restart() {
    let mut home = Home::new();
    home.serve(2);
    let mut events = home.events("", None);
    events.until_placed();
    let id = home.submit(&toy("told", 60, 20, ""));
    let mut all = Vec::new();
    // Broken off now and then, in the middle of whatever it was: some of the time the daemon is killed, too.
    for round in 0..12 {
        let most = 1 + round * 2 % 7;
        all.extend(listen(&mut events, most));
        let last = events.last.clone();
        drop(events);
        match round {
            4 => {
                home.signal_daemon(Signal::SIGKILL);
                home.serve(2);
            }
            8 => {
                home.signal_daemon(Signal::SIGTERM);
                std::thread::sleep(Duration::from_millis(300));
                home.serve(2);
            }
            _ => std::thread::sleep(Duration::from_millis(30)),
        }
        events = home.events("", last.as_deref());
    }
    all.extend(listen(&mut events, usize::MAX));
    home.until_over(&id);
    assert_eq!(all, stored(&home, &id));
    // Long after, from the very beginning, in the address instead of the header.
    let (era, _) = events.last.as_deref().unwrap().split_once('-').unwrap();
    let mut again = home.events(&format!("?after={era}-0-0"), None);
    assert_eq!(listen(&mut again, usize::MAX), stored(&home, &id));
}

#[test]
fn a_stream_of_one_sweep_or_one_trial_tells_of_nothing_else() {
    let mut home = Home::new();
    home.serve(2);
    let start = {
        let mut events = home.events("", None);
        events.until_placed();
        events.last.unwrap()
    };
    let (one, other) = (home.submit(&toy("one", 3, 1, "")), home.submit(&toy("other", 3, 1, "")));
    home.until_over(&one);
    home.until_over(&other);
    let mut of_other = home.events(&format!("?sweep={other}"), Some(&start));
    assert_eq!(listen(&mut of_other, usize::MAX), stored(&home, &other));
    let trial = home.json(&["trials", &one])[1]["trial_id"].to_string();
    let wanted: Vec<String> =
        stored(&home, &one).into_iter().filter(|line| line.split(' ').nth(1) == Some("1")).collect();
    let mut of_trial = home.events(&format!("?trial={trial}"), Some(&start));
    assert_eq!(listen(&mut of_trial, wanted.len()), wanted);
}

#[test]
fn a_cursor_that_means_nothing_gets_a_reset() {
    let mut home = Home::new();
    home.serve(1);
    let mut fresh = home.events("", None);
    fresh.until_placed();
    let place = fresh.last.unwrap();
    let (era, _) = place.split_once('-').unwrap();
    for wrong in
        ["nonsense", "0123456789ab-1-1", &format!("{era}-999999999-999999999"), &format!("{era}-x-1")]
    {
        let mut events = home.events("", Some(wrong));
        assert_eq!(events.next().unwrap().name, "reset", "{wrong}");
        assert!(events.last.as_deref().is_some_and(|last| last.starts_with(era)), "{:?}", events.last);
    }
}

/// Nobody reads from these streams; the sweep goes on as if they were not there, and what they have missed they get.
#[test]
fn a_slow_reader_slows_nobody_and_misses_nothing() {
    let mut home = Home::new();
    home.serve(2);
    let mut slow: Vec<Events> = (0..20).map(|_| home.events("", None)).collect();
    slow.iter_mut().for_each(Events::until_placed);
    let started = Instant::now();
    // Enough to fill every buffer on the way several times over.
    let id = home.submit(&toy("busy", 1500, 0, ""));
    home.until_over(&id);
    eprintln!("1500 trials in {:.1} s", started.elapsed().as_secs_f64());
    let all = stored(&home, &id);
    for events in &mut slow[..3] {
        assert_eq!(listen(events, usize::MAX), all);
    }
    // The daemon ends although the others still do not read.
    let asked = Instant::now();
    home.signal_daemon(Signal::SIGTERM);
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
}
