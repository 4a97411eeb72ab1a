// The calls that a pickle may ask for. Each is built here from its arguments; none is ever looked up or run.
#include <fmt/format.h>

#include "core/error.h"
#include "models/weights/pickle.h"

namespace disco::weights {
namespace {

// A million tensors of this rank is a bound on memory, not a judgement on models.
constexpr std::size_t most_tensors = 500'000, largest_rank = 16;
// Of the known calls none takes more.
constexpr std::size_t most_arguments = 16;

}  // namespace

struct PickleCalls::Arguments {
  Pickle& pickle;
  std::string_view callee;
  std::vector<Ref> items;

  [[noreturn]] void refuse(const std::string& problem) const { pickle.fail(fmt::format("{}: {}", callee, problem)); }
  Ref at(std::size_t i) const {
    if (i >= items.size()) refuse("it is called with too few arguments");
    return items[i];
  }
  std::int64_t integer(std::size_t i) const {
    const std::int64_t* number = pickle.get<std::int64_t>(at(i));
    if (!number) refuse(fmt::format("argument {} is not a number", i));
    return *number;
  }
  std::vector<std::int64_t> integers(std::size_t i) const {
    const std::vector<Ref>* list = nullptr;
    if (const Tuple* tuple = pickle.get<Tuple>(at(i))) list = &tuple->items;
    if (const List* plain = pickle.get<List>(at(i))) list = &plain->items;
    if (!list || list->size() > largest_rank) refuse(fmt::format("argument {} is not a list of sizes", i));
    std::vector<std::int64_t> numbers;
    for (const Ref ref : *list) {
      const std::int64_t* number = pickle.get<std::int64_t>(ref);
      if (!number) refuse(fmt::format("argument {} is not a list of sizes", i));
      numbers.push_back(*number);
    }
    return numbers;
  }
  /// The items of a tuple, list or set.
  std::vector<Ref> sequence(std::size_t i) const {
    if (const Tuple* tuple = pickle.get<Tuple>(at(i))) return copy(tuple->items);
    if (const List* list = pickle.get<List>(at(i))) return copy(list->items);
    if (const Set* set = pickle.get<Set>(at(i))) return copy(set->items);
    refuse(fmt::format("argument {} is not a list", i));
  }
  /// Copies are counted, because a few bytes of pickle can ask for a copy of a long list.
  std::vector<Ref> copy(const std::vector<Ref>& from) const {
    pickle.count_copies(from.size());
    return from;
  }
  Ref make(Value value) const { return pickle.make(std::move(value)); }
};

std::optional<ElementType> PickleCalls::named_type(const Pickle& pickle, Ref ref) {
  static const std::unordered_map<std::string_view, ElementType> names = {{"float32", ElementType::f32},
                                                                          {"float16", ElementType::f16},
                                                                          {"bfloat16", ElementType::bf16},
                                                                          {"float64", ElementType::f64},
                                                                          {"int64", ElementType::i64},
                                                                          {"int32", ElementType::i32},
                                                                          {"int16", ElementType::i16},
                                                                          {"int8", ElementType::i8},
                                                                          {"uint8", ElementType::u8},
                                                                          {"uint16", ElementType::u16},
                                                                          {"uint32", ElementType::u32},
                                                                          {"uint64", ElementType::u64},
                                                                          {"bool", ElementType::boolean},
                                                                          {"complex32", ElementType::c32},
                                                                          {"complex64", ElementType::c64},
                                                                          {"complex128", ElementType::c128},
                                                                          {"float8_e4m3fn", ElementType::f8_e4m3},
                                                                          {"float8_e5m2", ElementType::f8_e5m2},
                                                                          {"float8_e8m0fnu", ElementType::f8_e8m0}};
  const Global* type = pickle.get<Global>(ref);
  if (!type || type->module != "torch") return std::nullopt;
  const auto found = names.find(type->name);
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

Ref PickleCalls::rebuild_tensor(const Arguments& given, bool type_given) {
  Pickle& pickle = given.pickle;
  const StorageRef* storage = pickle.get<StorageRef>(given.at(0));
  if (!storage) given.refuse("its first argument is not a storage");
  Pickle::Tensor tensor;
  const std::optional<ElementType> type = type_given ? named_type(pickle, given.at(6)) : storage->type;
  if (!type) given.refuse("the element type is missing or not known");
  tensor.type = *type;
  const std::int64_t offset = given.integer(1);
  tensor.shape = given.integers(2);
  tensor.strides = given.integers(3);
  tensor.storage = storage->index;

  const std::uint64_t element = element_size(tensor.type), stored = storage->type ? element_size(*storage->type) : 1;
  const std::optional<std::uint64_t> count = element_count(tensor.shape), span = extent(tensor.shape, tensor.strides);
  const std::string what =
      fmt::format("shape {}, strides {}, offset {}", shape_text(tensor.shape), shape_text(tensor.strides), offset);
  if (offset < 0 || !count || !span) given.refuse("impossible sizes: " + what);
  // Both products fit: the storage's size in bytes was checked, and largest_tensor bounds the count.
  const std::uint64_t room = storage->count * stored / element, start = static_cast<std::uint64_t>(offset);
  if (*span > room || start > room - *span) {
    given.refuse(fmt::format("the tensor leaves its storage of {} elements ({})", room, what));
  }
  if (*count > pickle.largest_tensor_ / element) given.refuse("the tensor is larger than the file can mean: " + what);
  tensor.offset = storage->first * stored + start * element;
  if (pickle.tensors_.size() >= most_tensors) given.refuse("there are too many tensors");
  pickle.tensors_.push_back(std::move(tensor));
  return given.make(TensorRef{static_cast<std::uint32_t>(pickle.tensors_.size() - 1)});
}

const std::unordered_map<std::string_view, PickleCalls::Handler>& PickleCalls::table() {
  const Handler opaque = [](const Arguments& given) { return given.make(Opaque{}); };
  const Handler first = [](const Arguments& given) { return given.at(0); };
  const Handler list = [](const Arguments& given) {
    return given.make(List{given.items.empty() ? std::vector<Ref>{} : given.sequence(0)});
  };
  const Handler tuple = [](const Arguments& given) {
    return given.make(Tuple{given.items.empty() ? std::vector<Ref>{} : given.sequence(0)});
  };
  const Handler set = [](const Arguments& given) {
    return given.make(Set{given.items.empty() ? std::vector<Ref>{} : given.sequence(0)});
  };
  // OrderedDict() or OrderedDict([(key, value), …]), Counter({…}), dict(…).
  const Handler dict = [](const Arguments& given) {
    if (given.items.empty()) return given.make(Dict{});
    if (const Dict* other = given.pickle.get<Dict>(given.at(0))) return given.make(Dict{given.copy(other->items)});
    Dict made;
    for (const Ref ref : given.sequence(0)) {
      const Tuple* pair = given.pickle.get<Tuple>(ref);
      const List* pair_list = given.pickle.get<List>(ref);
      const std::vector<Ref>* items = pair ? &pair->items : pair_list ? &pair_list->items : nullptr;
      if (!items || items->size() != 2) given.refuse("its argument is not a list of pairs");
      made.items.insert(made.items.end(), items->begin(), items->end());
    }
    return given.make(std::move(made));
  };
  const Handler empty_dict = [](const Arguments& given) { return given.make(Dict{}); };
  const Handler tensor = [](const Arguments& given) { return rebuild_tensor(given, false); };
  const Handler tensor_typed = [](const Arguments& given) { return rebuild_tensor(given, true); };
  // (function, type, arguments, state): a tensor of a subclass.
  const Handler from_type = [](const Arguments& given) {
    const Global* function = given.pickle.get<Global>(given.at(0));
    if (function && function->name == "_rebuild_from_type_v2") given.refuse("it is asked to call itself");
    return call(given.pickle, given.at(0), given.at(2));
  };
  const Handler instance = [](const Arguments& given) { return given.pickle.instance(given.at(0)); };

  static const std::unordered_map<std::string_view, Handler> known = {
      {"torch._utils._rebuild_tensor", tensor},
      {"torch._utils._rebuild_tensor_v2", tensor},
      {"torch._utils._rebuild_tensor_v3", tensor_typed},
      {"torch._utils._rebuild_parameter", first},
      {"torch._utils._rebuild_parameter_with_state", first},
      {"torch._tensor._rebuild_from_type_v2", from_type},
      {"torch.Size", tuple},
      {"torch.device", opaque},
      {"torch.serialization._get_layout", opaque},
      {"torch.jit._pickle.build_intlist", list},
      {"torch.jit._pickle.build_tensorlist", list},
      {"torch.jit._pickle.build_doublelist", list},
      {"torch.jit._pickle.build_boollist", list},
      {"torch.jit._pickle.restore_type_tag", first},
      {"collections.OrderedDict", dict},
      {"collections.Counter", dict},
      {"collections.defaultdict", empty_dict},
      {"collections.deque", list},
      {"builtins.dict", dict},
      {"builtins.list", list},
      {"builtins.tuple", tuple},
      {"builtins.set", set},
      {"builtins.frozenset", set},
      {"builtins.bytearray", opaque},
      {"builtins.complex", opaque},
      {"builtins.slice", opaque},
      {"copyreg._reconstructor", instance},
      {"_codecs.encode", opaque},
      {"numpy.dtype", opaque},
      {"numpy.core.multiarray.scalar", opaque},
      {"numpy._core.multiarray.scalar", opaque},
      {"numpy.core.multiarray._reconstruct", opaque},
      {"numpy._core.multiarray._reconstruct", opaque},
      {"datetime.date", opaque},
      {"datetime.datetime", opaque},
      {"datetime.time", opaque},
      {"datetime.timedelta", opaque},
      {"datetime.timezone", opaque},
      {"pathlib.Path", opaque},
      {"pathlib.PosixPath", opaque},
      {"pathlib.PurePosixPath", opaque},
      {"pathlib.WindowsPath", opaque},
      {"pathlib.PureWindowsPath", opaque},
  };
  return known;
}

Ref PickleCalls::call(Pickle& pickle, Ref callee, Ref arguments) {
  const Global* function = pickle.get<Global>(callee);
  const Tuple* tuple = pickle.get<Tuple>(arguments);
  if (!function) pickle.fail(fmt::format("the pickle calls {}", pickle.describe(callee)));
  if (!tuple)
    pickle.fail(fmt::format("the pickle calls {}.{} without a tuple of arguments", function->module, function->name));
  // Python 2's names of the same modules.
  std::string_view module = function->module;
  if (module == "__builtin__") module = "builtins";
  if (module == "copy_reg") module = "copyreg";
  const std::string name = fmt::format("{}.{}", module, function->name);
  const auto found = table().find(name);
  if (found == table().end()) {
    throw FormatError(fmt::format("it asks to call {}.{}, which no weights file needs; nothing was run",
                                  function->module, function->name),
                      fmt::format("{}, byte {}", pickle.cursor_.where(), pickle.opcode_at_),
                      "do not trust this file; get the weights as safetensors or from their author");
  }
  if (tuple->items.size() > most_arguments) pickle.fail(fmt::format("{} is called with too many arguments", name));
  return found->second(Arguments{pickle, found->first, tuple->items});
}

}  // namespace disco::weights
