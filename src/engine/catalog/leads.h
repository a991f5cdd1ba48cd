// Leads: which epoch of each group writes a manifest, part of its state. Empty as long as nobody
// ever took the lead: then every edit counts. Afterwards an edit counts only as Led by the epoch of
// the last TakeLead, so that what a deposed leader still sends changes nothing.
// Saved: a varint count, then group and epoch of each, ascending groups.
// Thread rule: guarded by the caller, as the state it belongs to.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/coding.h"
#include "engine/catalog/edits.h"

namespace luna::catalog {

struct Leader {
  uint64_t group = kFirstGroup;
  uint64_t epoch = 0;
};

class Leads {
 public:
  // The verdict on an encoded edit; `judge` is asked about what its writer may write, and is never
  // given TakeLead or Led. Errors: those of Decode.
  Result<bool> Judge(std::string_view edit, const std::function<bool(const Edit&)>& judge);

  bool empty() const { return epochs_.empty(); }
  uint64_t EpochOf(uint64_t group) const;  // 0: nobody took the lead
  bool Hold(const Leader& leader) const {
    return leader.epoch != 0 && EpochOf(leader.group) == leader.epoch;
  }

  void Save(std::string& out) const;
  // False: damaged. What is too short shows in the reader.
  bool Load(base::ByteReader& reader);

 private:
  std::map<uint64_t, uint64_t> epochs_;
};

}  // namespace luna::catalog
