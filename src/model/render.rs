//! The layer table as text.

use super::layers::{Layer, LayerKind, LayerTable};
use std::fmt::{self, Write as _};

/// One line per layer (name, output for one image, parameters, details), then the counts.
impl fmt::Display for LayerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![["layer", "output", "parameters", ""].map(str::to_owned)];
        lines.extend(self.layers().iter().map(|layer| {
            [layer.name.clone(), layer.output.to_string(), grouped(layer.parameters()), layer.to_string()]
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

/// What it does, in a few words.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&details(&self.kind))
    }
}

fn details(kind: &LayerKind) -> String {
    match kind {
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
        LayerKind::MaxPool { size } => format!("maximum of {size}x{size}"),
        LayerKind::AveragePool { size } => format!("mean of {size}x{size}"),
        LayerKind::Flatten => String::new(),
        LayerKind::Linear { .. } => "dense".to_owned(),
        LayerKind::Heads { .. } => "dense, one for each source of rows".to_owned(),
        LayerKind::SourceOffsets => "added, some for each source of rows".to_owned(),
        LayerKind::Dropout { share } => format!("dropout {share}"),
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
