// writer: the name of the build that writes. Tables, blob parts and backups carry it, for whoever
// looks for what a faulty build left behind; no reader decides anything by it.
// Thread rule: a constant and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace luna::base {

// A build as one number, in the order of versions: major (16 bits), minor (16), patch (32).
constexpr uint64_t WriterNumber(uint16_t major_version, uint16_t minor_version,
                                uint32_t patch_version) {
  return uint64_t{major_version} << 48 | uint64_t{minor_version} << 32 | patch_version;
}

// This build, as a number and as text: the version of the project in CMakeLists.txt, which refuses
// another one.
inline constexpr uint64_t kWriter = WriterNumber(0, 2, 0);
inline constexpr std::string_view kVersion = "0.2.0";

// "luna 0.2.0".
std::string WriterName(uint64_t writer = kWriter);

}  // namespace luna::base
