#include "engine/group/tablet_payload.h"

#include <charconv>

namespace luna::group {

std::string TabletPayload(DatabaseId database, TabletId tablet) {
  return std::to_string(database) + "/" + std::to_string(tablet);
}

std::optional<std::pair<DatabaseId, TabletId>> ParseTabletPayload(std::string_view payload) {
  const size_t slash = payload.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  std::pair<DatabaseId, TabletId> ids;
  const char* const middle = payload.data() + slash;
  const char* const end = payload.data() + payload.size();
  const auto database = std::from_chars(payload.data(), middle, ids.first);
  const auto tablet = std::from_chars(middle + 1, end, ids.second);
  if (database.ec != std::errc() || database.ptr != middle || tablet.ec != std::errc() ||
      tablet.ptr != end) {
    return std::nullopt;
  }
  return ids;
}

}  // namespace luna::group
