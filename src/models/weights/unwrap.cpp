#include "models/weights/unwrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace disco::weights {
namespace {

// Where training programs put the weights; averaged ones first, as they are the ones meant for use.
constexpr std::array<std::string_view, 14> weight_keys = {
    "params_ema",       "model_ema",   "state_dict_ema", "ema_state_dict", "g_ema", "state_dict",
    "model_state_dict", "model_state", "model",          "params",         "net",   "network",
    "weights",          "ema"};
// What lies beside the weights and holds tensors of its own.
constexpr std::array<std::string_view, 9> training_keys = {
    "optimizer", "optimizer_state_dict", "optimizer_states", "optimizers", "opt", "scaler",
    "scheduler", "lr_schedulers",        "callbacks"};
constexpr std::array<std::string_view, 2> wrappers = {"module.", "_orig_mod."};

constexpr int deepest = 200;
constexpr std::size_t most_visits = 2'000'000, most_work = 20'000'000, longest_name = 1024, most_metadata = 64,
                      longest_metadata = 256;

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class Unwrapper {
 public:
  explicit Unwrapper(const Pickle& pickle) : pickle_(pickle) {}

  Unwrapped run(Ref root) {
    Ref at = root;
    for (int level = 0; level < 8; ++level) {
      note_plain_values(at);
      const std::optional<Child> next = inner(at);
      if (!next) break;
      std::string& path = result_.metadata["unwrapped"];
      path += (path.empty() ? "" : ".") + next->key;
      at = next->ref;
    }
    flatten(at, {}, 0);
    strip_wrappers();
    return std::move(result_);
  }

 private:
  struct Child {
    std::string key;
    Ref ref;
  };
  enum class Holds : std::uint8_t { unknown, looking, no, yes };

  [[noreturn]] void fail(const std::string& problem) const {
    throw FormatError(problem, const_cast<Pickle&>(pickle_).cursor().where());
  }

  /// A few bytes of pickle can give one long dictionary to many objects, each of which is looked through.
  void count_work(std::size_t items) {
    work_ += items;
    if (work_ > most_work) fail("the checkpoint is too entangled");
  }

  /// A long key counts as the work it is: a few bytes of pickle can use it again and again.
  std::string key_text(Ref key) {
    if (const auto text = pickle_.text(key)) {
      const std::string_view start = text->substr(0, longest_name);
      count_work(start.size() / 16);
      return std::string(start);
    }
    if (const std::int64_t* number = pickle_.get<std::int64_t>(key)) return std::to_string(*number);
    return {};
  }

  void add_pairs(const std::vector<Ref>& items, std::vector<std::pair<Ref, Ref>>& pairs) {
    count_work(items.size());
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) pairs.emplace_back(items[i], items[i + 1]);
  }

  /// The named parts of a dictionary, a list, a module, or an object's attributes; empty for plain values.
  std::vector<Child> children(Ref ref) {
    if (const Object* object = pickle_.get<Object>(ref)) {
      if (std::optional<std::vector<Child>> module = module_children(*object)) return std::move(*module);
    }
    return attributes(ref);
  }

  /// The same without a look at modules: what a module holds its parts in cannot be one itself, or a module that names
  /// itself as its parts would never end.
  std::vector<Child> attributes(Ref ref) {
    std::vector<std::pair<Ref, Ref>> pairs;
    std::vector<Child> found;
    if (const Dict* dict = pickle_.get<Dict>(ref)) add_pairs(dict->items, pairs);
    if (const Object* object = pickle_.get<Object>(ref)) {
      const Dict* state = object->state ? pickle_.get<Dict>(*object->state) : nullptr;
      if (state) add_pairs(state->items, pairs);
      add_pairs(object->items, pairs);
    }
    const std::vector<Ref>* sequence = nullptr;
    if (const List* list = pickle_.get<List>(ref)) sequence = &list->items;
    if (const Tuple* tuple = pickle_.get<Tuple>(ref)) sequence = &tuple->items;
    if (sequence) count_work(sequence->size());
    for (std::size_t i = 0; sequence && i < sequence->size(); ++i) found.push_back({std::to_string(i), (*sequence)[i]});
    for (const auto& [key, value] : pairs) {
      if (std::string name = key_text(key); !name.empty()) found.push_back({std::move(name), value});
    }
    return found;
  }

  /// What nn.Module.state_dict() would list, for a pickled module.
  std::optional<std::vector<Child>> module_children(const Object& object) {
    if (!object.state) return std::nullopt;
    if (const Dict* state = pickle_.get<Dict>(*object.state)) count_work(state->items.size());
    const auto modules = pickle_.lookup(*object.state, "_modules"),
               parameters = pickle_.lookup(*object.state, "_parameters");
    if (!modules || !parameters) return std::nullopt;
    std::set<std::string> passing;
    if (const auto names = pickle_.lookup(*object.state, "_non_persistent_buffers_set")) {
      const Set* set = pickle_.get<Set>(*names);
      if (set) count_work(set->items.size());
      for (std::size_t i = 0; set && i < set->items.size(); ++i) passing.insert(key_text(set->items[i]));
    }
    std::vector<Child> found = attributes(*parameters);
    if (const auto buffers = pickle_.lookup(*object.state, "_buffers")) {
      for (Child& buffer : attributes(*buffers)) {
        if (!passing.contains(buffer.key)) found.push_back(std::move(buffer));
      }
    }
    for (Child& module : attributes(*modules)) found.push_back(std::move(module));
    return found;
  }

  bool holds_tensors(Ref ref, int depth = 0) {
    if (pickle_.get<TensorRef>(ref)) return true;
    if (depth > deepest) fail("the checkpoint is nested too deeply");
    const auto [known, fresh] = holds_.try_emplace(ref, Holds::looking);
    if (!fresh) return known->second == Holds::yes;
    bool any = false;
    for (const Child& child : children(ref)) {
      any = holds_tensors(child.ref, depth + 1);
      if (any) break;
    }
    holds_[ref] = any ? Holds::yes : Holds::no;
    return any;
  }

  /// The part of a dictionary that the weights lie in, when it is not the dictionary itself.
  std::optional<Child> inner(Ref ref) {
    if (!pickle_.get<Dict>(ref)) return std::nullopt;
    for (const std::string_view key : weight_keys) {
      const std::optional<Ref> found = pickle_.lookup(ref, key);
      if (found && !pickle_.get<TensorRef>(*found) && holds_tensors(*found)) return Child{std::string(key), *found};
    }
    std::optional<Child> only;
    for (Child& child : children(ref)) {
      if (contains(training_keys, child.key) || !holds_tensors(child.ref)) continue;
      if (only || pickle_.get<TensorRef>(child.ref)) return std::nullopt;
      only = std::move(child);
    }
    return only;
  }

  void flatten(Ref ref, const std::string& prefix, int depth) {
    if (++visits_ > most_visits || depth > deepest) fail("the checkpoint is nested too deeply");
    if (const TensorRef* tensor = pickle_.get<TensorRef>(ref)) {
      names_size_ += prefix.size();
      if (prefix.size() > longest_name || names_size_ > most_visits * 32) fail("the names of the tensors are too long");
      result_.tensors.insert_or_assign(prefix.empty() ? "tensor" : prefix, tensor->index);
      return;
    }
    for (const Child& child : children(ref)) {
      if (depth == 0 && contains(training_keys, child.key)) continue;
      if (holds_tensors(child.ref))
        flatten(child.ref, prefix.empty() ? child.key : prefix + "." + child.key, depth + 1);
    }
  }

  void strip_wrappers() {
    auto& tensors = result_.tensors;
    for (bool stripped = true; stripped && !tensors.empty();) {
      stripped = false;
      for (const std::string_view wrapper : wrappers) {
        if (!std::all_of(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first.starts_with(wrapper); })) {
          continue;
        }
        std::map<std::string, std::uint32_t> shorter;
        for (const auto& [name, index] : tensors) shorter[name.substr(wrapper.size())] = index;
        tensors = std::move(shorter);
        stripped = true;
      }
    }
  }

  void note_plain_values(Ref ref) {
    if (!pickle_.get<Dict>(ref)) return;
    for (const Child& child : children(ref)) {
      if (result_.metadata.size() >= most_metadata || child.key.size() > longest_metadata) continue;
      std::string text;
      if (const auto found = pickle_.text(child.ref)) text = *found;
      if (const std::int64_t* number = pickle_.get<std::int64_t>(child.ref)) text = std::to_string(*number);
      if (const double* number = pickle_.get<double>(child.ref)) text = fmt::format("{}", *number);
      if (!text.empty() && text.size() <= longest_metadata && is_utf8(text) && is_utf8(child.key)) {
        result_.metadata.emplace(child.key, std::move(text));
      }
    }
  }

  const Pickle& pickle_;
  Unwrapped result_;
  std::unordered_map<Ref, Holds> holds_;
  std::size_t visits_ = 0, work_ = 0, names_size_ = 0;
};

}  // namespace

Unwrapped unwrap(const Pickle& pickle, Ref root) { return Unwrapper(pickle).run(root); }

Layout make_layout(const Pickle& pickle, Unwrapped found, const std::string& where, std::uint64_t file_size,
                   const std::function<Storage(std::uint32_t)>& read) {
  if (found.tensors.empty()) throw FormatError("the file holds no tensors", where, "it is not a model's weights");
  Layout layout;
  layout.metadata = std::move(found.metadata);
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  std::uint64_t claimed_left = file_size * 32 + (1 << 20);
  for (const auto& [name, index] : found.tensors) {
    const Pickle::Tensor& tensor = pickle.tensors()[index];
    const auto [number, fresh] =
        numbers.try_emplace(tensor.storage, static_cast<std::uint32_t>(layout.storages.size()));
    if (fresh) {
      const Pickle::Storage& storage = pickle.storages()[tensor.storage];
      layout.storages.push_back(read(tensor.storage));
      if (const std::uint64_t size = layout.storages.back().bytes.size(); size < storage.size) {
        throw FormatError(
            fmt::format("storage {} holds {} bytes, but its tensors need {}", storage.key, size, storage.size),
            fmt::format("{}, tensor \"{}\"", where, name), "the file is damaged; download it again");
      }
    }
    const std::uint64_t bytes = element_count(tensor.shape).value_or(0) * element_size(tensor.type);
    if (bytes > claimed_left) {
      throw FormatError("the tensors together are far larger than the file",
                        fmt::format("{}, tensor \"{}\"", where, name));
    }
    claimed_left -= bytes;
    layout.tensors.push_back({name, tensor.type, tensor.shape, tensor.strides, number->second, tensor.offset});
  }
  return layout;
}

}  // namespace disco::weights
