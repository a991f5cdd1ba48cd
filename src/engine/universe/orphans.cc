#include "engine/universe/orphans.h"

#include <optional>

#include "engine/basestore/object_names.h"
#include "engine/blob/blob.h"

namespace luna::universe {

bool IsOrphan(std::string_view object, const KnownObjects& known, const RemovalMutants& mutants) {
  const std::optional<basestore::Origin> origin = basestore::OriginOf(object);
  if (!origin.has_value()) {
    return false;
  }
  const std::string blob = blob::NameOfPart(object);
  if (known.used.contains(blob.empty() ? std::string(object) : blob)) {
    return false;
  }
  if (origin->epoch == 0) {
    return origin->job <= known.position &&
           (!known.jobs.contains(origin->job) || mutants.take_open_jobs);
  }
  return origin->group == known.leader.group &&
         (origin->epoch < known.leader.epoch || mutants.take_own_epoch);
}

std::vector<std::string> Sightings::Confirm(const std::set<std::string>& found, uint64_t now_nanos,
                                            uint64_t grace_nanos) {
  std::map<std::string, uint64_t> still;
  std::vector<std::string> confirmed;
  for (const std::string& name : found) {
    const auto before = first_nanos_.find(name);
    const uint64_t first = before == first_nanos_.end() ? now_nanos : before->second;
    still.emplace(name, first);
    if (before != first_nanos_.end() && now_nanos - first >= grace_nanos) {
      confirmed.push_back(name);
    }
  }
  first_nanos_ = std::move(still);
  return confirmed;
}

}  // namespace luna::universe
