//! What tells curves apart: colours that the colour-blind can tell apart, and dashes once the colours are used up.

use super::draw::UNITS;
use super::label::text;
use super::{Curve, Plot};
use plotters::style::RGBColor;

/// Okabe and Ito's colours, without the yellow that is lost on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Dash and gap in pixels; none for a solid line.
const DASHES: [Option<(f64, f64)>; 4] = [None, Some((6.0, 3.0)), Some((1.75, 2.25)), Some((14.0, 4.0))];

/// How a curve is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Its colour.
    pub colour: RGBColor,
    /// Dash and gap in pixels.
    pub dash: Option<(f64, f64)>,
}

/// How the chosen curves of a plot are drawn, in their order. Several sweeps are told apart by their dashes and their
/// trials by colours, as far as both go.
pub(super) fn all(plot: &Plot) -> Vec<Style> {
    let sweep = |curve: &Curve| plot.sweeps.iter().position(|sweep| sweep.id == curve.sweep).unwrap_or(0);
    // What a curve shares its colour with: those of the same label, or nobody.
    let of_sweep = |at: usize| {
        let before = plot.curves[..at].iter().filter(|other| other.sweep == plot.curves[at].sweep);
        before.count()
    };
    let mut labels: Vec<String> = Vec::new();
    let mut of_label = |curve: &Curve| {
        let text = text(curve);
        labels.iter().position(|label| *label == text).unwrap_or_else(|| {
            labels.push(text);
            labels.len() - 1
        })
    };
    let groups: Vec<usize> = (0..)
        .zip(&plot.curves)
        .map(|(at, curve)| if plot.grouped { of_label(curve) } else { of_sweep(at) })
        .collect();
    let by_dash = plot.sweeps.len() > 1
        && plot.sweeps.len() <= DASHES.len()
        && groups.iter().all(|group| *group < COLOURS.len());
    let style = |(at, (group, curve)): (usize, (&usize, &Curve))| match by_dash {
        true => Style { colour: COLOURS[*group], dash: DASHES[sweep(curve)] },
        false => {
            let at = if plot.grouped { *group } else { at };
            Style { colour: COLOURS[at % COLOURS.len()], dash: DASHES[at / COLOURS.len() % DASHES.len()] }
        }
    };
    groups.iter().zip(&plot.curves).enumerate().map(style).collect()
}

/// Pixels in the units of the drawing.
pub(super) fn units(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round() as i32
}
