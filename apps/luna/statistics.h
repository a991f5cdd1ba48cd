// Statistics as a table for people.
// Thread rule: pure function.
#pragma once

#include <string>

#include "luna/universe.h"

namespace luna::cli {

std::string DescribeStats(const Stats& stats);

}  // namespace luna::cli
