//! The picture as SVG.

use super::axis::{Axis, even};
use super::label::{otherwise, shortened};
use super::legend;
use super::line::{pieces, thinned};
use super::scale::Scale;
use super::style::{self, Style, units};
use super::{Curve, Plot, PlotError};
use crate::domain::Direction;
use crate::report::value;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement};
use plotters::prelude::{Cartesian2d, SVGBackend};
use plotters::series::DashedLineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE};

/// Drawn in units of a quarter of a pixel: the library knows whole numbers only, and curves would look like stairs.
pub(super) const UNITS: i32 = 4;
/// All of these are pixels.
pub(super) const WIDTH: i32 = 900;
/// From the upper edge down to the axis of steps with its name.
const CHART_ENDS: i32 = 500;
const CHART_BEGINS: i32 = 58;
pub(super) const LEFT: i32 = 10;
pub(super) const RIGHT: i32 = 20;
/// Beside the values' axis, for its numbers and its name.
pub(super) const BESIDE: i32 = 64;
const BELOW: i32 = 42;
pub(super) const ROW: i32 = 17;
pub(super) const FONT: f64 = 11.0;
/// A letter's usual width, in parts of its height.
pub(super) const LETTER: f64 = 0.57;
/// The legend names no more curves.
const MOST_ROWS: usize = 60;

pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
pub(super) const FAINT: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(232, 232, 232);
const GREY: RGBColor = RGBColor(150, 150, 150);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Scale, Scale>>;

/// What the library says went wrong, which writing to memory gives no reason for.
pub(super) fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Drawing(error.to_string())
}

pub(super) fn svg(plot: &Plot, log: bool) -> Result<String, PlotError> {
    let axis = Axis::of(plot, log)?;
    let rows = plot.curves.len().min(MOST_ROWS);
    let notes = notes_below(plot);
    let legend = if rows == 0 { 0 } else { ROW * (rows as i32 + 1) };
    let height = CHART_ENDS + 14 + legend + ROW * notes.len() as i32 + 8;
    let (wide, high) = ((WIDTH * UNITS) as u32, (height * UNITS) as u32);
    let mut out = String::new();
    {
        let area = SVGBackend::with_string(&mut out, (wide, high)).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        titles(&area, plot, &axis)?;
        let styles = style::all(plot);
        draw_chart(&area, plot, &axis, &styles)?;
        legend::draw(&area, plot, &styles[..rows], CHART_ENDS + 14)?;
        for (at, note) in (0..).zip(&notes) {
            let y = CHART_ENDS + 14 + legend + ROW * at + ROW / 2;
            write(&area, note, (LEFT + BESIDE, y), &letters(FONT, FAINT, HPos::Left))?;
        }
        area.present().map_err(failed)?;
    }
    // The picture's own size, in pixels.
    let units = format!("width=\"{wide}\" height=\"{high}\"");
    Ok(out.replacen(&units, &format!("width=\"{WIDTH}\" height=\"{height}\""), 1))
}

/// The title, what was chosen, and what the axis hides.
fn titles(area: &Area<'_>, plot: &Plot, axis: &Axis) -> Result<(), PlotError> {
    let x = LEFT + BESIDE;
    let room = |size: f64| (f64::from(WIDTH - RIGHT - x) / (size * LETTER)) as usize;
    let names: Vec<&str> = plot.sweeps.iter().map(|sweep| sweep.name.as_str()).collect();
    let title = format!("{} by {}: {}", plot.metric, plot.step, names.join(", "));
    let style = letters(16.0, INK, HPos::Left);
    let style = TextStyle { font: style.font.style(FontStyle::Bold), ..style };
    write(area, &shortened(&title, room(16.0)), (x, 18), &style)?;
    let mut lines = vec![plot.selection.clone()];
    let hidden = axis.hidden(&plot.curves);
    let mut said = Vec::new();
    if hidden.above.0 > 0 {
        said.push(format!("{} above it, up to {}", hidden.above.0, value(Some(hidden.above.1))));
    }
    if hidden.below.0 > 0 {
        said.push(format!("{} below it, down to {}", hidden.below.0, value(Some(hidden.below.1))));
    }
    if hidden.not_positive > 0 {
        said.push(format!("{} not positive", hidden.not_positive));
    }
    let baselines = plot.sweeps.iter().filter_map(|sweep| sweep.baseline);
    if let Some(baseline) = baselines.clone().find(|line| axis.place(*line).is_none_or(|y| !axis.holds(y))) {
        said.push(format!("the mean face at {}", value(Some(baseline))));
    }
    if !said.is_empty() {
        lines.push(format!("not on the axis: {}", said.join("; ")));
    }
    for (y, line) in [36, 51].into_iter().zip(&lines) {
        write(area, &shortened(line, room(FONT)), (x, y), &letters(FONT, FAINT, HPos::Left))?;
    }
    Ok(())
}

fn draw_chart(area: &Area<'_>, plot: &Plot, axis: &Axis, styles: &[Style]) -> Result<(), PlotError> {
    let all = || plot.curves.iter().chain(&plot.background).flat_map(|curve| &curve.points);
    let first = all().map(|(step, _)| *step).min().unwrap_or(0) as f64;
    let last = all().map(|(step, _)| *step).max().unwrap_or(1) as f64;
    // A curve of one point stands in the middle.
    let (first, last) = if first < last { (first, last) } else { (first - 1.0, last + 1.0) };
    let steps = Scale { range: first..last, ticks: even(first, last, 10, 1.0) };
    let values = Scale { range: axis.low..axis.high, ticks: axis.ticks() };
    let (_, high) = area.dim_in_pixel();
    let name = |name: &str, unit: Option<&str>| match unit {
        Some(unit) => format!("{name} ({unit})"),
        None => name.to_owned(),
    };
    let mut chart: Chart<'_, '_> = ChartBuilder::on(area)
        .margin_left(LEFT * UNITS)
        .margin_right(RIGHT * UNITS)
        .margin_top(CHART_BEGINS * UNITS)
        .margin_bottom(high as i32 - CHART_ENDS * UNITS)
        .x_label_area_size(BELOW * UNITS)
        .y_label_area_size(BESIDE * UNITS)
        .build_cartesian_2d(steps, values)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(GRID.mix(0.0))
        .bold_line_style(GRID.stroke_width(UNITS as u32))
        .axis_style(GREY.stroke_width(UNITS as u32))
        .label_style(letters(FONT, INK, HPos::Left))
        .axis_desc_style(letters(12.0, INK, HPos::Left))
        .set_all_tick_mark_size(4 * UNITS)
        .x_desc(plot.step)
        .y_desc(name(&plot.metric, plot.unit))
        .draw()
        .map_err(failed)?;
    for curve in &plot.background {
        draw_curve(&mut chart, curve, axis, Style { colour: GREY, dash: None }, false)?;
    }
    // The best lie on top.
    for (curve, style) in plot.curves.iter().zip(styles).rev() {
        draw_curve(&mut chart, curve, axis, *style, true)?;
    }
    draw_baselines(&mut chart, plot, axis, (first, last))
}

/// A pixel's width times so many.
pub(super) fn stroke(colour: RGBColor, strength: f64, pixels: f64) -> ShapeStyle {
    colour.mix(strength).stroke_width(units(pixels) as u32)
}

fn draw_curve(
    chart: &mut Chart<'_, '_>,
    curve: &Curve,
    axis: &Axis,
    style: Style,
    chosen: bool,
) -> Result<(), PlotError> {
    let (most, line) = match chosen {
        true => (600, stroke(style.colour, 1.0, 1.75)),
        false => (100, stroke(style.colour, 0.35, 0.75)),
    };
    let points = thinned(&curve.points, most).into_iter();
    let points = points.map(|(step, value)| (step as f64, axis.place(value)));
    for piece in pieces(points, axis.low, axis.high) {
        draw_line(chart, &piece, line, style.dash)?;
        if let ([point], true) = (piece.as_slice(), chosen) {
            let dot = Circle::new(*point, 3 * UNITS, style.colour.filled());
            chart.draw_series([dot]).map_err(failed)?;
        }
    }
    Ok(())
}

fn draw_line(
    chart: &mut Chart<'_, '_>,
    points: &[(f64, f64)],
    line: ShapeStyle,
    dash: Option<(f64, f64)>,
) -> Result<(), PlotError> {
    match dash {
        _ if points.len() < 2 => Ok(()),
        None => chart.draw_series([PathElement::new(points.to_vec(), line)]).map(drop).map_err(failed),
        Some((dash, gap)) => {
            let dashes = DashedLineSeries::new(points.iter().copied(), units(dash), units(gap), line);
            chart.draw_series(dashes).map(drop).map_err(failed)
        }
    }
}

/// What the mean face scores, once for all sweeps that agree.
fn draw_baselines(
    chart: &mut Chart<'_, '_>,
    plot: &Plot,
    axis: &Axis,
    steps: (f64, f64),
) -> Result<(), PlotError> {
    let mut drawn: Vec<f64> = Vec::new();
    for baseline in plot.sweeps.iter().filter_map(|sweep| sweep.baseline) {
        let Some(place) = axis.place(baseline).filter(|y| axis.holds(*y) && !drawn.contains(y)) else {
            continue;
        };
        drawn.push(place);
        let ends = [(steps.0, place), (steps.1, place)];
        draw_line(chart, &ends, stroke(FAINT, 1.0, 1.25), Some((8.0, 5.0)))?;
        let area = chart.plotting_area().strip_coord_spec();
        let ((first, y), (last, _)) = (chart.backend_coord(&ends[0]), chart.backend_coord(&ends[1]));
        let (left, top) = area.get_base_pixel();
        // Above the line, unless the picture ends there; and where curves that come down do not end.
        let side = if y - top < 16 * UNITS { 10 } else { -8 };
        let is_low = place < axis.low + 0.3 * (axis.high - axis.low);
        let at_start = is_low && plot.direction != Some(Direction::Maximize);
        let (x, anchor) = if at_start { (first, HPos::Left) } else { (last, HPos::Right) };
        let x = (x - left) / UNITS + if at_start { 6 } else { -6 };
        let text = format!("mean face {}", value(Some(baseline)));
        write(&area, &text, (x, (y - top) / UNITS + side), &letters(FONT, FAINT, anchor))?;
    }
    Ok(())
}

/// What the legend leaves out.
fn notes_below(plot: &Plot) -> Vec<String> {
    let mut notes = Vec::new();
    if plot.curves.len() > MOST_ROWS {
        notes.push(format!("and {} more, not named here", plot.curves.len() - MOST_ROWS));
    }
    let room = (f64::from(WIDTH - LEFT - BESIDE - RIGHT) / (FONT * LETTER)) as usize;
    notes.extend(otherwise(&plot.common, room).iter().map(|line| shortened(line, room)));
    if !plot.left_out.is_empty() {
        let text = format!("they differ in {} too (--label names them)", plot.left_out.join(", "));
        notes.push(shortened(&text, room));
    }
    notes
}

/// Letters of a size in pixels.
pub(super) fn letters(size: f64, colour: RGBColor, side: HPos) -> TextStyle<'static> {
    // The library divides by this.
    let units = size * 1.24 * f64::from(UNITS);
    TextStyle {
        font: ("sans-serif", units).into_font(),
        color: colour.to_backend_color(),
        pos: Pos::new(side, VPos::Center),
    }
}

pub(super) fn write(
    area: &Area<'_>,
    text: &str,
    (x, y): (i32, i32),
    style: &TextStyle<'_>,
) -> Result<(), PlotError> {
    if text.is_empty() {
        return Ok(());
    }
    area.draw_text(text, style, (x * UNITS, y * UNITS)).map_err(failed)
}
