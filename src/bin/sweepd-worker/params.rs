//! Parameters from a file.

use anyhow::{Context, anyhow};
use std::fs;
use std::path::Path;
use sweepd::domain::Params;
use sweepd::model::Plan;

/// The parameters in a file: a JSON object.
pub fn read(path: &Path) -> anyhow::Result<Params> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{}: expected a JSON object of parameters", path.display()))
}

/// The plan that parameters make.
pub fn plan(params: &Params) -> anyhow::Result<Plan> {
    Plan::from_params(params).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        anyhow!("these parameters cannot be trained:\n{}", lines.join("\n"))
    })
}
