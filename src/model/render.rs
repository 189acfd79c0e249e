//! The layer table as text.

use super::layers::{Layer, LayerKind, LayerTable, Window};
use std::fmt::{self, Write as _};

/// One line per layer (name, output for one image, parameters, details), then the counts.
impl fmt::Display for LayerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![["layer", "output", "parameters", ""].map(str::to_owned)];
        lines.extend(self.layers().iter().enumerate().map(|(place, layer)| {
            let details = layer.to_string() + &self.inputs_shown(place);
            [layer.name.clone(), layer.output.to_string(), grouped(layer.parameters()), details]
        }));
        let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
        let (name, output, count) = (width(0), width(1), width(2));
        for [a, b, c, d] in &lines {
            let line = format!("{a:name$}  {b:output$}  {c:>count$}  {d}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let (all, trainable) = (self.parameter_count(), self.trainable_count());
        write!(
            f,
            "{} parameters, {} trainable, {} not trainable",
            grouped(all),
            grouped(trainable),
            grouped(all - trainable)
        )
    }
}

impl LayerTable {
    /// What a layer takes, where that is not what the one before puts out.
    fn inputs_shown(&self, place: usize) -> String {
        let from = &self.layers()[place].from;
        if from.iter().eq(place.checked_sub(1).iter()) {
            return String::new();
        }
        let names: Vec<&str> = from.iter().map(|from| self.layers()[*from].name.as_str()).collect();
        format!(", from {}", if names.is_empty() { "the image".to_owned() } else { names.join(", ") })
    }
}

/// What it does, in a few words.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&details(self))
    }
}

fn details(layer: &Layer) -> String {
    match &layer.kind {
        LayerKind::Conv2d { kernel, stride, bias, .. } => {
            let mut text = format!("convolution {kernel}x{kernel}");
            if *stride > 1 {
                let _ = write!(text, ", stride {stride}");
            }
            if !bias {
                text.push_str(", no bias");
            }
            text
        }
        LayerKind::BatchNorm { .. } => "batch norm".to_owned(),
        LayerKind::Activation(super::Activation::LeakyRelu { slope }) => format!("leaky_relu {slope}"),
        LayerKind::Activation(function) => function.word().to_owned(),
        LayerKind::MaxPool(Window { size, stride, .. }) if stride == size => {
            format!("maximum of {size}x{size}")
        }
        LayerKind::MaxPool(Window { size, stride, .. }) => {
            format!("maximum of {size}x{size}, stride {stride}")
        }
        LayerKind::AveragePool { size } => format!("mean of {size}x{size}"),
        LayerKind::Flatten => String::new(),
        LayerKind::Linear { .. } => "dense".to_owned(),
        LayerKind::Heads { .. } => "dense, one for each source of rows".to_owned(),
        LayerKind::SourceOffsets => "added, some for each source of rows".to_owned(),
        LayerKind::Dropout { share } => format!("dropout {share}"),
        LayerKind::Add => "sum".to_owned(),
        LayerKind::Concat => "together".to_owned(),
        LayerKind::MeanOfMaps => "mean of each map".to_owned(),
        LayerKind::Upsample { .. } => "enlarged".to_owned(),
        LayerKind::SoftArgmax { .. } => "where each map's weight lies".to_owned(),
        LayerKind::ExtraInputs { which, .. } => {
            which.iter().map(|what| what.word()).collect::<Vec<_>>().join(", ")
        }
        LayerKind::Columns { names } => format!("of the dataset: {}", names.join(", ")),
        LayerKind::SourceHalves => "one half for each source of rows".to_owned(),
    }
}

/// `7268670` as `7,268,670`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(7_268_670), "7,268,670");
    }
}
