// verify: what a universe says about itself: every checksum of a database, and the numbers of
// Stats.
// Thread rule: functions are safe.
#pragma once

#include <memory>
#include <vector>

#include "engine/universe/database_core.h"
#include "luna/universe.h"

namespace luna::universe {

// Reads every table and blob that the database refers to, while work goes on; damage goes into
// `report`.
void VerifyDatabase(DatabaseCore& database, VerifyReport& report);
Stats StatsOf(Engine& engine, const std::vector<std::shared_ptr<DatabaseCore>>& databases);

}  // namespace luna::universe
