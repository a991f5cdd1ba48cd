// Who may not lead a LocalGroup's group. Any server may join it by starting; one that was removed
// stays out until it is readmitted.
#include <algorithm>

#include "base/text.h"
#include "engine/group/local_group.h"

namespace luna::group {

Status LocalGroup::Remove(const std::string& server) {
  if (server == member_) {
    return Error(Reason::kBadOption,
                 base::Printable(server) +
                     " leads the group; give the lead to another server first, then remove it");
  }
  if (state_.removed().size() >= kMaxRemoved) {
    return Error(Reason::kBadOption,
                 std::to_string(kMaxRemoved) +
                     " servers were removed from the group already; readmit some that are gone");
  }
  return Configure([&](std::vector<std::string>& removed) {
    const auto place = std::ranges::lower_bound(removed, server);
    if (place == removed.end() || *place != server) {
      removed.insert(place, server);
    }
  });
}

Status LocalGroup::Readmit(const std::string& server) {
  return Configure([&](std::vector<std::string>& removed) { std::erase(removed, server); });
}

Status LocalGroup::Configure(const std::function<void(std::vector<std::string>&)>& change) {
  return pipeline_->Exclusive([&]() -> Status {
    std::vector<std::string> removed = state_.removed();
    change(removed);
    if (removed == state_.removed()) {
      return {};
    }
    const Decoded config{.envelope = {.epoch = epoch_, .closed = 0, .database = 0},
                         .body = Config{std::move(removed)}};
    return pipeline_->Append(std::span(&config, 1), Durability::kDevice);
  });
}

void LocalGroup::AddConfig(std::vector<Decoded>& records) const {
  if (Config config{state_.removed()}; !config.removed.empty()) {
    records.push_back(
        {.envelope = {.epoch = epoch_, .closed = 0, .database = 0}, .body = std::move(config)});
  }
}

Status LocalGroup::CheckMember() const {
  if (std::ranges::binary_search(state_.removed(), member_)) {
    return Error(Reason::kFenced, base::Printable(member_) +
                                      " was removed from the group and may not lead; stop it, or "
                                      "readmit it with GROUP ADD");
  }
  return {};
}

}  // namespace luna::group
