#include "models/weights/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "models/weights/cursor.h"

namespace disco::weights {
namespace {

constexpr std::uint32_t local_signature = 0x04034B50, central_signature = 0x02014B50, end64_signature = 0x06064B50,
                        locator64_signature = 0x07064B50;
constexpr std::uint64_t end_size = 22, locator64_size = 20, largest_comment = 65535;

/// Where the end-of-central-directory record lies.
std::uint64_t find_end(Bytes file, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const std::uint64_t least = file.size() > end_size + largest_comment ? file.size() - end_size - largest_comment : 0;
  for (std::size_t at = text.rfind("PK\x05\x06"); at != std::string_view::npos && at >= least;
       at = at == 0 ? std::string_view::npos : text.rfind("PK\x05\x06", at - 1)) {
    if (file.size() - at < end_size) continue;
    Cursor record(file, where, at + 20);
    if (at + end_size + record.number<std::uint16_t>() <= file.size()) return at;
  }
  throw FormatError("the zip archive has no end record: the file is cut short", where, "download it again");
}

}  // namespace

ZipArchive::ZipArchive(Bytes file, std::string where)
    : file_(file), where_(std::move(where)), unpacked_left_(file.size() * 16 + (1 << 20)) {
  const std::uint64_t end = find_end(file, where_);
  Cursor cursor(file, where_, end + 4);
  const auto disk = cursor.number<std::uint16_t>(), first_disk = cursor.number<std::uint16_t>();
  if (disk != first_disk) cursor.fail("this is a part of a zip archive of several parts");
  cursor.number<std::uint16_t>();
  std::uint64_t count = cursor.number<std::uint16_t>();
  std::uint64_t size = cursor.number<std::uint32_t>();
  std::uint64_t offset = cursor.number<std::uint32_t>();

  if (end >= locator64_size) {
    Cursor locator(file, where_, end - locator64_size);
    if (locator.number<std::uint32_t>() == locator64_signature) {
      locator.number<std::uint32_t>();
      const auto at = locator.number<std::uint64_t>();
      locator.seek(at);
      if (locator.number<std::uint32_t>() != end64_signature) locator.fail("there is no zip64 end record here");
      locator.seek(locator.position() + 8 + 2 + 2 + 4 + 4 + 8);
      count = locator.number<std::uint64_t>();
      size = locator.number<std::uint64_t>();
      offset = locator.number<std::uint64_t>();
    }
  }
  read_directory(offset, size, count);
}

void ZipArchive::read_directory(std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
  Cursor outer(file_, where_);
  outer.seek(offset);
  outer.take(size);
  Cursor cursor(file_.first(offset + size), where_ + ", zip directory", offset);
  constexpr std::uint64_t least_entry = 46;
  if (count > size / least_entry) cursor.fail(fmt::format("it claims {} entries in {} bytes", count, size));
  for (std::uint64_t i = 0; i < count; ++i) {
    if (cursor.number<std::uint32_t>() != central_signature) cursor.fail("there is no directory entry here");
    cursor.take(4);
    Entry entry{};
    entry.flags = cursor.number<std::uint16_t>();
    entry.method = cursor.number<std::uint16_t>();
    cursor.take(4 + 4);
    entry.packed = cursor.number<std::uint32_t>();
    entry.size = cursor.number<std::uint32_t>();
    const auto name_size = cursor.number<std::uint16_t>(), extra_size = cursor.number<std::uint16_t>(),
               comment_size = cursor.number<std::uint16_t>();
    cursor.take(2 + 2 + 4);
    entry.header = cursor.number<std::uint32_t>();
    const std::string_view name = cursor.text(name_size);
    Cursor extra(cursor.take(extra_size), where_ + ", zip directory");
    cursor.take(comment_size);

    while (extra.left() >= 4) {
      const auto id = extra.number<std::uint16_t>(), length = extra.number<std::uint16_t>();
      Cursor field(extra.take(std::min<std::uint64_t>(length, extra.left())), where_ + ", zip directory");
      if (id != 1) continue;
      constexpr std::uint64_t elsewhere = std::numeric_limits<std::uint32_t>::max();
      for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.header}) {
        if (*value == elsewhere) *value = field.number<std::uint64_t>();
      }
    }
    if (!entries_.emplace(name, entry).second) refuse(name, "the zip archive lists it twice");
    names_.push_back(name);
  }
}

Storage ZipArchive::read(std::string_view name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(name, "the zip archive does not hold it");
  const Entry& entry = found->second;
  if (entry.flags & 1) refuse(name, "it is encrypted");
  Cursor cursor(file_, fmt::format("{}, entry {}", where_, name));
  cursor.seek(entry.header);
  if (cursor.number<std::uint32_t>() != local_signature) cursor.fail("there is no zip entry here");
  cursor.take(22);
  const auto name_size = cursor.number<std::uint16_t>(), extra_size = cursor.number<std::uint16_t>();
  cursor.take(std::uint64_t{name_size} + extra_size);
  const Bytes packed = cursor.take(entry.packed);
  if (entry.method == Z_DEFLATED) return inflate(name, packed, entry.size);
  if (entry.method != 0) refuse(name, fmt::format("its compression (method {}) is not known", entry.method));
  if (entry.packed != entry.size) refuse(name, "its two sizes differ though it is not compressed");
  return {packed, nullptr};
}

Storage ZipArchive::inflate(std::string_view name, Bytes packed, std::uint64_t size) {
  // Deflate cannot do better than 1032 to 1, so a larger claim is a lie that needs no buffer to find out.
  if (size > unpacked_left_ || size / 1032 > packed.size()) {
    refuse(name, fmt::format("it claims to unpack to {} bytes, too much for this file", size));
  }
  unpacked_left_ -= size;
  // One byte more than claimed, so that longer output shows.
  const auto buffer = std::make_shared<std::vector<std::byte>>(size + 1);
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) refuse(name, "it cannot be unpacked");
  std::uint64_t in = 0, out = 0;
  int status = Z_OK;
  constexpr std::uint64_t piece = 1u << 30;
  while (status == Z_OK && (in < packed.size() || stream.avail_in > 0)) {
    if (stream.avail_in == 0) {
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + in));
      stream.avail_in = static_cast<uInt>(std::min(piece, packed.size() - in));
      in += stream.avail_in;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer->data() + out);
    stream.avail_out = static_cast<uInt>(std::min(piece, buffer->size() - out));
    const uInt room = stream.avail_out;
    status = ::inflate(&stream, Z_NO_FLUSH);
    out += room - stream.avail_out;
  }
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END || out != size) refuse(name, "its compressed bytes are damaged");
  return {Bytes(*buffer).first(size), buffer};
}

void ZipArchive::refuse(std::string_view entry, const std::string& problem) const {
  throw FormatError(problem, fmt::format("{}, entry {}", where_, entry), "the file is damaged; download it again");
}

}  // namespace disco::weights
