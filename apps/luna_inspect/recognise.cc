#include "apps/luna_inspect/recognise.h"

#include <algorithm>

#include "base/coding.h"
#include "base/try.h"
#include "engine/blob/part.h"
#include "engine/table/tail.h"
#include "kernel/identity.h"

namespace luna::inspect {
namespace {

Kind ByName(std::string_view name) {
  const auto ends = [name](std::string_view suffix) { return name.ends_with(suffix); };
  if (name == "LOCK" || ends(".spare") || ends(".linked") || ends(".new")) {
    return Kind::kNothing;
  }
  if (name == kernel::kIdentityName) {
    return Kind::kIdentity;
  }
  if (name == "epoch") {
    return Kind::kEpoch;
  }
  if (ends(".segment")) {
    return Kind::kSegment;
  }
  if (name.starts_with("manifest-")) {
    return Kind::kSnapshot;
  }
  if (name.starts_with("backup-")) {
    return Kind::kBackup;
  }
  if (name.starts_with("t-") || name.starts_with("j-")) {
    return Kind::kTable;
  }
  return name.starts_with("b-") ? Kind::kBlobPart : Kind::kForeign;
}

Kind ByMagic(std::string_view head, std::string_view tail) {
  if (head == "LUNAUNIV") {
    return Kind::kIdentity;
  }
  if (head == "LUNAEPOC") {
    return Kind::kEpoch;
  }
  if (head == "LUNAJRNL") {
    return Kind::kSegment;
  }
  if (head == "LUNASNAP") {
    return Kind::kSnapshot;
  }
  if (head == "LUNABKUP") {
    return Kind::kBackup;
  }
  if (tail.size() == blob::kTrailerBytes) {
    if (base::LoadFixed64(tail.data() + tail.size() - 8) == table::kTableMagic) {
      return Kind::kTable;
    }
    if (tail.starts_with("LUNABLOB")) {
      return Kind::kBlobPart;
    }
  }
  return Kind::kForeign;
}

Result<std::string> ReadAt(runtime::File& file, uint64_t offset, size_t length) {
  std::string bytes(length, '\0');
  const size_t got = TRY(file.Read(offset, length, bytes.data()));
  bytes.resize(got);
  return bytes;
}

}  // namespace

std::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kIdentity:
      return "identity";
    case Kind::kEpoch:
      return "epoch";
    case Kind::kSegment:
      return "segment";
    case Kind::kSnapshot:
      return "snapshot";
    case Kind::kTable:
      return "table";
    case Kind::kBlobPart:
      return "blob part";
    case Kind::kBackup:
      return "backup";
    case Kind::kNothing:
      return "no content";
    case Kind::kForeign:
      return "foreign";
  }
  return "";
}

std::string_view BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<Kind> Recognise(runtime::FileSystem& files, const std::string& path) {
  const Kind by_name = ByName(BaseName(path));
  if (by_name == Kind::kNothing) {
    return by_name;
  }
  const auto file = TRY(files.Open(path, runtime::OpenMode::kRead));
  const uint64_t size = TRY(file->Size());
  const std::string head = TRY(ReadAt(*file, 0, 8));
  const uint64_t tail_at = size - std::min<uint64_t>(size, blob::kTrailerBytes);
  const std::string tail = TRY(ReadAt(*file, tail_at, blob::kTrailerBytes));
  const Kind by_magic = ByMagic(head, tail);
  return by_magic == Kind::kForeign ? by_name : by_magic;
}

}  // namespace luna::inspect
