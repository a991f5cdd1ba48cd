// How a LocalUniverse follows one that another process leads.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/try.h"
#include "engine/universe/local_universe.h"

namespace luna::universe {

Result<std::unique_ptr<LocalUniverse>> LocalUniverse::OpenFollowed(
    const Options& options, const Components& components, std::unique_ptr<kernel::Kernel> kernel,
    Following& following) {
  Options located = options;
  located.location = kernel->location();
  TRY(located.Validate());
  Components given = components;
  given.runtime = &kernel->runtime();
  std::unique_ptr<LocalUniverse> universe(new LocalUniverse(located, given, nullptr));
  Engine& engine = universe->engine_;
  engine.kernel = std::move(kernel);
  engine.following = &following;
  const group::GroupContext context{.kernel = engine.kernel.get(),
                                    .budget = &engine.budget,
                                    .memtable_bytes_total = engine.sizes.memtables_total,
                                    .listener = given.listener.get()};
  auto group = std::make_unique<group::FollowingGroup>(
      context, [&following] { return following.Refusal(); });
  universe->following_group_ = group.get();
  engine.group = std::move(group);
  TRY(universe->following_group_->Look());
  TRY(universe->OpenSystemManifest(false));
  TRY(universe->FollowNames());
  return universe;
}

Status LocalUniverse::CatchUp() {
  TRY(system_.manifest->CatchUp());
  TRY(FollowNames());
  for (const auto& database : Cores()) {
    TRY(database->CatchUp());
  }
  return {};
}

Status LocalUniverse::FollowNames() {
  std::map<catalog::DatabaseId, std::string> known;
  system_.manifest->Inspect([&](manifest::Position) { known = system_.state->databases(); });
  std::set<catalog::DatabaseId> open;
  for (const auto& database : Cores()) {
    open.insert(database->id());
    if (!known.contains(database->id())) {
      Forget(database);
    }
  }
  for (const auto& [id, name] : known) {
    if (open.contains(id)) {
      continue;
    }
    auto core = DatabaseCore::Open(engine_, id, name);
    if (!core.ok()) {
      if (core.error().reason() == Reason::kStreamMissing) {
        continue;  // in the making, or going: nothing was committed to it
      }
      return core.error();
    }
    base::MutexLock lock(mutex_);
    databases_[id] = *core;
  }
  return {};
}

void LocalUniverse::Forget(const std::shared_ptr<DatabaseCore>& database) {
  database->MarkDropped();
  engine_.group->RemoveDatabase(database->id());
  {
    base::MutexLock lock(mutex_);
    databases_.erase(database->id());
  }
  for (const auto& collection : database->Collections()) {
    collection->base->Drop();
  }
}

void LocalUniverse::ShowCommits(const Marks& marks) {
  for (const auto& database : Cores()) {
    const auto found = marks.find(database->id());
    following_group_->Show(database->id(), found == marks.end() ? 0 : found->second);
  }
}

void LocalUniverse::ShowTables() {
  for (const auto& database : Cores()) {
    following_group_->RaiseFloor(database->id(), database->ReadMarks(false).safe);
    database->ShowTables(following_group_->applied());
  }
}

void LocalUniverse::Restart() {
  for (const auto& database : Cores()) {
    database->Restart();
  }
}

LocalUniverse::Marks LocalUniverse::ReadMarks(bool with_tables) {
  Marks marks;
  for (const auto& database : Cores()) {
    const DatabaseCore::Marks own = database->ReadMarks(with_tables);
    marks[database->id()] = std::max(own.safe, own.in_tables);
  }
  return marks;
}

Result<std::unique_ptr<Inheritance>> LocalUniverse::Leave() {
  auto left = std::make_unique<Inheritance>();
  left->memory = engine_.memory;
  left->sizes = engine_.sizes;
  left->storage = &engine_.kernel->storage();
  for (const auto& database : Cores()) {
    for (const auto& collection : database->Collections()) {
      const auto view = collection->base->view();
      for (int level = 0; level < levels::kLevels; ++level) {
        for (const auto& table : view->tables(level)) {
          left->tables[table->row().object] = table;
        }
      }
    }
  }
  left->group = TRY(following_group_->Share());
  if (auto reader = following_group_->LeaveReader(); reader != nullptr) {
    left->group.reader =
        std::make_unique<journal::ReadAhead>(std::move(reader), left->group.applied);
  }
  left->metadata.system = std::move(system_);
  for (const auto& database : Cores()) {
    left->metadata.databases[database->id()] = database->LeaveMetadata();
  }
  return left;
}

}  // namespace luna::universe
