#include "simulation/sim_kernel/sim_journal.h"

#include <set>
#include <utility>

#include "base/try.h"
#include "kernel/journal/names.h"
#include "simulation/sim_kernel/sim_stream.h"

namespace luna::sim_kernel {

namespace {

using journal::CheckName;
using Names = std::vector<std::string>;

std::string ObjectOf(const std::string& name) {
  return "stream/" + name;
}

enum class Linked : uint8_t { kDone, kMissing, kExists };

class SimJournal final : public journal::Journal {
 public:
  explicit SimJournal(std::shared_ptr<Endpoint> endpoint)
      : endpoint_(std::move(endpoint)), open_(std::make_shared<std::set<std::string>>()) {}

  Result<std::unique_ptr<journal::Stream>> Open(const std::string& name,
                                                const journal::StreamOptions& options) override;
  Result<std::unique_ptr<journal::StreamFollower>> Follow(const std::string& name) override;
  Result<bool> Exists(const std::string& name) override;
  Result<Names> List() override;
  Status Remove(const std::string& name) override;
  Status Link(const std::string& name, const std::string& directory) override;

 private:
  Status Claim(const std::string& name);
  // Of the stream of that name; 0 when there is none.
  Result<uint64_t> FindId(const std::string& name);
  Status RemoveClaimed(const std::string& name);
  Error Missing(const std::string& name) const {
    return Error(Reason::kStreamMissing,
                 endpoint_->Where(ObjectOf(name)) + ": there is no such stream");
  }

  const std::shared_ptr<Endpoint> endpoint_;
  const std::shared_ptr<std::set<std::string>> open_;  // outlives the journal while streams do
};

Status SimJournal::Claim(const std::string& name) {
  if (!open_->insert(name).second) {
    return Error(Reason::kStreamExists,
                 endpoint_->Where(ObjectOf(name)) + ": the stream is open; close it first");
  }
  return {};
}

Result<std::unique_ptr<journal::Stream>> SimJournal::Open(const std::string& name,
                                                          const journal::StreamOptions& options) {
  TRY(CheckName(name));
  if (!options.create && TRY(FindId(name)) == 0) {
    return Missing(name);
  }
  TRY(Claim(name));
  return SimStream::Open(endpoint_, name, options, [open = open_, name] { open->erase(name); });
}

Result<std::unique_ptr<journal::StreamFollower>> SimJournal::Follow(const std::string& name) {
  TRY(CheckName(name));
  return std::unique_ptr<journal::StreamFollower>(std::make_unique<SimFollower>(endpoint_, name));
}

Result<uint64_t> SimJournal::FindId(const std::string& name) {
  return endpoint_->Ask<uint64_t>(ObjectOf(name), Access::kRead,
                                  [name](Space& space, const Arrival&) -> uint64_t {
                                    const auto found = space.streams.find(name);
                                    return found == space.streams.end() ? 0 : found->second.id();
                                  });
}

Result<bool> SimJournal::Exists(const std::string& name) {
  TRY(CheckName(name));
  return TRY(FindId(name)) != 0;
}

Result<Names> SimJournal::List() {
  return endpoint_->Ask<Names>("streams", Access::kRead, [](Space& space, const Arrival&) {
    Names names;
    for (const auto& [name, stream] : space.streams) {
      names.push_back(name);
    }
    return names;
  });
}

Status SimJournal::Remove(const std::string& name) {
  TRY(CheckName(name));
  TRY(Claim(name));
  const Status removed = RemoveClaimed(name);
  open_->erase(name);
  return removed;
}

// By its id: a request that comes late does not remove the next stream of that name.
Status SimJournal::RemoveClaimed(const std::string& name) {
  const uint64_t id = TRY(FindId(name));
  if (id == 0) {
    return Missing(name);
  }
  TRY(endpoint_->Ask<bool>(
      ObjectOf(name), Access::kWrite, [name, id](Space& space, const Arrival&) {
        return space.FindStream(name, id) != nullptr && space.streams.erase(name) > 0;
      }));
  return {};
}

Status SimJournal::Link(const std::string& name, const std::string& directory) {
  TRY(CheckName(name));
  const std::shared_ptr<Endpoint> target = TRY(endpoint_->At(directory));
  const Linked linked = TRY(endpoint_->Ask<Linked>(
      ObjectOf(name), Access::kWrite,
      [&to = target->space(), name, id = endpoint_->store().NewId()](Space& space, const Arrival&) {
        if (to.FindStream(name, id) != nullptr) {
          return Linked::kDone;  // by an earlier try
        }
        const auto found = space.streams.find(name);
        if (found == space.streams.end()) {
          return Linked::kMissing;
        }
        const bool made = to.streams.emplace(name, found->second.CopyAs(id)).second;
        return made ? Linked::kDone : Linked::kExists;
      }));
  if (linked == Linked::kMissing) {
    return Missing(name);
  }
  if (linked == Linked::kExists) {
    return Error(Reason::kStreamExists,
                 target->Where(ObjectOf(name)) + ": the stream is there already");
  }
  return {};
}

}  // namespace

std::unique_ptr<journal::Journal> NewSimJournal(std::shared_ptr<Endpoint> endpoint) {
  return std::make_unique<SimJournal>(std::move(endpoint));
}

}  // namespace luna::sim_kernel
