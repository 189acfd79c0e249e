//! Parameters from a file: a JSON object, or a sweep file whose parameters are all fixed.

use anyhow::{Context, anyhow};
use std::fs;
use std::path::Path;
use sweepd::domain::Params;
use sweepd::intake;
use sweepd::model::Plan;

/// The parameters in a file.
pub fn read(path: &Path) -> anyhow::Result<Params> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    if path.extension().is_some_and(|extension| extension == "toml") {
        let sweep = intake::read_toml(&path.display().to_string(), &text)?;
        return intake::fixed_params(&sweep).with_context(|| {
            format!(
                "{}: its parameters are not all fixed; `sweepd submit --dry-run` shows what it draws",
                path.display()
            )
        });
    }
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
