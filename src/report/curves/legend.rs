//! The legend: a table below the picture, a row for each curve as it looks, the best last value first.

use super::draw::{
    Area, BESIDE, FAINT, FONT, INK, LEFT, LETTER, RIGHT, ROW, UNITS, WIDTH, failed, letters, stroke, write,
};
use super::label::{shortened, text};
use super::style::{Style, units};
use super::{Curve, Plot, PlotError};
use crate::domain::TrialState;
use crate::report::{heading, value};
use plotters::element::PathElement;
use plotters::series::DashedLineSeries;
use plotters::style::text_anchor::HPos;

/// No name is longer, in characters.
const LONGEST_NAME: usize = 40;
/// Between columns, in pixels.
const GAP: i32 = 16;

/// Where the columns stand, in pixels; those of numbers end there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    names: i32,
    last: i32,
    best: i32,
    labels: i32,
}

impl Columns {
    /// Columns for names and headings of so many characters.
    fn of(names: impl Iterator<Item = usize>, last: usize, best: usize) -> Self {
        let width = |characters: usize| (characters as f64 * FONT * LETTER).ceil() as i32;
        let longest = names.chain([5]).max().unwrap_or(0).min(LONGEST_NAME);
        let first = LEFT + BESIDE + 40;
        let last = first + width(longest) + GAP + width(last.max(7));
        let best = last + GAP + width(best.max(7));
        Self { names: first, last, best, labels: best + GAP }
    }

    /// How many characters of a label there is room for.
    fn room(self) -> usize {
        (f64::from(WIDTH - RIGHT - self.labels) / (FONT * LETTER)).max(0.0) as usize
    }
}

/// What stands above the columns of numbers.
fn headings(metric: &str, ranked_by: Option<&str>) -> (String, String) {
    let metric = shortened(&heading(metric), 20);
    let best = ranked_by.map(|metric| format!("BEST {}", shortened(&heading(metric), 20)));
    (format!("LAST {metric}"), best.unwrap_or_else(|| "BEST".to_owned()))
}

/// A trial's name, with its state where that is not what one expects.
fn name(name: &str, state: TrialState) -> String {
    match state {
        TrialState::Completed => name.to_owned(),
        state => format!("{name} ({})", state.as_str()),
    }
}

/// How many characters of a label the legend has room for, beside these trials.
pub(super) fn room<'a>(
    trials: impl Iterator<Item = (&'a str, TrialState)>,
    metric: &str,
    ranked_by: Option<&str>,
) -> usize {
    let (last, best) = headings(metric, ranked_by);
    let names = trials.map(|(of, state)| name(of, state).chars().count());
    Columns::of(names, last.chars().count(), best.chars().count()).room()
}

/// Draws the rows of the curves that have a style given, from `top` downwards.
pub(super) fn draw(area: &Area<'_>, plot: &Plot, styles: &[Style], top: i32) -> Result<(), PlotError> {
    if styles.is_empty() {
        return Ok(());
    }
    let (last, best) = headings(&plot.metric, plot.ranked_by.as_deref());
    let full = |curve: &Curve| shortened(&name(&curve.name, curve.state), LONGEST_NAME);
    let names = plot.curves.iter().map(|curve| full(curve).chars().count());
    let columns = Columns::of(names, last.chars().count(), best.chars().count());
    let row = |at: i32| top + ROW * at + ROW / 2;
    let (left, right) = (letters(FONT, INK, HPos::Left), letters(FONT, INK, HPos::Right));
    let (head, head_right) = (letters(FONT, FAINT, HPos::Left), letters(FONT, FAINT, HPos::Right));
    write(area, "TRIAL", (columns.names, row(0)), &head)?;
    write(area, &last, (columns.last, row(0)), &head_right)?;
    write(area, &best, (columns.best, row(0)), &head_right)?;
    for (at, (curve, style)) in (1..).zip(plot.curves.iter().zip(styles)) {
        let y = row(at);
        swatch(area, (LEFT + BESIDE, y), *style)?;
        write(area, &full(curve), (columns.names, y), &left)?;
        write(area, &value(curve.last), (columns.last, y), &right)?;
        write(area, &value(curve.best), (columns.best, y), &right)?;
        write(area, &shortened(&text(curve), columns.room()), (columns.labels, y), &left)?;
    }
    Ok(())
}

/// A piece of the line.
fn swatch(area: &Area<'_>, (x, y): (i32, i32), style: Style) -> Result<(), PlotError> {
    let line = stroke(style.colour, 1.0, 2.0);
    let path = [(x * UNITS, y * UNITS), ((x + 32) * UNITS, y * UNITS)];
    match style.dash {
        None => area.draw(&PathElement::new(path, line)).map_err(failed),
        Some((dash, gap)) => {
            let mut dashes = DashedLineSeries::new(path, units(dash), units(gap), line).into_iter();
            dashes.try_for_each(|dash| area.draw(&dash).map_err(failed))
        }
    }
}
