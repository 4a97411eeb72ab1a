#include "models/weights/pickle.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace disco::weights {
namespace {

using enum Opcode;

// Real checkpoints stay far below: a model of 10,000 tensors makes about 200,000 values.
constexpr std::size_t most_values = 2'000'000;
constexpr std::size_t most_on_stack = 8'000'000;

template <class... Kinds>
bool is_one_of(const Value& value) {
  return (std::holds_alternative<Kinds>(value) || ...);
}

struct StorageType {
  std::string_view name;
  ElementType type;
};

constexpr std::array<StorageType, 12> storage_types = {{{"FloatStorage", ElementType::f32},
                                                        {"HalfStorage", ElementType::f16},
                                                        {"BFloat16Storage", ElementType::bf16},
                                                        {"DoubleStorage", ElementType::f64},
                                                        {"LongStorage", ElementType::i64},
                                                        {"IntStorage", ElementType::i32},
                                                        {"ShortStorage", ElementType::i16},
                                                        {"CharStorage", ElementType::i8},
                                                        {"ByteStorage", ElementType::u8},
                                                        {"BoolStorage", ElementType::boolean},
                                                        {"ComplexFloatStorage", ElementType::c64},
                                                        {"ComplexDoubleStorage", ElementType::c128}}};

bool is_untyped_storage(const Global& type) {
  return type.name == "UntypedStorage" && (type.module == "torch" || type.module == "torch.storage");
}

}  // namespace

std::optional<ElementType> storage_element_type(const Global& type) {
  if (type.module != "torch" && type.module != "torch.cuda") return std::nullopt;
  for (const StorageType& known : storage_types) {
    if (known.name == type.name) return known.type;
  }
  return std::nullopt;
}

Pickle::Pickle(Bytes bytes, std::string where, std::uint64_t largest_tensor)
    : cursor_(bytes, std::move(where)), largest_tensor_(largest_tensor) {}

Ref Pickle::load() {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  stopped_ = false;
  while (!stopped_) {
    opcode_at_ = cursor_.position();
    step(static_cast<Opcode>(cursor_.number<std::uint8_t>()));
  }
  return pop();
}

void Pickle::step(Opcode opcode) {
  switch (opcode) {
    case proto:
      if (const int version = cursor_.number<std::uint8_t>(); version > 5) {
        fail(fmt::format("pickle protocol {} is not known", version));
      }
      return;
    case frame:
      cursor_.number<std::uint64_t>();
      return;
    case stop:
      stopped_ = true;
      return;
    case mark:
      if (marks_.size() >= most_on_stack) fail("the pickle is too large");
      marks_.push_back(stack_.size());
      return;
    case pop_top:
      // As in CPython, POP right after a MARK takes the mark away.
      if (!marks_.empty() && marks_.back() == stack_.size())
        marks_.pop_back();
      else
        pop();
      return;
    case pop_mark:
      pop_to_mark();
      return;
    case dup:
      push(top());
      return;
    default:
      break;
  }
  if (step_constant(opcode) || step_text(opcode) || step_container(opcode) || step_memo(opcode) ||
      step_object(opcode)) {
    return;
  }
  fail(fmt::format("the pickle opcode 0x{:02x} has no place in a weights file", static_cast<int>(opcode)));
}

bool Pickle::step_constant(Opcode opcode) {
  switch (opcode) {
    case none:
      push_new(NoneValue{});
      return true;
    case new_true:
      push_new(true);
      return true;
    case new_false:
      push_new(false);
      return true;
    case bin_int:
      push_new(std::int64_t{cursor_.number<std::int32_t>()});
      return true;
    case bin_int1:
      push_new(std::int64_t{cursor_.number<std::uint8_t>()});
      return true;
    case bin_int2:
      push_new(std::int64_t{cursor_.number<std::uint16_t>()});
      return true;
    case long1:
      push_integer(cursor_.text(cursor_.number<std::uint8_t>()));
      return true;
    case long4:
      push_integer(cursor_.text(cursor_.number<std::uint32_t>()));
      return true;
    case bin_float: {
      const auto bits = cursor_.number<std::uint64_t>();  // The one big-endian number of the format.
      push_new(std::bit_cast<double>(__builtin_bswap64(bits)));
      return true;
    }
    default:
      return false;
  }
}

void Pickle::push_integer(std::string_view bytes) {
  if (bytes.size() > 8) return push_new(BigInteger{bytes});
  const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80);
  std::uint64_t number = negative ? ~std::uint64_t{0} : 0;
  std::memcpy(&number, bytes.data(), bytes.size());
  push_new(static_cast<std::int64_t>(number));
}

bool Pickle::step_text(Opcode opcode) {
  switch (opcode) {
    case short_bin_unicode:
      push_new(Text{cursor_.text(cursor_.number<std::uint8_t>())});
      return true;
    case bin_unicode:
      push_new(Text{cursor_.text(cursor_.number<std::uint32_t>())});
      return true;
    case bin_unicode8:
      push_new(Text{cursor_.text(cursor_.number<std::uint64_t>())});
      return true;
    // Python 2's plain strings, which name tensors in old checkpoints.
    case short_bin_string:
      push_new(Text{cursor_.text(cursor_.number<std::uint8_t>())});
      return true;
    case bin_string:
      push_new(Text{cursor_.text(cursor_.number<std::uint32_t>())});
      return true;
    case short_bin_bytes:
      push_new(ByteText{cursor_.text(cursor_.number<std::uint8_t>())});
      return true;
    case bin_bytes:
      push_new(ByteText{cursor_.text(cursor_.number<std::uint32_t>())});
      return true;
    case bin_bytes8:
    case byte_array8:
      push_new(ByteText{cursor_.text(cursor_.number<std::uint64_t>())});
      return true;
    default:
      return false;
  }
}

bool Pickle::step_container(Opcode opcode) {
  switch (opcode) {
    case empty_tuple:
      push_new(Tuple{});
      return true;
    case tuple1:
      push_new(Tuple{pop_many(1)});
      return true;
    case tuple2:
      push_new(Tuple{pop_many(2)});
      return true;
    case tuple3:
      push_new(Tuple{pop_many(3)});
      return true;
    case make_tuple:
      push_new(Tuple{pop_to_mark()});
      return true;
    case empty_list:
      push_new(List{});
      return true;
    case make_list:
      push_new(List{pop_to_mark()});
      return true;
    case empty_set:
      push_new(Set{});
      return true;
    case frozen_set:
      push_new(Set{pop_to_mark()});
      return true;
    case empty_dict:
      push_new(Dict{});
      return true;
    case make_dict: {
      const std::vector<Ref> pairs = pop_to_mark();
      push_new(Dict{});
      set_items(top(), pairs);
      return true;
    }
    case append_one: {
      const std::vector<Ref> item = pop_many(1);
      append(top(), item);
      return true;
    }
    case appends:
    case add_items: {
      const std::vector<Ref> items = pop_to_mark();
      append(top(), items);
      return true;
    }
    case set_item: {
      const std::vector<Ref> pair = pop_many(2);
      set_items(top(), pair);
      return true;
    }
    case set_items_mark: {
      const std::vector<Ref> pairs = pop_to_mark();
      set_items(top(), pairs);
      return true;
    }
    default:
      return false;
  }
}

bool Pickle::step_memo(Opcode opcode) {
  switch (opcode) {
    case bin_put:
      memoize(cursor_.number<std::uint8_t>());
      return true;
    case long_bin_put:
      memoize(cursor_.number<std::uint32_t>());
      return true;
    case memoize_top:
      memoize(memo_.size());
      return true;
    case bin_get:
      recall(cursor_.number<std::uint8_t>());
      return true;
    case long_bin_get:
      recall(cursor_.number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool Pickle::step_object(Opcode opcode) {
  switch (opcode) {
    case global: {
      const std::string_view module = cursor_.line();
      push_new(Global{module, cursor_.line()});
      return true;
    }
    case stack_global: {
      const std::vector<Ref> pair = pop_many(2);
      const auto module = text(pair[0]), name = text(pair[1]);
      if (!module || !name) fail("the name of a global is not a text");
      push_new(Global{*module, *name});
      return true;
    }
    case reduce: {
      const std::vector<Ref> call = pop_many(2);
      push(PickleCalls::call(*this, call[0], call[1]));
      return true;
    }
    case new_object:
      push(instance(pop_many(2)[0]));
      return true;
    case new_object_ex:
      push(instance(pop_many(3)[0]));
      return true;
    case build_state: {
      const Ref state = pop();
      build(top(), state);
      return true;
    }
    case persistent_id:
      push(persistent(pop()));
      return true;
    default:
      return false;
  }
}

Ref Pickle::make(Value value) {
  if (values_.size() >= most_values) fail("the pickle holds too many values");
  values_.push_back(std::move(value));
  return static_cast<Ref>(values_.size() - 1);
}

void Pickle::push(Ref ref) {
  if (stack_.size() >= most_on_stack) fail("the pickle's stack grows too large");
  stack_.push_back(ref);
}

Ref Pickle::pop() {
  const Ref ref = top();
  stack_.pop_back();
  return ref;
}

Ref Pickle::top() const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("the pickle takes more values than it made");
  return stack_.back();
}

std::vector<Ref> Pickle::pop_to_mark() {
  if (marks_.empty()) fail("the pickle misses a mark");
  const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Ref> items(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return items;
}

std::vector<Ref> Pickle::pop_many(std::size_t count) {
  std::vector<Ref> items(count);
  for (std::size_t i = count; i-- > 0;) items[i] = pop();
  return items;
}

void Pickle::count_copies(std::size_t items) {
  copied_ += items;
  if (copied_ > most_on_stack) fail("the pickle copies too much");
}

void Pickle::memoize(std::uint64_t index) {
  const Ref ref = top();
  if (memo_.size() >= most_values) fail("the pickle's memo grows too large");
  memo_[index] = ref;
}

void Pickle::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) fail(fmt::format("the pickle recalls memo {}, which it never stored", index));
  push(found->second);
}

void Pickle::append(Ref container, const std::vector<Ref>& items) {
  Value& value = values_[container];
  std::vector<Ref>* to = nullptr;
  if (List* list = std::get_if<List>(&value)) to = &list->items;
  if (Set* set = std::get_if<Set>(&value)) to = &set->items;
  if (!to && !is_one_of<Object, Opaque>(value)) fail(fmt::format("the pickle appends to {}", describe(container)));
  if (to) to->insert(to->end(), items.begin(), items.end());
}

void Pickle::set_items(Ref container, const std::vector<Ref>& pairs) {
  Value& value = values_[container];
  std::vector<Ref>* to = nullptr;
  if (Dict* dict = std::get_if<Dict>(&value)) to = &dict->items;
  if (Object* object = std::get_if<Object>(&value)) to = &object->items;
  if (!to && !is_one_of<Opaque>(value)) fail(fmt::format("the pickle sets items of {}", describe(container)));
  if (pairs.size() % 2 != 0) fail("the pickle sets a key without a value");
  if (to) to->insert(to->end(), pairs.begin(), pairs.end());
}

void Pickle::build(Ref object, Ref state) {
  Value& value = values_[object];
  if (Object* instance = std::get_if<Object>(&value)) {
    instance->state = state;
  } else if (!is_one_of<Dict, List, Set, Opaque, TensorRef>(value)) {
    // Attributes of these are of no use here (an OrderedDict's _metadata, hooks of a parameter).
    fail(fmt::format("the pickle gives a state to {}", describe(object)));
  }
}

Ref Pickle::instance(Ref type) {
  const Global* known = get<Global>(type);
  if (!known) fail(fmt::format("the pickle makes an instance of {}", describe(type)));
  if (known->module == "collections" && known->name == "OrderedDict") return make(Dict{});
  return make(Object{type, std::nullopt, {}});
}

Ref Pickle::persistent(Ref id) {
  const Tuple* tuple = get<Tuple>(id);
  if (!tuple || tuple->items.empty()) fail("a persistent id is not a tuple");
  const std::vector<Ref>& items = tuple->items;
  const auto kind = text(items[0]);
  // The legacy format wraps the source of pickled modules; only the module's name is of interest.
  if (kind == "module" && items.size() > 1) return items[1];
  if (kind != "storage" || items.size() < 5) fail("a persistent id does not name a storage");
  const Global* type = get<Global>(items[1]);
  const auto key = text(items[2]);
  const std::int64_t* count = get<std::int64_t>(items[4]);
  if (!type || !key || !count || *count < 0) fail("a persistent id does not name a storage");
  StorageRef ref{0, storage_element_type(*type), 0, static_cast<std::uint64_t>(*count)};
  if (!ref.type && !is_untyped_storage(*type)) {
    fail(fmt::format("storages of {}.{} are not read", type->module, type->name));
  }
  const ElementType element = ref.type.value_or(ElementType::u8);
  if (ref.count > INT64_MAX / element_size(element)) fail("a storage claims an impossible size");
  const std::uint64_t size = ref.count * element_size(element);

  const auto [found, fresh] = storage_by_key_.try_emplace(*key, static_cast<std::uint32_t>(storages_.size()));
  if (fresh) storages_.push_back({*key, element, 0});
  ref.index = found->second;
  storages_[ref.index].size = std::max(storages_[ref.index].size, size);

  // The legacy format names a part of a storage as (key, first, count).
  if (const Tuple* view = items.size() > 5 ? get<Tuple>(items[5]) : nullptr) {
    const std::int64_t* first = view->items.size() == 3 ? get<std::int64_t>(view->items[1]) : nullptr;
    const std::int64_t* part = view->items.size() == 3 ? get<std::int64_t>(view->items[2]) : nullptr;
    if (!first || !part || *first < 0 || *part < 0 || static_cast<std::uint64_t>(*first) > ref.count ||
        static_cast<std::uint64_t>(*part) > ref.count - static_cast<std::uint64_t>(*first)) {
      fail("a view of a storage leaves the storage");
    }
    ref.first = static_cast<std::uint64_t>(*first);
    ref.count = static_cast<std::uint64_t>(*part);
  }
  return make(ref);
}

std::optional<std::string_view> Pickle::text(Ref ref) const {
  const Text* found = get<Text>(ref);
  return found ? std::optional(found->text) : std::nullopt;
}

std::optional<Ref> Pickle::lookup(Ref dict, std::string_view key) const {
  const Dict* found = get<Dict>(dict);
  if (!found) return std::nullopt;
  for (std::size_t i = found->items.size(); i >= 2; i -= 2) {
    if (text(found->items[i - 2]) == key) return found->items[i - 1];
  }
  return std::nullopt;
}

std::string Pickle::describe(Ref ref) const {
  constexpr const char* kinds[] = {
      "None",    "a truth value", "a number", "a number",     "a number", "a text",  "bytes",     "",
      "a tuple", "a list",        "a set",    "a dictionary", "",         "a value", "a storage", "a tensor"};
  if (const Global* type = get<Global>(ref)) return fmt::format("{}.{}", type->module, type->name);
  if (const Object* object = get<Object>(ref)) return "an instance of " + describe(object->type);
  return kinds[values_[ref].index()];
}

}  // namespace disco::weights
