// How a DatabaseCore follows its manifest, which another process writes.
#include <algorithm>
#include <utility>

#include "base/try.h"
#include "engine/universe/database_core.h"

namespace luna::universe {

Status DatabaseCore::CatchUp() {
  TRY(metadata_.manifest->CatchUp());
  metadata_.manifest->Inspect([&](manifest::Position position) {
    if (position != named_) {
      FollowNames();
      named_ = position;
    }
  });
  return {};
}

// Under Inspect.
void DatabaseCore::FollowNames() {
  for (const auto& collection : Collections()) {
    const auto found = metadata_.state->collections().find(collection->id);
    if (found != metadata_.state->collections().end()) {
      collection->base->Rename(found->second.name);
      continue;
    }
    collection->dropped.store(true, std::memory_order_release);
    engine_.group->RemoveTablet(id_, collection->tablet->id());
    {
      base::MutexLock lock(mutex_);
      collections_.erase(collection->id);
    }
    collection->base->Drop();
  }
  for (const auto& [id, tablet] : metadata_.state->tablets()) {
    if (Collection(tablet.collection) != nullptr) {
      continue;
    }
    auto made = MakeCollection(metadata_.state->collections().at(tablet.collection), tablet,
                               metadata_.state->safe_point());
    engine_.group->AddTablet(made->tablet);
    base::MutexLock lock(mutex_);
    collections_[tablet.collection] = std::move(made);
  }
}

void DatabaseCore::ShowTables(journal::Sequence applied) {
  metadata_.manifest->Inspect([&](manifest::Position position) {
    if (position == shown_) {
      return;
    }
    for (const auto& collection : Collections()) {
      const catalog::TabletState& tablet = metadata_.state->tablets().at(collection->tablet->id());
      collection->base->Refresh();
      collection->tablet->Settle(tablet.flushed, tablet.ingested, applied);
    }
    shown_ = position;
  });
}

void DatabaseCore::Restart() {
  metadata_.manifest->Inspect([&](manifest::Position) {
    for (const auto& collection : Collections()) {
      const catalog::TabletState& tablet = metadata_.state->tablets().at(collection->tablet->id());
      // Readers take memtables first: who finds none finds these tables withheld.
      collection->base->Withhold();
      collection->tablet->Restart(tablet.flushed, tablet.ingested);
    }
    shown_ = 0;
  });
}

DatabaseCore::Marks DatabaseCore::ReadMarks(bool with_tables) {
  Marks marks;
  metadata_.manifest->Inspect([&](manifest::Position) {
    marks.safe = metadata_.state->safe_point();
    if (!with_tables) {
      return;
    }
    for (const auto& [id, collection] : metadata_.state->collections()) {
      for (int level = 0; level < levels::kLevels; ++level) {
        for (const levels::Row& row : collection.levels->level(level)) {
          marks.in_tables = std::max(marks.in_tables, row->max_timestamp);
        }
      }
    }
  });
  return marks;
}

}  // namespace luna::universe
