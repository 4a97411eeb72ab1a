// The files of torch.save and torch.jit.save (torch/serialization.py and caffe2/serialize of PyTorch define them).
#include <fmt/format.h>

#include "core/error.h"
#include "models/weights/unwrap.h"
#include "models/weights/zip.h"

namespace disco::weights {
namespace {

constexpr std::string_view legacy_magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t legacy_protocol = 1001;
constexpr const char* save_again = "save it again with a newer PyTorch, or as safetensors";

/// A tensor may be larger than the file only as far as unpacking and views that repeat elements make it so.
std::uint64_t largest_tensor(Bytes file) { return file.size() * 16 + (1 << 20); }

/// The archive's top folder with its slash; data.pkl lies in it.
std::string top_folder(const ZipArchive& archive, const std::string& where) {
  constexpr std::string_view pickle = "data.pkl";
  for (const std::string_view name : archive.names()) {
    if (!name.ends_with(pickle)) continue;
    const std::string_view folder = name.substr(0, name.size() - pickle.size());
    if (folder.empty() || folder.find('/') == folder.size() - 1) return std::string(folder);
  }
  for (const std::string_view name : archive.names()) {
    if (name.ends_with("/model.json"))
      throw FormatError("this is TorchScript's format of before 2020", where, save_again);
    if (name.ends_with(".npy"))
      throw FormatError("these are numpy arrays, which are not read", where, "save them as safetensors");
  }
  throw FormatError("this zip archive is not a PyTorch file: it holds no data.pkl", where,
                    "if it holds weights files, unpack it");
}

Storage read_text_entry(ZipArchive& archive, const std::string& name) {
  return archive.contains(name) ? archive.read(name) : Storage{};
}

std::string_view as_text(const Storage& storage) {
  return {reinterpret_cast<const char*>(storage.bytes.data()), storage.bytes.size()};
}

}  // namespace

Layout read_pytorch_zip(Bytes file, const std::string& where) {
  ZipArchive archive(file, where);
  const std::string folder = top_folder(archive, where);
  if (as_text(read_text_entry(archive, folder + "byteorder")) == "big") {
    throw FormatError("the file was written on a big-endian machine", where, "save it as safetensors");
  }
  const Storage entry = archive.read(folder + "data.pkl");
  Pickle pickle(entry.bytes, fmt::format("{}, entry {}data.pkl", where, folder), largest_tensor(file));
  const Ref root = pickle.load();
  Layout layout = make_layout(pickle, unwrap(pickle, root), where, file.size(), [&](std::uint32_t index) {
    return archive.read(fmt::format("{}data/{}", folder, pickle.storages()[index].key));
  });
  layout.format = archive.contains(folder + "constants.pkl") ? "torchscript" : "pytorch-zip";
  return layout;
}

Layout read_pytorch_legacy(Bytes file, const std::string& where) {
  Pickle pickle(file, where, largest_tensor(file));
  const BigInteger* magic = pickle.get<BigInteger>(pickle.load());
  if (!magic || magic->bytes != legacy_magic) {
    throw FormatError("this is a Python pickle, but not a PyTorch file", where, save_again);
  }
  const std::int64_t* protocol = pickle.get<std::int64_t>(pickle.load());
  if (!protocol || *protocol != legacy_protocol) pickle.cursor().fail("the PyTorch protocol is not 1001");
  const std::optional<Ref> little_endian = pickle.lookup(pickle.load(), "little_endian");
  const bool* little = little_endian ? pickle.get<bool>(*little_endian) : nullptr;
  if (!little || !*little)
    throw FormatError("the file was written on a big-endian machine", where, "save it as safetensors");
  const Ref root = pickle.load();
  const List* keys = pickle.get<List>(pickle.load());
  if (!keys) pickle.cursor().fail("the list of storages is missing");

  std::unordered_map<std::string_view, std::uint32_t> index_by_key;
  for (std::uint32_t i = 0; i < pickle.storages().size(); ++i) index_by_key[pickle.storages()[i].key] = i;
  std::vector<std::optional<Bytes>> data(pickle.storages().size());
  Cursor& cursor = pickle.cursor();
  for (const Ref ref : keys->items) {
    const std::optional<std::string_view> key = pickle.text(ref);
    const auto found = key ? index_by_key.find(*key) : index_by_key.end();
    if (found == index_by_key.end()) cursor.fail("a storage is listed that no tensor names");
    const std::uint64_t element = element_size(pickle.storages()[found->second].type);
    const auto count = cursor.number<std::uint64_t>();
    if (count > cursor.left() / element) {
      cursor.fail(fmt::format("storage {} claims {} elements, but only {} bytes are left", *key, count, cursor.left()));
    }
    if (data[found->second]) cursor.fail(fmt::format("storage {} is listed twice", *key));
    data[found->second] = cursor.take(count * element);
  }
  Layout layout = make_layout(pickle, unwrap(pickle, root), where, file.size(), [&](std::uint32_t index) {
    if (!data[index]) throw FormatError(fmt::format("storage {} is missing", pickle.storages()[index].key), where);
    return Storage{*data[index], nullptr};
  });
  layout.format = "pytorch-legacy";
  return layout;
}

}  // namespace disco::weights
