#include "engine/universe/metadata_opener.h"

#include <utility>

#include "base/try.h"
#include "engine/universe/database_core.h"

namespace luna::universe {

MetadataOpener::~MetadataOpener() {
  for (const auto& thread : threads_) {
    thread->Join();
  }
}

void MetadataOpener::Begin(catalog::DatabaseId database,
                           Metadata<catalog::DatabaseState> inherited) {
  if (openings_.contains(database)) {
    return;
  }
  auto opening = std::make_unique<Opening>();
  opening->database = database;
  opening->metadata = std::move(inherited);
  opening->done = engine_.runtime.NewEvent();
  bool more = false;
  {
    base::MutexLock lock(mutex_);
    waiting_.push_back(opening.get());
    more = working_ < kThreads;
    working_ += more ? 1 : 0;
  }
  openings_[database] = std::move(opening);
  if (more) {
    threads_.push_back(engine_.runtime.Spawn("open-manifest", runtime::ThreadClass::kForeground,
                                             [this] { Run(); }));
  }
}

void MetadataOpener::Run() {
  while (true) {
    Opening* opening = nullptr;
    {
      base::MutexLock lock(mutex_);
      if (waiting_.empty()) {
        --working_;
        return;
      }
      opening = waiting_.front();
      waiting_.pop_front();
    }
    opening->opened =
        engine_.OpenMetadata(ManifestName(opening->database),
                             basestore::BucketName(opening->database), opening->metadata);
    opening->done->Set();
  }
}

Result<Metadata<catalog::DatabaseState>> MetadataOpener::Take(catalog::DatabaseId database) {
  Opening& opening = *openings_.at(database);
  opening.done->Wait();
  TRY(opening.opened);
  return std::move(opening.metadata);
}

}  // namespace luna::universe
