#include "engine/catalog/universe_state.h"

#include "base/coding.h"
#include "base/try.h"

namespace luna::catalog {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr uint8_t kLedStateVersion = 2;  // somebody took the lead: begins with the leads

}  // namespace

DatabaseId UniverseState::Find(std::string_view name) const {
  for (const auto& [id, known] : databases_) {
    if (known == name) {
      return id;
    }
  }
  return 0;
}

Result<bool> UniverseState::Apply(manifest::Position position, std::string_view bytes) {
  return leads_.Judge(bytes, [&](const Edit& edit) { return Judge(position, edit); });
}

bool UniverseState::Judge(manifest::Position position, const Edit& edit) {
  if (const auto* create = std::get_if<CreateDatabase>(&edit)) {
    if (Find(create->name) != 0) {
      return false;
    }
    databases_[position] = create->name;
    return true;
  }
  if (const auto* drop = std::get_if<DropDatabase>(&edit)) {
    return databases_.erase(drop->database) > 0;
  }
  return false;  // edits of an ordinary database
}

std::string UniverseState::Save() const {
  std::string out(1, static_cast<char>(leads_.empty() ? kStateVersion : kLedStateVersion));
  if (!leads_.empty()) {
    leads_.Save(out);
  }
  base::PutVarint(out, databases_.size());
  for (const auto& [id, name] : databases_) {
    base::PutVarint(out, id);
    base::PutString(out, name);
  }
  return out;
}

Status UniverseState::Load(std::string_view saved) {
  base::ByteReader reader(saved);
  const uint8_t version = reader.Byte();
  if (reader.ok() && version != kStateVersion && version != kLedStateVersion) {
    return Error(Reason::kNewerFormat, "the saved list of databases has version " +
                                           std::to_string(version) +
                                           ", unknown to this build; open it with a newer one");
  }
  Leads leads;
  if (version == kLedStateVersion && !(leads.Load(reader) && !leads.empty())) {
    return Error(Reason::kBadFormat,
                 "the saved list of databases is damaged: who leads; "
                 "restore the universe from a backup");
  }
  std::map<DatabaseId, std::string> databases;
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const DatabaseId id = reader.Varint();
    if (reader.ok() && !databases.empty() && id <= databases.rbegin()->first) {
      return Error(Reason::kBadFormat, "the saved list of databases is damaged: database " +
                                           std::to_string(id) +
                                           " is out of order; restore the universe from a backup");
    }
    databases[id] = reader.String();
  }
  if (!reader.ok() || !reader.empty()) {
    return Error(Reason::kBadFormat,
                 "the saved list of databases is damaged: wrong length; "
                 "restore the universe from a backup");
  }
  leads_ = std::move(leads);
  databases_ = std::move(databases);
  return {};
}

}  // namespace luna::catalog
