#include <utility>

#include "base/text.h"
#include "engine/blob/blob.h"
#include "engine/universe/local_collection.h"
#include "engine/universe/names.h"
#include "engine/universe/write_batch_state.h"

namespace luna {

namespace {

// The set to write to, or null after an error: the first error is the one that is told.
transaction::WriteSet* Begin(WriteBatch::State& state, Collection& collection, uint64_t* tablet) {
  if (state.error) {
    return nullptr;
  }
  auto& local = static_cast<universe::LocalCollection&>(collection);
  if (state.database == nullptr) {
    state.database = &local.database();
    state.writes.emplace(&state.database->engine().budget);
  }
  const auto core = universe::CoreOf(*state.database, collection);
  if (!core.ok()) {
    state.error = core.error();
    return nullptr;
  }
  *tablet = (*core)->qualified;
  return &*state.writes;
}

void Note(WriteBatch::State& state, const Status& status) {
  if (!status.ok()) {
    state.error = status.error();
    return;
  }
  ++state.count;
}

}  // namespace

WriteBatch::State::~State() {
  for (const std::string& blob : blobs) {
    (void)blob::Remove(database->engine().kernel->storage(), database->bucket(), blob);
  }
}

WriteBatch::WriteBatch() : state_(std::make_unique<State>()) {}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;

void WriteBatch::Put(Collection& collection, std::string_view key, std::string_view value,
                     Expiry expiry, uint8_t type) {
  uint64_t tablet = 0;
  if (auto* writes = Begin(*state_, collection, &tablet); writes != nullptr) {
    std::string blob;
    Note(*state_, universe::AddPut(*state_->database, *writes, tablet, key, value, expiry,
                                   type, &blob));
    if (!blob.empty()) {
      state_->blobs.push_back(std::move(blob));
    }
  }
}

void WriteBatch::Delete(Collection& collection, std::string_view key) {
  uint64_t tablet = 0;
  if (auto* writes = Begin(*state_, collection, &tablet); writes != nullptr) {
    const Status fits = universe::CheckKey(key);
    Note(*state_, fits.ok() ? writes->Delete(tablet, key) : fits);
  }
}

void WriteBatch::DeleteRange(Collection& collection, std::string_view begin, std::string_view end) {
  uint64_t tablet = 0;
  if (auto* writes = Begin(*state_, collection, &tablet); writes != nullptr) {
    const entry::KeyRange range{.begin = std::string(begin), .end = std::string(end)};
    if (range.empty()) {
      state_->error = Error(Reason::kBadRange, "the range " + base::Printable(begin) + " to " +
                                                   base::Printable(end) + " is empty");
      return;
    }
    Note(*state_, writes->DeleteRange(tablet, range));
  }
}

void WriteBatch::Clear() {
  state_ = std::make_unique<State>();
}
size_t WriteBatch::count() const {
  return state_->count;
}
size_t WriteBatch::bytes() const {
  return state_->writes ? state_->writes->bytes() : 0;
}

}  // namespace luna
