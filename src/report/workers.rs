//! Workers and devices as tables.

use super::{TextTable, age, bytes, duration_ms};
use crate::domain::Millis;
use crate::store::query::{WorkerSummary, Workers};

/// All workers, and the devices that they share.
#[must_use]
pub fn worker_list(all: &Workers) -> String {
    let mut table = TextTable::new()
        .words("SLOT")
        .words("WORKER")
        .numbers("PID")
        .words("STATE")
        .words("TRIAL")
        .numbers("EPOCH")
        .words("HEARD")
        .numbers("LEASE")
        .numbers("MEMORY")
        .numbers("ON DEVICE");
    for worker in &all.workers {
        table.row(row(worker, all.at_ms));
    }
    let mut text = table.render(None).0;
    if !all.devices.is_empty() {
        let mut devices =
            TextTable::new().words("DEVICE").words("NAME").numbers("FREE").numbers("MEMORY").words("");
        for device in &all.devices {
            let reading = &device.reading;
            let short = if device.short_of_memory { "short of memory: nothing more starts here" } else { "" };
            devices.row([
                reading.device.clone(),
                reading.name.clone(),
                bytes(reading.free_bytes),
                bytes(reading.total_bytes),
                short.to_owned(),
            ]);
        }
        text.push_str("\n\n");
        text.push_str(&devices.render(None).0);
    }
    text
}

fn row(worker: &WorkerSummary, now: Millis) -> [String; 10] {
    let work = worker.work.as_ref();
    let epoch = work.map(|work| match work.budget_steps {
        Some(budget) => format!("{}/{budget}", work.steps),
        None => work.steps.to_string(),
    });
    [
        worker.slot.clone(),
        worker.worker.clone(),
        worker.pid.map(|pid| pid.to_string()).unwrap_or_default(),
        worker.state.as_str().to_owned(),
        work.map(|work| format!("{}/{}", work.sweep_name, work.trial)).unwrap_or_default(),
        epoch.unwrap_or_default(),
        worker.heard_ms.map(|at| age(now, at)).unwrap_or_default(),
        worker.lease_until_ms.map(|until| duration_ms(until.since_ms(now))).unwrap_or_default(),
        worker.resident_bytes.map(bytes).unwrap_or_default(),
        worker.device_memory_bytes.map(bytes).unwrap_or_default(),
    ]
}
