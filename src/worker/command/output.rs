//! The program's two streams of output: read without waiting, cut into lines, passed on to the log.

use super::lines::{Line, Lines};
use crate::domain::Metrics;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::VecDeque;
use std::io::Read;
use std::os::fd::AsFd;
use std::process::Child;

/// How much is read at once, in bytes: what it says is acted on before more is read, so a program that prints
/// faster than that is slowed down by its full pipe.
const PIECE: usize = 16 << 10;
/// How much of one line goes to the log, in bytes.
const LOGGED_OF_A_LINE: usize = 8 << 10;
/// How much of one attempt goes to the log, in bytes: output without end must not fill the disk.
const LOGGED_OF_ALL: usize = 64 << 20;
/// How many last lines of standard error are told when a program fails, and how much of each, in bytes.
const LAST_ERRORS: usize = 5;
const TOLD_OF_AN_ERROR: usize = 300;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Both streams of a program.
pub(super) struct Output {
    pipes: Vec<Pipe>,
}

trait Source: Read + AsFd {}
impl<T: Read + AsFd> Source for T {}

struct Pipe {
    stream: Stream,
    source: Box<dyn Source>,
    lines: Lines,
}

impl Output {
    /// The streams of a program that was started with pipes.
    pub fn of(child: &mut Child) -> Self {
        let pipe = |stream, source| Pipe { stream, source, lines: Lines::default() };
        let stdout =
            child.stdout.take().map(|source| pipe(Stream::Stdout, Box::new(source) as Box<dyn Source>));
        let stderr =
            child.stderr.take().map(|source| pipe(Stream::Stderr, Box::new(source) as Box<dyn Source>));
        Self { pipes: stdout.into_iter().chain(stderr).collect() }
    }

    /// Waits for output, `wait_ms` milliseconds at most, and returns the lines that it completes. Nothing
    /// comes any more from a stream that was closed: then it only waits.
    pub fn read(&mut self, wait_ms: u16) -> Vec<(Stream, Line)> {
        let mut waiting: Vec<PollFd<'_>> =
            self.pipes.iter().map(|pipe| PollFd::new(pipe.source.as_fd(), PollFlags::POLLIN)).collect();
        let ready: Vec<bool> = match poll(&mut waiting, PollTimeout::from(wait_ms)) {
            Ok(_) => waiting.iter().map(|fd| fd.any().unwrap_or(true)).collect(),
            // A signal for this process, whose handler has noted it.
            Err(Errno::EINTR) => return Vec::new(),
            // Cannot happen with open pipes; reading them will say what is wrong.
            Err(_) => vec![true; waiting.len()],
        };
        let mut complete = Vec::new();
        let mut ready = ready.into_iter();
        self.pipes.retain_mut(|pipe| {
            let is_open = !ready.next().unwrap_or(false) || pipe.read(&mut complete);
            if !is_open {
                complete.extend(pipe.lines.finish().map(|line| (pipe.stream, line)));
            }
            is_open
        });
        complete
    }

    /// Whether more may come.
    pub fn is_open(&self) -> bool {
        !self.pipes.is_empty()
    }

    /// What stands after the last end of a line in streams that will not be read any further.
    pub fn finish(&mut self) -> Vec<(Stream, Line)> {
        let finish = |pipe: &mut Pipe| pipe.lines.finish().map(|line| (pipe.stream, line));
        self.pipes.iter_mut().filter_map(finish).collect()
    }
}

impl Pipe {
    /// Reads what is there; whether more may come.
    fn read(&mut self, complete: &mut Vec<(Stream, Line)>) -> bool {
        let mut piece = [0; PIECE];
        match self.source.read(&mut piece) {
            Ok(0) => false,
            Ok(n) => {
                let stream = self.stream;
                complete.extend(self.lines.feed(&piece[..n]).into_iter().map(|line| (stream, line)));
                true
            }
            Err(error) => error.kind() == std::io::ErrorKind::Interrupted,
        }
    }
}

/// Plain output on its way to the trial's log.
pub(super) struct OutputLog {
    /// Bytes that may still be logged.
    left: usize,
    last_errors: VecDeque<String>,
}

impl OutputLog {
    /// An empty one.
    pub fn new() -> Self {
        Self { left: LOGGED_OF_ALL, last_errors: VecDeque::new() }
    }

    /// Logs a line of output.
    pub fn plain(&mut self, stream: Stream, line: &Line) {
        // A progress bar overwrites itself: what stands there at last is what people would see.
        let visible = line.text.trim_end().rsplit('\r').next().unwrap_or_default();
        let shown = plain_text(beginning(visible, LOGGED_OF_A_LINE));
        let cut = visible.len().saturating_sub(LOGGED_OF_A_LINE) + line.cut;
        if shown.trim().is_empty() {
            return;
        }
        if stream == Stream::Stderr {
            if self.last_errors.len() == LAST_ERRORS {
                self.last_errors.pop_front();
            }
            self.last_errors.push_back(beginning(shown.trim(), TOLD_OF_AN_ERROR).to_owned());
        }
        if !self.pay(shown.len()) {
            return;
        }
        let stream = if stream == Stream::Stdout { "stdout" } else { "stderr" };
        if cut > 0 {
            tracing::info!(stream, cut_bytes = cut, "{shown}");
        } else {
            tracing::info!(stream, "{shown}");
        }
    }

    /// Logs a step that is reported.
    pub fn step(&mut self, step: u64, metrics: &Metrics) {
        let metrics = serde_json::to_string(metrics).unwrap_or_default();
        if self.pay(metrics.len()) {
            tracing::info!(step, metrics, "step");
        }
    }

    /// Logs what is to be said about the output.
    pub fn warn(&mut self, message: &str) {
        if self.pay(message.len()) {
            tracing::warn!("{message}");
        }
    }

    /// The last lines of standard error, on one line; empty where there were none.
    pub fn last_errors(&self) -> String {
        self.last_errors.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }

    /// Whether so many more bytes may be logged.
    fn pay(&mut self, bytes: usize) -> bool {
        // Every line also has its time and its trial.
        const FRAME: usize = 100;
        if self.left == 0 {
            return false;
        }
        self.left = self.left.saturating_sub(bytes + FRAME);
        if self.left == 0 {
            tracing::warn!("it prints too much: what follows is not logged");
        }
        self.left > 0
    }
}

/// A text without colours and other control characters, which would steer the terminal of whoever reads it.
fn plain_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // ESC [ parameters letter: a colour, mostly.
            '\x1b' if chars.as_str().starts_with('[') => {
                chars.find(|c| c.is_ascii_alphabetic());
            }
            '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// The beginning of a text, of so many bytes at most.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line { text: text.to_owned(), cut: 0 }
    }

    #[test]
    fn the_last_lines_of_standard_error_are_remembered() {
        let mut log = OutputLog::new();
        for n in 0..9 {
            log.plain(Stream::Stderr, &line(&format!("  error {n}\r\n")));
            log.plain(Stream::Stdout, &line("not this"));
        }
        log.plain(Stream::Stderr, &line("   "));
        log.plain(Stream::Stderr, &line(&format!(" 50%\r100% {}", "é".repeat(1000))));
        let told = log.last_errors();
        assert!(told.starts_with("error 5 | error 6 | error 7 | error 8 | 100% é"), "{told}");
        assert!(told.len() < 400);
    }

    #[test]
    fn colours_and_control_characters_are_left_out() {
        assert_eq!(plain_text("\x1b[1;31mred\x1b[0m\tnot\x07 \x1b]0;title\x1b"), "red\tnot ]0;title");
        assert_eq!(plain_text("open \x1b[1;2"), "open ");
    }

    #[test]
    fn output_without_end_is_logged_up_to_a_limit() {
        let mut log = OutputLog::new();
        let mut paid = 0;
        while log.pay(LOGGED_OF_A_LINE) {
            paid += LOGGED_OF_A_LINE;
        }
        assert!(paid < LOGGED_OF_ALL && !log.pay(0));
    }
}
