//! A race in oneMKL, avoided: it chooses the code of a vector function at its first call, and where several threads make
//! that call at once, one may get code of lower accuracy for its part of it
//! (<https://github.com/pytorch/pytorch/issues/188792>). The next call is right again, so a training that goes on in a new
//! process would now and then not end in the same bits.

use tch::{Kind, TchError, Tensor};

type Function = fn(&Tensor) -> Result<Tensor, TchError>;

/// Calls every such function once, from one thread. To be done before anything is computed.
pub fn settle() -> Result<(), TchError> {
    const FUNCTIONS: [Function; 18] = [
        Tensor::f_acos,
        Tensor::f_asin,
        Tensor::f_atan,
        Tensor::f_cos,
        Tensor::f_cosh,
        Tensor::f_erf,
        Tensor::f_erfc,
        Tensor::f_exp,
        Tensor::f_expm1,
        Tensor::f_lgamma,
        Tensor::f_log,
        Tensor::f_log10,
        Tensor::f_log1p,
        Tensor::f_log2,
        Tensor::f_sin,
        Tensor::f_sqrt,
        Tensor::f_tan,
        Tensor::f_tanh,
    ];
    for kind in [Kind::Float, Kind::Double] {
        // Too few numbers to be divided among threads.
        let numbers = Tensor::f_full([8], 0.5, (kind, tch::Device::Cpu))?;
        for function in FUNCTIONS {
            let _called = function(&numbers)?;
        }
    }
    Ok(())
}
