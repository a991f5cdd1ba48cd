// names: which names databases and collections may have, and which keys and values fit.
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "luna/status.h"

namespace luna::universe {

// 1 to 255 bytes of UTF-8 without control characters; kBadName says what is wrong and where.
Status CheckName(std::string_view what, std::string_view name);
Status CheckKey(std::string_view key);      // kKeyTooLarge
Status CheckValue(std::string_view value);  // kValueTooLarge

}  // namespace luna::universe
