//! What a step reports: numbers by name.

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Validation RMSE in pixels over the labels that exist: the metric the leaderboard ranks by default.
pub const RMSE: &str = "rmse";
/// Mean training loss of the step, in the units of the scaled targets.
pub const TRAIN_LOSS: &str = "train_loss";
/// Training RMSE in pixels, measured while training (dropout on, augmented inputs).
pub const TRAIN_RMSE: &str = "train_rmse";
/// Learning rate at the end of the step.
pub const LEARNING_RATE: &str = "learning_rate";
/// Wall-clock seconds the step took, validation included.
pub const SECONDS: &str = "seconds";
/// Training images per second within the step, validation excluded.
pub const IMAGES_PER_SECOND: &str = "images_per_second";

/// What the process held at most of the device's memory since its leg began, in bytes, by libtorch's allocator:
/// without what the driver itself takes for a process.
pub const DEVICE_MEMORY_BYTES: &str = "device_memory_bytes";
/// What the process holds of the machine's memory, in bytes.
pub const RESIDENT_BYTES: &str = "resident_bytes";

/// Number of weights of the built-in trainer's network. It follows from the configuration: no step reports it.
pub const PARAMETERS: &str = "parameters";

/// Metrics that the clock decides: they differ from run to run.
pub const TIMED: [&str; 2] = [SECONDS, IMAGES_PER_SECOND];

/// Numbers by name. They may be non-finite: JSON has no such number, so it travels as the word
/// `"NaN"`, `"Infinity"` or `"-Infinity"`; `null` is read as NaN.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics(pub BTreeMap<String, f64>);

/// In a description of the API: numbers, or the words for what is none.
impl PartialSchema for Metrics {
    fn schema() -> RefOr<Schema> {
        let number =
            ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Number, Type::String, Type::Null]));
        let schema = ObjectBuilder::new().additional_properties(Some(Schema::Object(number.build())));
        schema
            .description(Some(
                "Numbers by name; \"NaN\", \"Infinity\" or \"-Infinity\" for what is not finite",
            ))
            .into()
    }
}

impl ToSchema for Metrics {}

impl Metrics {
    /// The number reported under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Adds or replaces one number.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Same names, and the same bits under each: NaN equals NaN.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|((a, x), (b, y))| a == b && x.to_bits() == y.to_bits())
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            if value.is_finite() {
                map.serialize_entry(name, value)?;
            } else {
                map.serialize_entry(name, non_finite_word(*value))?;
            }
        }
        map.end()
    }
}

fn non_finite_word(x: f64) -> &'static str {
    if x.is_nan() {
        "NaN"
    } else if x > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// One number as it travels.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;
        impl Visitor<'_> for AnyNumber {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
            }
            fn visit_f64<E>(self, x: f64) -> Result<Number, E> {
                Ok(Number(x))
            }
            fn visit_i64<E>(self, i: i64) -> Result<Number, E> {
                Ok(Number(i as f64))
            }
            fn visit_u64<E>(self, u: u64) -> Result<Number, E> {
                Ok(Number(u as f64))
            }
            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number(f64::NAN))
            }
            fn visit_str<E: serde::de::Error>(self, s: &str) -> Result<Number, E> {
                match s {
                    "NaN" => Ok(Number(f64::NAN)),
                    "Infinity" => Ok(Number(f64::INFINITY)),
                    "-Infinity" => Ok(Number(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(s), &self)),
                }
            }
        }
        deserializer.deserialize_any(AnyNumber)
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = Metrics;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((name, Number(value))) = map.next_entry::<String, Number>()? {
                    all.insert(name, value);
                }
                Ok(Metrics(all))
            }
        }
        deserializer.deserialize_map(ByName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_finite_numbers_survive_json() {
        let metrics = Metrics::default().with("a", f64::NAN).with("b", f64::NEG_INFINITY).with("c", 0.1);
        let text = serde_json::to_string(&metrics).unwrap();
        let back: Metrics = serde_json::from_str(&text).unwrap();
        assert!(back.same(&metrics), "{text}");
    }
}
