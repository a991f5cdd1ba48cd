// Which names streams may have: the same in every Journal, so that a universe can move.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "luna/status.h"

namespace luna::journal {

// kBadName.
Status CheckName(const std::string& name);

}  // namespace luna::journal
