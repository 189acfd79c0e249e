//! `sweepd backup`: a copy of the database, whole and consistent, while everything runs.

use super::context::Context;
use super::exit::{FAILED, Failure};
use crate::store::blob;
use anyhow::Context as _;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

/// Copy the database to a file, while everything runs
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The new file; put as sweepd.db into an empty home folder, it is the same database
    pub file: PathBuf,
    /// Copy weights and checkpoints too, into FILE.blobs (the blobs folder of that home)
    #[arg(long)]
    pub blobs: bool,
}

/// Writes the copy, whole or not at all.
///
/// # Errors
/// Where the file exists, or the database or the disk fails.
pub async fn run(args: BackupArgs, context: &Context) -> anyhow::Result<()> {
    if args.file.exists() {
        let message = format!("{} exists already: name a new file", args.file.display());
        return Err(Failure::new(FAILED, message).into());
    }
    let reader = context.reader().await?;
    let partial = beside(&args.file, ".part");
    let text = partial.to_str().context("the file's name must be UTF-8")?;
    // A leftover of a backup that was killed.
    if partial.exists() {
        fs::remove_file(&partial).with_context(|| partial.display().to_string())?;
    }
    reader.copy_to(text).await?;
    fs::File::open(&partial)
        .and_then(|file| file.sync_all())
        .with_context(|| partial.display().to_string())?;
    let mut copied = 0;
    if args.blobs {
        let target = beside(&args.file, ".blobs");
        for hash in reader.blobs().await? {
            copied += u64::from(copy_blob(&context.home, &hash, &target)?);
        }
    }
    fs::rename(&partial, &args.file).with_context(|| args.file.display().to_string())?;
    let bytes = fs::metadata(&args.file)?.len();
    if context.json {
        println!("{}", serde_json::json!({ "file": args.file, "bytes": bytes, "blobs": copied }));
    } else {
        eprintln!("{}: {:.1} MB, {copied} blobs", args.file.display(), bytes as f64 / 1e6);
    }
    Ok(())
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Copies one blob; `false` where it was dropped in the meantime: a checkpoint that a newer one replaced.
fn copy_blob(home: &Path, hash: &str, target: &Path) -> anyhow::Result<bool> {
    let Some(from) = blob::path(home, hash) else { return Ok(false) };
    let folder = target.join(&hash[..2]);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    match fs::copy(&from, folder.join(hash)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| from.display().to_string()),
    }
}
