#include "engine/universe/names.h"

#include <string>

#include "base/text.h"
#include "engine/entry/entry.h"

namespace luna::universe {

namespace {

constexpr size_t kMaxNameBytes = 255;

// How many bytes the UTF-8 sequence at the front has; 0 if it is none (overlong, surrogate, cut
// off).
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const size_t length = first >= 0xc2 && first < 0xe0   ? 2
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const uint8_t second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

}  // namespace

Status CheckName(std::string_view what, std::string_view name) {
  const auto bad = [&](const std::string& why) {
    return Error(Reason::kBadName,
                 "the name of a " + std::string(what) + ", '" + base::Printable(name) + "', " +
                     why + "; names are 1 to 255 bytes of UTF-8 without control characters");
  };
  if (name.empty()) {
    return bad("is empty");
  }
  if (name.size() > kMaxNameBytes) {
    return bad("has " + std::to_string(name.size()) + " bytes");
  }
  for (size_t at = 0; at < name.size();) {
    const size_t length = SequenceLength(name.substr(at));
    const uint8_t byte = static_cast<uint8_t>(name[at]);
    if (length == 0) {
      return bad("is not UTF-8 at byte " + std::to_string(at));
    }
    if (byte < 0x20 || byte == 0x7f) {
      return bad("has a control character at byte " + std::to_string(at));
    }
    at += length;
  }
  return {};
}

Status CheckKey(std::string_view key) {
  if (key.size() > entry::kMaxKeyBytes) {
    return Error(Reason::kKeyTooLarge, "a key has " + std::to_string(key.size()) + " bytes (" +
                                           base::Printable(key, 32) + "); at most 64 KiB fit");
  }
  return {};
}

Status CheckValue(std::string_view value) {
  if (value.size() > entry::kMaxValueBytes) {
    return Error(Reason::kValueTooLarge,
                 "a value has " + std::to_string(value.size()) + " bytes; at most 512 MiB fit");
  }
  return {};
}

}  // namespace luna::universe
