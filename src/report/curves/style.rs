//! What tells curves apart: colours that the colour-blind can tell apart, and dashes once the colours are used up.

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

/// The style of the group of that number.
pub(super) fn of(group: usize) -> Style {
    Style { colour: COLOURS[group % COLOURS.len()], dash: DASHES[group / COLOURS.len() % DASHES.len()] }
}
