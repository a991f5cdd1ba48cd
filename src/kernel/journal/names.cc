#include "kernel/journal/names.h"

#include <string_view>

namespace luna::journal {

Status CheckName(const std::string& name) {
  constexpr size_t kMaxBytes = 200;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  if (name.empty() || name.size() > kMaxBytes ||
      name.find_first_not_of(kLetters) != std::string::npos ||
      name.find_first_not_of('.') == std::string::npos) {
    return Error(Reason::kBadName, "stream name \"" + name +
                                       "\": use 1 to 200 lower-case letters, digits, dots and "
                                       "dashes, not dots alone");
  }
  return {};
}

}  // namespace luna::journal
