// A pickle machine that builds values and runs nothing. It knows the opcodes of protocols 2 to 5 that data needs. A
// global name is only ever a name: calling one is an error unless it is on the list of pickle_calls.cpp, whose meaning
// (a tensor, a container, a date) is built here. Making an instance of an unknown class is allowed, because here that
// is a record with a class name and a state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "models/weights/cursor.h"
#include "models/weights/pickle_opcodes.h"

namespace disco::weights {

/// A value's place in its Pickle.
using Ref = std::uint32_t;

struct NoneValue {};
struct BigInteger {
  std::string_view bytes;  ///< Little-endian two's complement.
};
struct Text {
  std::string_view text;
};
struct ByteText {
  std::string_view bytes;
};
struct Global {
  std::string_view module, name;
};
struct Tuple {
  std::vector<Ref> items;
};
struct List {
  std::vector<Ref> items;
};
struct Set {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<Ref> items;  ///< Key, value, key, value …
};
/// An instance of a class that means nothing here.
struct Object {
  Ref type;
  std::optional<Ref> state;
  std::vector<Ref> items;  ///< Of a subclass of dict: key, value …
};
/// Something harmless that is of no use here: a date, a path, a numpy number.
struct Opaque {};
/// A storage as a persistent id names it: `count` elements from element `first`.
struct StorageRef {
  std::uint32_t index;
  std::optional<ElementType> type;  ///< None for untyped storages, whose count is in bytes.
  std::uint64_t first, count;
};
struct TensorRef {
  std::uint32_t index;
};

using Value = std::variant<NoneValue, bool, std::int64_t, double, BigInteger, Text, ByteText, Global, Tuple, List, Set,
                           Dict, Object, Opaque, StorageRef, TensorRef>;

class Pickle {
 public:
  struct Storage {
    std::string_view key;
    ElementType type;    ///< As first named.
    std::uint64_t size;  ///< Bytes that its users expect it to have.
  };
  struct Tensor {
    ElementType type;
    std::uint32_t storage;
    std::uint64_t offset;  ///< Bytes.
    std::vector<std::int64_t> shape, strides;
  };

  /// `bytes` must outlive the machine: texts are views of them. `largest_tensor` bounds the bytes of a tensor counted
  /// as if it were contiguous (a view of stride 0 can claim any size).
  Pickle(Bytes bytes, std::string where, std::uint64_t largest_tensor);

  /// Runs one pickle, from the current position to its end. Values of earlier ones stay valid. Throws FormatError.
  Ref load();
  Cursor& cursor() { return cursor_; }

  const Value& value(Ref ref) const { return values_[ref]; }
  const std::vector<Storage>& storages() const { return storages_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }

  template <class T>
  const T* get(Ref ref) const {
    return std::get_if<T>(&values_[ref]);
  }
  std::optional<std::string_view> text(Ref ref) const;
  /// A dictionary's value by key, the last one given.
  std::optional<Ref> lookup(Ref dict, std::string_view key) const;
  /// What kind of value it is, for errors.
  std::string describe(Ref ref) const;

 private:
  friend class PickleCalls;

  void step(Opcode opcode);
  bool step_constant(Opcode opcode);
  bool step_text(Opcode opcode);
  bool step_container(Opcode opcode);
  bool step_memo(Opcode opcode);
  bool step_object(Opcode opcode);

  Ref make(Value value);
  void push(Ref ref);
  void push_new(Value value) { push(make(std::move(value))); }
  Ref pop();
  Ref top() const;
  std::vector<Ref> pop_to_mark();
  std::vector<Ref> pop_many(std::size_t count);
  void memoize(std::uint64_t index);
  void recall(std::uint64_t index);
  void append(Ref container, const std::vector<Ref>& items);
  void set_items(Ref container, const std::vector<Ref>& pairs);
  void build(Ref object, Ref state);
  void count_copies(std::size_t items);
  void push_integer(std::string_view bytes);
  Ref instance(Ref type);
  Ref persistent(Ref id);
  [[noreturn]] void fail(const std::string& problem) const { cursor_.fail_at(opcode_at_, problem); }

  Cursor cursor_;
  std::uint64_t largest_tensor_;
  std::uint64_t opcode_at_ = 0;
  std::size_t copied_ = 0;
  bool stopped_ = false;
  std::vector<Value> values_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Ref> memo_;
  std::vector<Storage> storages_;
  std::unordered_map<std::string_view, std::uint32_t> storage_by_key_;
  std::vector<Tensor> tensors_;
};

/// What REDUCE may do: the calls whose meaning is known, and nothing else.
class PickleCalls {
 public:
  /// The value that `callee(*arguments)` stands for. Throws FormatError naming an unknown callee.
  static Ref call(Pickle& pickle, Ref callee, Ref arguments);

 private:
  struct Arguments;
  using Handler = Ref (*)(const Arguments&);
  static const std::unordered_map<std::string_view, Handler>& table();
  static Ref rebuild_tensor(const Arguments& given, bool type_given);
  static std::optional<ElementType> named_type(const Pickle& pickle, Ref ref);
};

/// The element type of a storage class such as torch.FloatStorage.
std::optional<ElementType> storage_element_type(const Global& type);

}  // namespace disco::weights
