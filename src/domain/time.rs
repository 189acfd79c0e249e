//! Points in time as plain numbers: the clock itself is read only in the shells.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since the Unix epoch.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Default,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This instant plus a span, in milliseconds.
    #[must_use]
    pub fn plus_ms(self, span_ms: i64) -> Self {
        Self(self.0.saturating_add(span_ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when the clock went back.
    #[must_use]
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The point in time that an RFC 3339 text says, to the millisecond: `2026-12-01T08:00:00Z`,
    /// `2026-12-01T09:00:00+01:00`. `None` for anything else, also where the offset is missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_millisecond()))
    }

    /// As an RFC 3339 text in UTC; `None` outside of the years that a calendar has.
    #[must_use]
    pub fn to_text(self) -> Option<String> {
        jiff::Timestamp::from_millisecond(self.0).ok().map(|time| time.to_string())
    }
}

/// An optional point in time that is written as RFC 3339 text: for what people write and read.
pub mod text {
    use super::{Deserialize, Deserializer, Millis, Serialize, Serializer};

    /// Writes it.
    ///
    /// # Errors
    /// What the format says.
    pub fn serialize<S: Serializer>(at: &Option<Millis>, serializer: S) -> Result<S::Ok, S::Error> {
        at.and_then(Millis::to_text).serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let wrong = || serde::de::Error::custom(format!("{text:?} is no point in time with its offset"));
        Millis::parse(&text).map(Some).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_read_with_their_offset_and_written_in_utc() {
        let read = |text| Millis::parse(text).and_then(Millis::to_text);
        assert_eq!(read("2026-12-01T09:00:00+01:00").as_deref(), Some("2026-12-01T08:00:00Z"));
        assert_eq!(read("2026-12-01T08:00:00.250Z").as_deref(), Some("2026-12-01T08:00:00.25Z"));
        for text in ["2026-12-01T08:00:00", "2026-12-01", "08:00:00", "soon", ""] {
            assert_eq!(Millis::parse(text), None, "{text}");
        }
        assert_eq!(Millis(i64::MAX).to_text(), None);
    }
}
