//! What trials need of a device's memory: measured, recorded, shown, and made use of.

use crate::support::{Home, toy};

#[test]
fn what_trials_held_of_a_device_is_recorded_and_shown() {
    let mut home = Home::new();
    home.serve(1);
    let held = r#"device_mb = { type = "choice", values = [1536, 3072] }"#;
    let id = home.submit(&toy("measured", 6, 1, held));
    home.until_over(&id);
    let trials = home.json(&["trials", &id]);
    for trial in trials.as_array().unwrap() {
        let mb = trial["params"]["device_mb"].as_u64().unwrap();
        assert_eq!(trial["device_memory_bytes"].as_u64(), Some(mb << 20), "{trial}");
        assert!(trial["resident_bytes"].is_null(), "nobody measured it");
        let text = home.ok(&["trial", &trial["trial_id"].to_string()]);
        assert!(
            text.contains(&format!("memory      {:.1} GiB of its device at most", mb as f64 / 1024.0)),
            "{text}"
        );
        assert!(!text.contains("DEVICE_MEMORY_BYTES"), "{text}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let need = runtime.block_on(async {
        let reader = sweepd::store::Reader::open(home.path(), 1).await.unwrap();
        reader.device_memory_need().await.unwrap()
    });
    assert_eq!(need, Some(3072 << 20));
    let said = home.sweepd(&["serve", "--slots-per-gpu", "many"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("a number from 1 to 64, or auto"));
}

#[test]
fn what_does_not_fit_is_tried_in_parts_where_that_is_wanted() {
    let mut home = Home::new();
    home.serve(2);
    let misfit = r#"behave = { type = "fixed", value = "out_of_memory" }
fits_in_parts = { type = "choice", values = [4, 16] }"#;
    let text = toy("misfit", 6, 1, misfit);
    let strict = home.submit(&text);
    let wanted = text.replace("kind = \"toy\"", "kind = \"toy\"\nout_of_memory = \"accumulate\"");
    let lenient = home.submit(&wanted.replace("misfit", "lenient"));
    home.until_over(&strict);
    home.until_over(&lenient);
    for trial in home.json(&["trials", &strict]).as_array().unwrap() {
        assert_eq!((&trial["state"], &trial["inexact"]), (&"failed".into(), &false.into()), "{trial}");
        assert!(
            trial["ended"]["message"].as_str().unwrap().contains("Tried to allocate 20.00 GiB"),
            "{trial}"
        );
    }
    let trials = home.json(&["trials", &lenient]);
    let mut ends = std::collections::BTreeSet::new();
    for trial in trials.as_array().unwrap() {
        let fits = trial["params"]["fits_in_parts"] == 4;
        let (state, parts) = if fits { ("completed", 4) } else { ("failed", 8) };
        ends.insert(state);
        assert_eq!((&trial["state"], &trial["accumulate"]), (&state.into(), &parts.into()), "{trial}");
        assert_eq!(trial["inexact"], true);
    }
    assert_eq!(ends.len(), 2, "the seed must bring both");
    let board = home.json(&["best", &lenient]);
    assert!(board["ranked"].as_array().unwrap().iter().all(|ranked| ranked["trial"]["inexact"] == true));
    let best = board["ranked"][0]["trial"]["trial_id"].to_string();
    let text = home.ok(&["trial", &best]);
    assert!(
        text.contains("gradients of 4 parts of each batch are summed")
            && text.contains("inexact gradients of 4 parts"),
        "{text}"
    );
}
