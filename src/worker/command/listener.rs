//! What a program says goes where it belongs: steps to the daemon, all else to the trial's log.

use super::lines::Line;
use super::output::{Output, OutputLog, Stream};
use super::steps::{self, Steps};
use crate::domain::{Decision, Metrics};
use crate::worker::protocol::Work;
use crate::worker::run::Session;
use std::process::Child;

/// Listens to one program.
pub(super) struct Listener<'a> {
    session: &'a mut Session,
    output: Output,
    log: OutputLog,
    steps: Steps,
    /// What else is optimised, and what was printed last of it.
    further: Vec<String>,
    last: Metrics,
    /// Steps up to here are the parent's, of an heir: a program that prints them again does no harm.
    inherited: u64,
    /// The step at which the leg ends.
    until: Option<u64>,
    reached: Option<u64>,
}

impl<'a> Listener<'a> {
    /// Takes over the program's output.
    pub fn new(child: &mut Child, work: &Work, session: &'a mut Session) -> Self {
        Self {
            session,
            output: Output::of(child),
            log: OutputLog::new(),
            steps: Steps::after(work.from_step, work.objective.targets().map(|(name, _)| name)),
            further: work.objective.further.iter().map(|target| target.name.clone()).collect(),
            last: Metrics::default(),
            inherited: work.parent.map_or(0, |parent| parent.step),
            until: work.until_step,
            reached: None,
        }
    }

    /// Waits for output, `wait_ms` milliseconds at most, and passes it on. Steps of a program that was made
    /// to end do not count: `counts` is then false.
    pub fn listen(&mut self, wait_ms: u16, counts: bool) {
        for (stream, line) in self.output.read(wait_ms) {
            self.hear(stream, &line, counts);
        }
    }

    /// Whether more may come.
    pub fn is_open(&self) -> bool {
        self.output.is_open()
    }

    /// Nothing will be listened to any more: passes on what waits for more.
    pub fn finish(&mut self, counts: bool) {
        for (stream, line) in self.output.finish() {
            self.hear(stream, &line, counts);
        }
        if let Some((step, metrics)) = self.steps.finish().filter(|_| counts) {
            self.report(step, &metrics);
        }
    }

    /// The step with which the leg ended: its last, or the first one behind it.
    pub fn reached(&self) -> Option<u64> {
        self.reached
    }

    /// What was printed last of the further objectives: some are measured once, whatever the step.
    pub fn last(&self) -> &Metrics {
        &self.last
    }

    /// The daemon's word.
    pub fn decision(&self) -> Decision {
        self.session.decision()
    }

    /// The line to the daemon.
    pub fn session(&mut self) -> &mut Session {
        self.session
    }

    /// The last lines of standard error, on one line.
    pub fn last_errors(&self) -> String {
        self.log.last_errors()
    }

    fn hear(&mut self, stream: Stream, line: &Line, counts: bool) {
        // A line that was cut has lost its end, and with it its sense.
        let is_whole = stream == Stream::Stdout && line.cut == 0;
        let Some(said) = steps::parse(&line.text).filter(|_| is_whole) else {
            self.log.plain(stream, line);
            return;
        };
        if !counts {
            return;
        }
        for name in &self.further {
            if let Some(value) = said.metrics().get(name) {
                self.last.0.insert(name.clone(), value);
            }
        }
        match self.steps.take(said) {
            Ok(whole) => whole.iter().for_each(|(step, metrics)| self.report(*step, metrics)),
            Err(message) => self.log.warn(&message),
        }
    }

    fn report(&mut self, step: u64, metrics: &Metrics) {
        // After a stop nothing counts any more; before a pause it may have ended by itself and well. What a
        // decision at the leg's end sees must not depend on how fast the program ran on.
        if step <= self.inherited || self.reached.is_some() || self.session.decision() == Decision::Stop {
            return;
        }
        self.log.step(step, metrics);
        self.session.report(step, metrics);
        self.reached = self.until.is_some_and(|until| step >= until).then_some(step);
    }
}
