//! `sweepd open`: let a browser in.

use super::context::Context;
use crate::access::May;
use crate::daemon::reachable;
use crate::home;
use crate::worker::client::{Client, ClientError};
use clap::Args;
use serde::Deserialize;
use std::process::{Command, Stdio};

/// Let a browser in: prints a link that works once, and opens it where there is a display
#[derive(Args, Debug)]
pub struct OpenArgs {
    /// Let it look at everything and change nothing
    #[arg(long)]
    pub read_only: bool,
    /// Print the link and open nothing
    #[arg(long)]
    pub print: bool,
}

#[derive(Deserialize)]
struct Link {
    path: String,
    until_ms: i64,
}

/// Prints a link, and opens it.
///
/// # Errors
/// Where no daemon answers.
pub fn run(args: &OpenArgs, context: &Context) -> anyhow::Result<()> {
    let may = if args.read_only { May::Read } else { May::Write };
    let answer =
        Client::new(&context.home).post("/api/v1/session/link", &serde_json::json!({ "may": may }))?;
    let link: Link = serde_json::from_slice(&answer)?;
    let daemon = home::read_daemon_file(&context.home)?
        .ok_or_else(|| ClientError::NoDaemon { home: context.home.clone() })?;
    let url = format!("{}{}", reachable(&daemon.url), link.path);
    if context.json {
        return context.print_json(&serde_json::json!({ "url": url, "until_ms": link.until_ms }));
    }
    println!("{url}");
    if !args.print && has_display() && open(&url).is_err() {
        eprintln!("no browser could be started: open the link in one, once, within ten minutes");
    }
    Ok(())
}

fn has_display() -> bool {
    #[allow(clippy::disallowed_methods, reason = "where the screen is, the environment alone tells")]
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn open(url: &str) -> std::io::Result<()> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(())
}
