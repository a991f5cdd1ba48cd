// What a file is: by its name where Luna names files, else by its magic, so that a file whose magic
// is damaged is still known for what it should be.
// Thread rule: pure functions but for reading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "luna/status.h"
#include "runtime/file_system.h"

namespace luna::inspect {

enum class Kind : uint8_t {
  kIdentity,
  kEpoch,
  kSegment,
  kSnapshot,
  kTable,
  kBlobPart,
  kBackup,
  kNothing,  // a file without content that matters: lock, spare, unfinished object
  kForeign,
};
std::string_view Name(Kind kind);

Result<Kind> Recognise(runtime::FileSystem& files, const std::string& path);
// "a" of "x/a", and of "a".
std::string_view BaseName(std::string_view path);

}  // namespace luna::inspect
