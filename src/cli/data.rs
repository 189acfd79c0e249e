//! `sweepd data`: import, draw, list and show datasets.

use super::trainer;
use crate::dataset::picture::{Face, Mark, contact_sheet};
use crate::dataset::summary::Summary;
use crate::dataset::{self, Dataset, IfExists, Written, kaggle, synth};
use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Nothing but a line under the headings.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Faces side by side in a picture.
const ACROSS: usize = 8;

/// Datasets: import, draw synthetic ones, list, show
#[derive(Args, Debug)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Subcommand, Debug)]
enum DataCommand {
    /// Import labelled faces from files
    Import(ImportArgs),
    /// Draw synthetic faces: the same seed gives the same faces on every machine
    Synth(SynthArgs),
    /// List the datasets
    Ls,
    /// Show one dataset: rows, missing labels, hash, what the mean face scores; checks its bytes
    Show(ShowArgs),
}

#[derive(Args, Debug)]
struct ImportArgs {
    /// What the files are
    #[arg(value_enum)]
    format: Format,
    /// The zip as downloaded, its inner training.zip, training.csv, or a folder with one of these two
    path: PathBuf,
    /// What to call the dataset
    #[arg(long, default_value = "faces")]
    name: String,
    /// Further columns of the table, numbers that networks may take beside the image: see `extra_columns`
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    numbers: Vec<String>,
    /// Put it in the place of different data of that name
    #[arg(long)]
    replace: bool,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Format {
    /// Kaggle's "Facial Keypoints Detection": 96x96 grey faces, 15 points
    Faces,
}

#[derive(Args, Debug)]
struct SynthArgs {
    /// What to call the dataset
    #[arg(default_value = "synthetic")]
    name: String,
    /// How many faces
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    rows: u64,
    /// Which faces
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Heads that hardly turn, nod and lean, as on passports
    #[arg(long)]
    steady: bool,
    /// Put it in the place of different data of that name
    #[arg(long)]
    replace: bool,
}

#[derive(Args, Debug)]
struct ShowArgs {
    /// The dataset
    name: String,
    /// Write a picture of faces with their keypoints (PNG)
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// How many faces the picture shows, taken evenly from all rows
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rows: u32,
    /// Show beside each face what augmentation makes of it: a sweep file or a JSON object with its parameters
    #[arg(long, value_name = "FILE", requires = "picture")]
    augment: Option<PathBuf>,
    /// Seed of what is done to them
    #[arg(long, default_value_t = 0, requires = "augment")]
    seed: u64,
    /// The worker program, which draws it [default: sweepd-worker beside sweepd]
    #[arg(long, value_name = "PATH", requires = "augment")]
    worker_program: Option<PathBuf>,
}

/// Runs the subcommand.
///
/// # Errors
/// Where files, datasets or names are not as they must be.
pub fn run(args: DataArgs, home: &Path, json: bool) -> anyhow::Result<()> {
    match args.command {
        DataCommand::Import(args) => import(&args, home, json),
        DataCommand::Synth(args) => draw(&args, home, json),
        DataCommand::Ls => list(home, json),
        DataCommand::Show(args) => show(&args, home, json),
    }
}

fn if_exists(replace: bool) -> IfExists {
    if replace { IfExists::Replace } else { IfExists::Refuse }
}

fn import(args: &ImportArgs, home: &Path, json: bool) -> anyhow::Result<()> {
    let Format::Faces = args.format;
    let bar = progress(None, "rows read");
    let mut tell = |rows: usize| bar.set_position(rows as u64);
    let (numbers, exists) = (args.numbers.clone(), if_exists(args.replace));
    let written = kaggle::import(home, &args.name, &args.path, numbers, exists, &mut tell);
    bar.finish_and_clear();
    tell_written(&written?, json)
}

fn draw(args: &SynthArgs, home: &Path, json: bool) -> anyhow::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let bar = progress(Some(args.rows), "faces drawn");
    let mut tell = |rows: u64| bar.set_position(rows);
    let poses = if args.steady { synth::Poses::Steady } else { synth::Poses::Free };
    let to = synth::Request { home, name: &args.name, rows: args.rows, seed: args.seed, poses, threads };
    let written = synth::write(&to, if_exists(args.replace), &mut tell);
    bar.finish_and_clear();
    tell_written(&written?, json)
}

/// On stderr, and only where that is a terminal.
fn progress(total: Option<u64>, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let template = if total.is_some() { "{wide_bar} {pos}/{len} {msg}" } else { "{spinner} {pos} {msg}" };
    // A template that does not parse would leave the plain bar.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_message(what)
}

fn tell_written(written: &Written, json: bool) -> anyhow::Result<()> {
    let (state, sentence) = match written {
        Written::Created(_) => ("created", "is ready"),
        Written::Replaced(_) => ("replaced", "is replaced"),
        Written::Same(_) => ("same", "had the very same data already; nothing was written"),
    };
    let summary = Summary::of(written.dataset());
    if json {
        let mut value = serde_json::to_value(&summary)?;
        value["state"] = state.into();
        return print_json(&value);
    }
    let Summary { name, rows, full_rows, hash, .. } = &summary;
    println!("dataset {name} {sentence}: {rows} rows, {full_rows} with all labels, hash {}", short(hash));
    if let Some(rmse) = summary.mean_face_rmse {
        println!("the mean face scores an RMSE of {rmse:.3} px: what a model must beat");
    }
    Ok(())
}

fn list(home: &Path, json: bool) -> anyhow::Result<()> {
    let names = dataset::list(home)?;
    let opened = names.iter().map(|name| (name, dataset::find(home, name)));
    if json {
        let values: Vec<_> = opened
            .map(|(name, found)| match found {
                Ok(dataset) => serde_json::to_value(Summary::of(&dataset)),
                Err(error) => Ok(serde_json::json!({ "name": name, "error": error.to_string() })),
            })
            .collect::<Result<_, _>>()?;
        return print_json(&values.into());
    }
    if names.is_empty() {
        eprintln!(
            "no datasets yet: `sweepd data synth` draws one, `sweepd data import faces PATH` imports one"
        );
        return Ok(());
    }
    let mut table =
        new_table(&["NAME", "ROWS", "IMAGES", "FULL ROWS", "MISSING", "MEAN FACE", "SIZE", "FROM", "HASH"]);
    let mut damaged = Vec::new();
    for (name, found) in opened {
        match found {
            Ok(dataset) => {
                let s = Summary::of(&dataset);
                table.add_row(vec![
                    s.name,
                    s.rows.to_string(),
                    s.groups.to_string(),
                    s.full_rows.to_string(),
                    percent(s.missing_share),
                    s.mean_face_rmse.map_or_else(|| "-".to_owned(), |rmse| format!("{rmse:.3} px")),
                    megabytes(s.file_bytes),
                    s.provenance.kind,
                    short(&s.hash).to_owned(),
                ]);
            }
            Err(error) => {
                table.add_row(vec![name.clone(), "damaged".to_owned()]);
                damaged.push(error.to_string());
            }
        }
    }
    (1..=6).for_each(|column| right(&mut table, column));
    println!("{}", table.trim_fmt());
    for error in damaged {
        eprintln!("{error}");
    }
    Ok(())
}

fn show(args: &ShowArgs, home: &Path, json: bool) -> anyhow::Result<()> {
    let dataset = dataset::find(home, &args.name)?;
    dataset.verify()?;
    let summary = Summary::of(&dataset);
    if let Some(path) = &args.picture {
        match &args.augment {
            None => draw_picture(&dataset, args.rows as usize, path)?,
            Some(params) => draw_augmented(&dataset, args, params, path)?,
        }
    }
    if json {
        let mut value = serde_json::to_value(&summary)?;
        if let Some(path) = &args.picture {
            value["picture"] = path.to_string_lossy().into();
        }
        return print_json(&value);
    }
    let s = &summary;
    println!("name        {}", s.name);
    println!("rows        {} ({} with all labels, {} different images)", s.rows, s.full_rows, s.groups);
    println!("from        {}: {}", s.provenance.kind, s.provenance.detail);
    println!("hash        {} (checked)", s.hash);
    println!("file        {} ({})", dataset.path().display(), megabytes(s.file_bytes));
    if !s.numbers.is_empty() {
        println!("numbers     {}", s.numbers.join(", "));
    }
    match s.mean_face_rmse {
        Some(rmse) => println!("mean face   RMSE {rmse:.3} px on the default split"),
        None => println!("mean face   cannot be scored: the rows cannot be split"),
    }
    println!();
    let mut table = new_table(&["KEYPOINT", "MISSING X", "MISSING Y", "SHARE"]);
    for pair in s.missing.chunks_exact(2) {
        let share = (pair[0].missing + pair[1].missing) as f64 / (2 * s.rows) as f64;
        table.add_row(vec![
            pair[0].column.trim_end_matches("_x").to_owned(),
            pair[0].missing.to_string(),
            pair[1].missing.to_string(),
            percent(share),
        ]);
    }
    (1..=3).for_each(|column| right(&mut table, column));
    println!("{}", table.trim_fmt());
    if let Some(path) = &args.picture {
        eprintln!("picture written to {}", path.display());
    }
    Ok(())
}

/// Faces taken evenly from all rows, with their labels.
fn draw_picture(dataset: &Dataset, faces: usize, path: &Path) -> anyhow::Result<()> {
    let faces = faces.min(dataset.rows());
    let faces: Vec<Face<'_>> = (0..faces)
        .map(|i| i * dataset.rows() / faces)
        .map(|row| Face { image: dataset.image(row), points: vec![(dataset.labels(row), Mark::Dot)] })
        .collect();
    contact_sheet(&faces, ACROSS).write_png(path).context("the picture was not written")
}

/// The same beside what augmentation makes of them: by the program that trains, so what is seen is what is trained.
fn draw_augmented(dataset: &Dataset, args: &ShowArgs, params: &Path, path: &Path) -> anyhow::Result<()> {
    let (faces, seed) = (args.rows.to_string(), args.seed.to_string());
    let flags: [&OsStr; 11] = [
        "augment".as_ref(),
        "--dataset".as_ref(),
        dataset.path().as_os_str(),
        "--params".as_ref(),
        params.as_os_str(),
        "--faces".as_ref(),
        faces.as_ref(),
        "--seed".as_ref(),
        seed.as_ref(),
        "--out".as_ref(),
        path.as_os_str(),
    ];
    trainer::run(args.worker_program.as_deref(), "drawing augmentation", flags)
}

fn new_table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(headings.to_vec());
    table
}

fn right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
