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
