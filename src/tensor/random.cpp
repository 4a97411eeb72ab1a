#include "tensor/random.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/error.h"
#include "core/hash.h"

namespace disco {
namespace {

/// The names are hashed into seeds: renaming one changes every picture of native mode.
std::string_view name_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::start_noise:
      return "start_noise";
    case Purpose::sampler_noise:
      return "sampler_noise";
    case Purpose::cutouts:
      return "cutouts";
    case Purpose::augmentation:
      return "augmentation";
    case Purpose::fuzzy:
      return "fuzzy";
    case Purpose::image_prompt:
      return "image_prompt";
    case Purpose::perlin:
      return "perlin";
    case Purpose::init_noise:
      return "init_noise";
  }
  throw Error("a random stream was asked for with a purpose that has no name");
}

std::uint64_t unsigned_of(int number) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(number)); }

}  // namespace

RandomStream::RandomStream(std::uint64_t seed) : seed_(seed), generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor RandomStream::randn(at::IntArrayRef sizes) { return at::randn(sizes, generator_, at::kFloat); }

double RandomStream::rand() { return at::rand({}, generator_, at::kFloat).item<double>(); }

std::int64_t RandomStream::randint(std::int64_t low, std::int64_t high) {
  return at::randint(low, high, {}, generator_, at::kLong).item<std::int64_t>();
}

double RandomStream::uniform(double from, double to) {
  return at::empty({1}, at::kFloat).uniform_(from, to, generator_).item<double>();
}

double RandomStream::normal(double mean, double deviation) {
  return at::empty({1}, at::kFloat).normal_(mean, deviation, generator_).item<double>();
}

std::vector<std::int64_t> RandomStream::randperm(std::int64_t n) {
  const at::Tensor order = at::randperm(n, generator_, at::kLong);
  const std::int64_t* first = order.const_data_ptr<std::int64_t>();
  return {first, first + n};
}

at::Tensor RandomStream::state() const { return generator_.get_state(); }

void RandomStream::set_state(const at::Tensor& state) {
  const at::Tensor expected = generator_.get_state();
  if (!state.defined() || state.scalar_type() != at::kByte || state.sizes() != expected.sizes()) {
    throw FormatError("the state of the random stream is damaged", "checkpoint", "start the picture anew");
  }
  generator_.set_state(state.cpu().contiguous());
}

RandomStreams::RandomStreams(std::uint64_t seed, bool shared) : seed_(seed), shared_(shared), stream_(seed) {}

RandomStreams RandomStreams::shared(std::uint64_t seed) { return {seed, true}; }

RandomStreams RandomStreams::independent(std::uint64_t seed) { return {seed, false}; }

RandomStream RandomStreams::get(const StreamKey& key) const {
  return shared_ ? stream_ : RandomStream(stream_seed(seed_, key));
}

at::Tensor RandomStreams::state() const { return shared_ ? stream_.state() : at::Tensor(); }

void RandomStreams::set_state(const at::Tensor& state) {
  if (shared_) stream_.set_state(state);
}

std::uint64_t stream_seed(std::uint64_t seed, const StreamKey& key) {
  std::uint64_t hash = splitmix64(seed);
  hash = splitmix64(hash ^ crc32(name_of(key.purpose)));
  hash = splitmix64(hash ^ unsigned_of(key.step));
  hash = splitmix64(hash ^ crc32(key.model));
  return splitmix64(hash ^ unsigned_of(key.batch));
}

}  // namespace disco
