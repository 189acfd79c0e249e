//! Watches the memory of the GPUs in use, for the scheduler and for people.

use super::gpus::{Devices, Gpu};
use crate::domain::DeviceReading;
use crate::scheduler::shell::Dispatcher;
use crate::scheduler::{DeviceMemory, Input};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How often memory is looked at.
const PAUSE: Duration = Duration::from_secs(2);

/// Looks at the devices named in `used` until the dispatcher or this task ends.
pub(super) async fn watch(
    mut devices: Box<dyn Devices>,
    used: Vec<String>,
    dispatcher: Dispatcher,
    readings: watch::Sender<Vec<DeviceReading>>,
) {
    let mut silent = false;
    loop {
        // The driver may take its time.
        let looked = tokio::task::spawn_blocking(move || {
            let read = devices.read();
            (devices, read)
        });
        let Ok((given_back, read)) = looked.await else { return };
        devices = given_back;
        let failed = read.is_err();
        if let Err(error) = &read
            && !silent
        {
            tracing::warn!(%error, "the GPUs' memory cannot be read: trials start whatever is free");
        }
        silent = failed;
        let (seen, inputs) = look(read.unwrap_or_default(), &used);
        readings.send_replace(seen);
        for input in inputs {
            if dispatcher.handle(input).await.is_err() {
                tracing::debug!("the scheduler did not hear of a device's memory");
            }
        }
        sleep(PAUSE).await;
    }
}

/// What is known of the devices in use, and what the scheduler is told: also of those of which nothing is known.
fn look(gpus: Vec<Gpu>, used: &[String]) -> (Vec<DeviceReading>, Vec<Input>) {
    let all: Vec<DeviceReading> = gpus.iter().map(Gpu::reading).collect();
    let seen: Vec<DeviceReading> = all.into_iter().filter(|reading| used.contains(&reading.device)).collect();
    let told = used.iter().map(|device| {
        let reading = seen.iter().find(|reading| reading.device == *device);
        let memory = reading.map(|r| DeviceMemory { free_bytes: r.free_bytes, total_bytes: r.total_bytes });
        Input::Device { device: device.clone(), memory }
    });
    let told = told.collect();
    (seen, told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_scheduler_is_told_of_every_device_in_use_and_of_no_other() {
        let gpu = |index| Gpu {
            index,
            name: "a GPU".into(),
            memory_bytes: 80,
            free_bytes: 7,
            utilisation: None,
            processes: BTreeMap::new(),
            compute_capability: (9, 0),
        };
        let used = ["cuda:1".to_owned(), "cuda:2".to_owned()];
        let (seen, told) = look(vec![gpu(0), gpu(1)], &used);
        assert_eq!(seen.len(), 1);
        let memory = Some(DeviceMemory { free_bytes: 7, total_bytes: 80 });
        let expected = [("cuda:1", memory), ("cuda:2", None)];
        let expected = expected.map(|(device, memory)| Input::Device { device: device.into(), memory });
        assert_eq!(told, expected, "of one nothing is known, and what was known of it holds no more");
    }
}
