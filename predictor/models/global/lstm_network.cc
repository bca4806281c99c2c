// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/global/lstm_network.h"

#include <cmath>
#include <random>
#include <vector>

namespace foreflow::predictor {
namespace {

Eigen::Index to_index(std::size_t n) { return static_cast<Eigen::Index>(n); }

// The parts of a flat vector of parameters (or of its gradient). Vector: const or not.
template <typename Vector, typename Matrix>
struct Parts {
  using Part = Eigen::Map<Matrix>;
  Part gates;      // 4 cells x (inputs + cells): input, forget, output gate, candidate
  Part gate_bias;  // 4 cells x 1
  Part inner;      // hidden x (cells + statics)
  Part inner_bias;
  Part outer;  // outputs x hidden
  Part outer_bias;

  Parts(Vector& flat, const LstmShape& s)
      : gates(flat.data(), to_index(4 * s.cells), to_index(s.inputs + s.cells)),
        gate_bias(gates.data() + gates.size(), to_index(4 * s.cells), 1),
        inner(gate_bias.data() + gate_bias.size(), to_index(s.hidden), to_index(s.cells + s.statics)),
        inner_bias(inner.data() + inner.size(), to_index(s.hidden), 1),
        outer(inner_bias.data() + inner_bias.size(), to_index(s.outputs), to_index(s.hidden)),
        outer_bias(outer.data() + outer.size(), to_index(s.outputs), 1) {}
};

// What backpropagation needs to know of a step: all are functions of cells x examples.
template <typename Matrix>
struct Step {
  Matrix joined;  // (inputs + cells) x examples: the step's input above the cells' output before it
  Matrix gates;   // 4 cells x examples, after their functions
  Matrix memory;  // after the step
  Matrix output;
};

template <typename Scalar>
struct Pass {
  using Matrix = typename LstmNetwork<Scalar>::Matrix;
  using Constants = Parts<const typename LstmNetwork<Scalar>::Vector, const Matrix>;
  using Gradient = Parts<typename LstmNetwork<Scalar>::Vector, Matrix>;

  static std::vector<Step<Matrix>> forward(const Constants& p, const LstmShape& s, const Matrix& rows) {
    const Eigen::Index cells = to_index(s.cells), inputs = to_index(s.inputs), count = rows.cols();
    Matrix memory = Matrix::Zero(cells, count);
    Matrix output = Matrix::Zero(cells, count);
    std::vector<Step<Matrix>> steps(s.steps);
    for (std::size_t t = 0; t < s.steps; ++t) {
      Step<Matrix>& step = steps[t];
      step.joined.resize(inputs + cells, count);
      step.joined << rows.middleRows(to_index(t) * inputs, inputs), output;
      step.gates.noalias() = p.gates * step.joined;
      step.gates.colwise() += p.gate_bias.col(0);
      auto squashed = step.gates.topRows(3 * cells).array();
      squashed = (1 + (-squashed).exp()).inverse();
      auto candidate = step.gates.bottomRows(cells).array();
      candidate = candidate.tanh();
      memory = step.gates.middleRows(cells, cells).cwiseProduct(memory) +
               step.gates.topRows(cells).cwiseProduct(step.gates.bottomRows(cells));
      output = step.gates.middleRows(2 * cells, cells).array() * memory.array().tanh();
      step.memory = memory;
      step.output = output;
    }
    return steps;
  }

  static void backward(const Constants& p, const LstmShape& s, const std::vector<Step<Matrix>>& steps, Matrix by_output,
                       Gradient& gradient) {
    const Eigen::Index cells = to_index(s.cells), count = by_output.cols();
    Matrix by_memory = Matrix::Zero(cells, count);
    Matrix by_gates(4 * cells, count);
    for (std::size_t t = s.steps; t-- > 0;) {
      const Step<Matrix>& step = steps[t];
      const auto in = step.gates.topRows(cells).array();
      const auto forget = step.gates.middleRows(cells, cells).array();
      const auto out = step.gates.middleRows(2 * cells, cells).array();
      const auto candidate = step.gates.bottomRows(cells).array();
      const Matrix squashed = step.memory.array().tanh();
      by_memory.array() += by_output.array() * out * (1 - squashed.array().square());
      by_gates.topRows(cells) = by_memory.array() * candidate * in * (1 - in);
      if (t > 0)
        by_gates.middleRows(cells, cells) = by_memory.array() * steps[t - 1].memory.array() * forget * (1 - forget);
      else
        by_gates.middleRows(cells, cells).setZero();
      by_gates.middleRows(2 * cells, cells) = by_output.array() * squashed.array() * out * (1 - out);
      by_gates.bottomRows(cells) = by_memory.array() * in * (1 - candidate.square());
      gradient.gates.noalias() += by_gates * step.joined.transpose();
      gradient.gate_bias += by_gates.rowwise().sum();
      by_output.noalias() = p.gates.rightCols(cells).transpose() * by_gates;
      by_memory.array() *= forget;
    }
  }
};

// hidden x examples
template <typename Constants, typename Matrix>
Matrix hidden_of(const Constants& p, const Matrix& told) {
  Matrix hidden = p.inner * told;
  hidden.colwise() += p.inner_bias.col(0);
  return hidden.array().tanh();
}

template <typename Matrix>
Matrix stacked(const Matrix& above, const Matrix& below) {
  Matrix both(above.rows() + below.rows(), above.cols());
  both << above, below;
  return both;
}

}  // namespace

template <typename Scalar>
LstmNetwork<Scalar>::LstmNetwork(const LstmShape& shape, std::uint64_t seed)
    : shape_(shape), parameters_(Vector::Zero(to_index(shape.parameters()))) {
  std::mt19937_64 random(seed);
  Parts<Vector, Matrix> p(parameters_, shape);
  auto fill = [&random](auto& part) {
    const double reach = std::sqrt(3.0 / static_cast<double>(part.cols()));
    std::uniform_real_distribution<double> weight(-reach, reach);
    for (Eigen::Index i = 0; i < part.size(); ++i) part.data()[i] = static_cast<Scalar>(weight(random));
  };
  fill(p.gates);
  fill(p.inner);
  fill(p.outer);
  p.gate_bias.middleRows(to_index(shape.cells), to_index(shape.cells)).setOnes();
}

template <typename Scalar>
typename LstmNetwork<Scalar>::Matrix LstmNetwork<Scalar>::encode(const Matrix& rows) const {
  return Pass<Scalar>::forward({parameters_, shape_}, shape_, rows).back().output;
}

template <typename Scalar>
typename LstmNetwork<Scalar>::Matrix LstmNetwork<Scalar>::decode(const Matrix& encoded, const Matrix& statics) const {
  const typename Pass<Scalar>::Constants p(parameters_, shape_);
  Matrix outputs = p.outer * hidden_of(p, stacked(encoded, statics));
  outputs.colwise() += p.outer_bias.col(0);
  return outputs;
}

template <typename Scalar>
Scalar LstmNetwork<Scalar>::loss(const Matrix& rows, const Vector& targets, std::span<const double> quantiles,
                                 Vector& gradient) const {
  const typename Pass<Scalar>::Constants p(parameters_, shape_);
  const auto steps = Pass<Scalar>::forward(p, shape_, rows);
  const Matrix statics = rows.bottomRows(to_index(shape_.statics));
  const Matrix told = stacked(steps.back().output, statics);
  const Matrix hidden = hidden_of(p, told);
  Matrix outputs = p.outer * hidden;
  outputs.colwise() += p.outer_bias.col(0);

  Scalar sum = 0;
  Matrix by_outputs(outputs.rows(), outputs.cols());
  const Scalar scale = 1 / static_cast<Scalar>(outputs.size());
  for (Eigen::Index i = 0; i < outputs.cols(); ++i)
    for (Eigen::Index q = 0; q < outputs.rows(); ++q) {
      const auto tau = static_cast<Scalar>(quantiles[static_cast<std::size_t>(q)]);
      const Scalar error = targets[i] - outputs(q, i);
      sum += scale * (error > 0 ? tau * error : (tau - 1) * error);
      by_outputs(q, i) = scale * (error > 0 ? -tau : 1 - tau);
    }

  gradient = Vector::Zero(parameters_.size());
  typename Pass<Scalar>::Gradient g(gradient, shape_);
  g.outer = by_outputs * hidden.transpose();
  g.outer_bias = by_outputs.rowwise().sum();
  const Matrix by_hidden = (p.outer.transpose() * by_outputs).array() * (1 - hidden.array().square());
  g.inner = by_hidden * told.transpose();
  g.inner_bias = by_hidden.rowwise().sum();
  Pass<Scalar>::backward(p, shape_, steps, p.inner.leftCols(to_index(shape_.cells)).transpose() * by_hidden, g);
  return sum;
}

template class LstmNetwork<float>;
template class LstmNetwork<double>;

}  // namespace foreflow::predictor
