//! docs/trainer.md lists every parameter of the trainer as it is.

use std::fmt::Write as _;
use std::path::Path;
use sweepd::model::PARAMETERS;

const FROM: &str = "|---|---|---|---|\n";
const TO: &str = "\n## Families";

/// Compares the table; with `UPDATE_DOCS=1` writes it.
#[test]
fn the_trainers_document_lists_every_parameter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/trainer.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(FROM).expect("the table's head");
    let (there, after) = rest.split_once(TO).expect("the section after the table");
    let mut table = String::new();
    for known in PARAMETERS {
        let accepts = known.accepts.to_string().replace('|', "\\|");
        writeln!(table, "| `{}` | {accepts} | {} | {} |", known.name, known.default, known.doc).unwrap();
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{FROM}{table}{TO}{after}")).unwrap();
        return;
    }
    assert!(there == table, "docs/trainer.md differs: run this test with UPDATE_DOCS=1");
}
