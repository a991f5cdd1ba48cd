#include "engine/catalog/leads.h"

#include "base/try.h"

namespace luna::catalog {

uint64_t Leads::EpochOf(uint64_t group) const {
  const auto found = epochs_.find(group);
  return found == epochs_.end() ? 0 : found->second;
}

Result<bool> Leads::Judge(std::string_view bytes, const std::function<bool(const Edit&)>& judge) {
  const Edit edit = TRY(Decode(bytes));
  if (const auto* take = std::get_if<TakeLead>(&edit)) {
    if (take->epoch <= EpochOf(take->group)) {
      return false;
    }
    epochs_[take->group] = take->epoch;
    return true;
  }
  if (const auto* led = std::get_if<Led>(&edit)) {
    if (!Hold({.group = led->group, .epoch = led->epoch})) {
      return false;
    }
    return judge(TRY(Decode(led->edit)));
  }
  return empty() && judge(edit);
}

void Leads::Save(std::string& out) const {
  base::PutVarint(out, epochs_.size());
  for (const auto& [group, epoch] : epochs_) {
    base::PutVarint(out, group);
    base::PutVarint(out, epoch);
  }
}

bool Leads::Load(base::ByteReader& reader) {
  epochs_.clear();
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t group = reader.Varint();
    const uint64_t epoch = reader.Varint();
    const bool follows = epochs_.empty() || epochs_.rbegin()->first < group;
    if (reader.ok() && (epoch == 0 || !follows)) {
      return false;
    }
    epochs_[group] = epoch;
  }
  return true;
}

}  // namespace luna::catalog
