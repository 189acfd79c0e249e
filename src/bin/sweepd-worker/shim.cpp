// What tch does not give: optimisers that change all tensors in one pass, a leaky ReLU with a slope, and which kernels a
// GPU uses. Each function returns null, or what went wrong, which stays valid until the thread's next call.

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/leaky_relu.h>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace {

using List = at::Tensor* const*;

template <typename F>
const char* guarded(F work) noexcept {
  thread_local std::string problem;
  try {
    work();
    return nullptr;
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    problem = "libtorch failed without saying why";
  }
  return problem.c_str();
}

std::vector<at::Tensor> tensors(List list, int64_t count) {
  std::vector<at::Tensor> all;
  all.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) all.push_back(*list[i]);
  return all;
}

// The kernels walk through memory: a gradient must lie there as its weights do.
std::vector<at::Tensor> laid_out_like(const std::vector<at::Tensor>& weights, List list) {
  std::vector<at::Tensor> all;
  all.reserve(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor& gradient = *list[i];
    const bool fits = gradient.strides() == weights[i].strides();
    all.push_back(fits ? gradient : at::empty_like(weights[i]).copy_(gradient));
  }
  return all;
}

}  // namespace

// One step of Adam, or of AdamW where `decoupled`; `updates` is an f32 scalar tensor: this step's number, from 1.
extern "C" const char* sweepd_adam(List weights, List gradients, List means, List squares, int64_t count,
                                   at::Tensor* updates, double rate, double beta1, double beta2, double epsilon,
                                   double decay, int32_t decoupled) noexcept {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const auto self = tensors(weights, count);
    const auto steps = std::vector<at::Tensor>(static_cast<size_t>(count), *updates);
    const auto grads = laid_out_like(self, gradients);
    const auto m = tensors(means, count), v = tensors(squares, count);
    if (decoupled != 0) {
      at::_fused_adamw_(self, grads, m, v, {}, steps, rate, beta1, beta2, decay, epsilon, false, false);
    } else {
      at::_fused_adam_(self, grads, m, v, {}, steps, rate, beta1, beta2, decay, epsilon, false, false);
    }
  });
}

// One step of gradient descent; `velocities` is null without momentum, and holds zeros before the first step.
extern "C" const char* sweepd_sgd(List weights, List gradients, List velocities, int64_t count, double rate,
                                  double momentum, int32_t nesterov, double decay) noexcept {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const auto self = tensors(weights, count);
    const auto grads = laid_out_like(self, gradients);
    const auto kept = velocities == nullptr ? std::vector<at::Tensor>() : tensors(velocities, count);
    at::_fused_sgd_(self, grads, kept, decay, momentum, rate, 0.0, nesterov != 0, false, false);
  });
}

// GPU kernels that give the same bits every time, and that may use TF32 for f32.
extern "C" const char* sweepd_settle_kernels() noexcept {
  return guarded([] {
    auto& context = at::globalContext();
    context.setBenchmarkCuDNN(false);
    context.setDeterministicCuDNN(true);
    context.setAllowTF32CuDNN(true);
    context.setAllowTF32CuBLAS(true);
  });
}

// x, times `slope` where negative, in place.
extern "C" const char* sweepd_leaky_relu(at::Tensor* x, double slope) noexcept {
  return guarded([&] { at::leaky_relu_(*x, slope); });
}

// Each tensor goes this share of the way to another.
extern "C" const char* sweepd_lerp(List from, List to, int64_t count, double share) noexcept {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const auto self = tensors(from, count);
    at::_foreach_lerp_(self, tensors(to, count), share);
  });
}
