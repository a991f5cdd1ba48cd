#include "base/writer.h"

namespace luna::base {

std::string WriterName(uint64_t writer) {
  const uint64_t major_version = writer >> 48;
  const uint64_t minor_version = writer >> 32 & 0xffff;
  const uint64_t patch_version = writer & 0xffff'ffff;
  return "luna " + std::to_string(major_version) + "." + std::to_string(minor_version) + "." +
         std::to_string(patch_version);
}

}  // namespace luna::base
