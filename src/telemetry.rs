//! Logs: for people on a terminal, JSON for programs, level by `RUST_LOG`.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to `writer`. `RUST_LOG` sets the level; without it, `default` does.
pub fn start<W>(format: LogFormat, default: &str, colours: bool, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // A line that cannot be written is lost. To say so on standard error, which is where it was to go,
        // would end the process: Rust panics there when the disk is full.
        .log_internal_errors(false)
        .with_writer(writer);
    // A second start in one process (a test) keeps the first.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(colours).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).try_init(),
    };
}
