//! `sweepd note` and `sweepd tag`: what people say of sweeps and trials.

use super::context::Context;
use crate::worker::client::Client;
use clap::Args;

/// Write a note on a sweep or a trial
#[derive(Args, Debug)]
pub struct NoteArgs {
    /// A sweep (its name, id, or the start of its id), or a trial: SWEEP/NUMBER, or its id
    pub of: String,
    /// What it says, in the place of the note before; without it that note is taken away
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
}

/// Give a sweep or a trial the words that it is to be found by
#[derive(Args, Debug)]
pub struct TagArgs {
    /// A sweep (its name, id, or the start of its id), or a trial: SWEEP/NUMBER, or its id
    pub of: String,
    /// Its tags, in the place of those before; without any they are taken away
    #[arg(value_name = "TAG")]
    pub tags: Vec<String>,
}

/// Has the daemon write the note.
///
/// # Errors
/// Where no daemon runs, there is no such sweep or trial, or the note is too long.
pub async fn note(args: NoteArgs, context: &Context) -> anyhow::Result<()> {
    let body = serde_json::json!({ "text": args.text.join(" ") });
    put("note", &body, &args.of, context).await
}

/// Has the daemon write the tags.
///
/// # Errors
/// Where no daemon runs, there is no such sweep or trial, or a tag is no word.
pub async fn tag(args: TagArgs, context: &Context) -> anyhow::Result<()> {
    let body = serde_json::json!({ "tags": args.tags });
    put("tags", &body, &args.of, context).await
}

/// Has the daemon write what is said of a sweep or a trial: its `note` or its `tags`.
async fn put(what: &str, body: &serde_json::Value, of: &str, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    // What no sweep is called may be a trial's id.
    let is_sweep = !of.contains('/') && !reader.sweeps_called(of).await?.is_empty();
    let path = if is_sweep {
        format!("/api/v1/sweeps/{}/{what}", context.find_sweep(&reader, of).await?.id)
    } else {
        format!("/api/v1/trials/{}/{what}", context.find_trial(&reader, of).await?.trial.trial_id)
    };
    Client::new(&context.home).send("PUT", &path, "application/json", body.to_string().as_bytes())?;
    if context.json {
        println!("{body}");
    } else {
        eprintln!("{of}: written");
    }
    Ok(())
}
