//! What people say of sweeps and trials. It decides nothing, so the scheduler is not asked.

use super::StoreError;
use super::direct::execute;
use super::open::{Durability, Writer};
use super::rows::to_json;
use crate::domain::{Remark, Subject};
use rusqlite::params;

impl Writer {
    /// Writes a remark down in the place of the one before; whether there is what it is about.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn remark(&mut self, remark: &Remark) -> Result<bool, StoreError> {
        self.set_durability(Durability::Synced)?;
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let changed = match remark {
            Remark::Note { of: Subject::Sweep(sweep), text: note } => {
                let sql = "update sweep set note = ? where sweep_id = ?";
                execute(&self.connection, sql, params![text(note), sweep.0])?
            }
            Remark::Note { of: Subject::Trial(trial), text: note } => {
                let sql = "update trial set note = ? where trial_id = ?";
                execute(&self.connection, sql, params![text(note), trial.0])?
            }
            Remark::Tags { of, tags } => {
                let tags = (!tags.is_empty()).then(|| to_json(tags)).transpose()?;
                match of {
                    Subject::Sweep(sweep) => {
                        let sql = "update sweep set tags = ? where sweep_id = ?";
                        execute(&self.connection, sql, params![tags, sweep.0])?
                    }
                    Subject::Trial(trial) => {
                        let sql = "update trial set tags = ? where trial_id = ?";
                        execute(&self.connection, sql, params![tags, trial.0])?
                    }
                }
            }
        };
        Ok(changed == 1)
    }
}
