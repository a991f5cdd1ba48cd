// Which names buckets and objects may have: the same in every Storage, so that a universe can move.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::storage {

// How the names of what local files do not show yet end; no object's name does.
inline constexpr std::string_view kNewSuffix = ".new";

// kBadName, which says `what` ("bucket", "object") it is that has no such name.
Status CheckName(std::string_view what, const std::string& name);
Status CheckNames(const std::string& bucket, const std::string& object);

}  // namespace luna::storage
