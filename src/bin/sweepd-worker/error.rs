//! Why a training ended without a result.

use sweepd::dataset::DatasetError;
use sweepd::domain::Reason;
use tch::TchError;

/// Why a training ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A loss or metric became NaN or infinite.
    #[error("diverged: {what} was not finite in epoch {step}")]
    Diverged {
        /// The epoch, from 1.
        step: u64,
        /// What became non-finite.
        what: String,
    },
    /// The device had too little memory.
    #[error("out of memory: {message}")]
    OutOfMemory {
        /// What the allocator said.
        message: String,
    },
    /// This configuration cannot be trained on this dataset.
    #[error("{0}")]
    BadConfiguration(String),
    /// A checkpoint is damaged, or of another training: without it the training can begin from its
    /// beginning.
    #[error("this checkpoint cannot be used: {0:#}")]
    Checkpoint(anyhow::Error),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl TrainError {
    /// A dataset without a column that the network takes.
    pub fn column(error: DatasetError) -> Self {
        Self::BadConfiguration(format!("extra_columns: {error}"))
    }

    /// The same once more: what fails for several trainings at once is each one's failure.
    pub fn again(&self) -> Self {
        match self {
            Self::Diverged { step, what } => Self::Diverged { step: *step, what: what.clone() },
            Self::OutOfMemory { message } => Self::OutOfMemory { message: message.clone() },
            Self::BadConfiguration(message) => Self::BadConfiguration(message.clone()),
            Self::Checkpoint(error) => Self::Checkpoint(anyhow::anyhow!("{error:#}")),
            Self::Other(error) => Self::Other(anyhow::anyhow!("{error:#}")),
        }
    }

    /// The reason that is stored with the trial.
    pub fn to_reason(&self) -> Reason {
        match self {
            Self::Diverged { step, what } => Reason::Diverged { step: *step, what: what.clone() },
            Self::OutOfMemory { message } => Reason::OutOfMemory { message: message.clone(), alone: false },
            Self::BadConfiguration(message) => Reason::BadConfiguration { message: message.clone() },
            Self::Checkpoint(_) => Reason::Error { message: self.to_string() },
            Self::Other(error) => Reason::Error { message: format!("{error:#}") },
        }
    }
}

impl From<TchError> for TrainError {
    fn from(error: TchError) -> Self {
        let text = match &error {
            TchError::Torch(text) => first_line(text).to_owned(),
            other => other.to_string(),
        };
        if is_out_of_memory(&text) {
            Self::OutOfMemory { message: text }
        } else {
            Self::Other(anyhow::anyhow!("libtorch: {text}"))
        }
    }
}

/// libtorch adds its C++ call stack to a message: the first line says it.
fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or(text).trim()
}

/// The words of libtorch's allocators: the CUDA one, the CPU one, and the systems' own.
fn is_out_of_memory(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "bad_alloc"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_an_allocators_words() {
        for text in [
            "CUDA out of memory. Tried to allocate 20.00 GiB\nException raised from malloc at ...",
            "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried ...",
        ] {
            let error = TrainError::from(TchError::Torch(text.to_owned()));
            assert!(matches!(error.to_reason(), Reason::OutOfMemory { .. }), "{error}");
            assert!(!error.to_string().contains("Exception raised"));
        }
        let error = TrainError::from(TchError::Torch("shapes do not fit".to_owned()));
        assert_eq!(error.to_reason(), Reason::Error { message: "libtorch: shapes do not fit".to_owned() });
    }

    #[test]
    fn a_real_refusal_of_the_allocator_is_understood() {
        let huge = tch::Tensor::f_zeros([1 << 50], (tch::Kind::Float, tch::Device::Cpu));
        assert!(matches!(TrainError::from(huge.unwrap_err()), TrainError::OutOfMemory { .. }));
    }
}
