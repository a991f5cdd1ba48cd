// Retention: which versions somebody may still read.
// A version is needed if it is newer than `safe`, or the newest ≤ `safe`, or the newest ≤ one of
// the snapshots. Everything else may go.
// Thread rule: plain value.
#pragma once

#include <algorithm>
#include <vector>

#include "luna/options.h"

namespace luna::compaction {

struct Retention {
  Timestamp safe = 0;  // every future reader that is not in `snapshots` reads at ≥ this
  std::vector<Timestamp> snapshots;  // open ones below `safe`, ascending

  // No reader reads below this.
  Timestamp oldest() const { return snapshots.empty() ? safe : std::min(safe, snapshots.front()); }
  // The smallest timestamp ≥ `timestamp` somebody may read at. Of what lies at or below it, and
  // above the one before it (a stripe), only the newest can be seen.
  Timestamp FirstReader(Timestamp timestamp) const {
    if (timestamp >= safe) {
      return timestamp;
    }
    const auto reader = std::lower_bound(snapshots.begin(), snapshots.end(), timestamp);
    return reader == snapshots.end() ? safe : std::min(safe, *reader);
  }
};

}  // namespace luna::compaction
