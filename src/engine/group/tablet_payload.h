// "<database>/<tablet>" and back: the payload of jobs about a tablet.
// Thread rule: functions are safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/catalog/edits.h"

namespace luna::group {

using catalog::DatabaseId;
using catalog::TabletId;

std::string TabletPayload(DatabaseId database, TabletId tablet);
std::optional<std::pair<DatabaseId, TabletId>> ParseTabletPayload(std::string_view payload);

}  // namespace luna::group
