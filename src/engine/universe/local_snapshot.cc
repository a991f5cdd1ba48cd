#include "engine/universe/local_snapshot.h"

#include "base/try.h"
#include "engine/universe/local_collection.h"
#include "engine/universe/names.h"
#include "engine/universe/scan_iterator.h"
#include "engine/universe/values.h"

namespace luna::universe {

Result<std::optional<std::string>> LocalSnapshot::Get(Collection& collection,
                                                      std::string_view key) {
  TRY(database_->CheckUsable());
  const auto core = TRY(CoreOf(*database_, collection));
  TRY(CheckKey(key));
  database_->engine().reads.Add();
  const auto value = TRY(ReadValue(*database_, *core, key, {.timestamp = timestamp()}));
  return value ? std::optional<std::string>(value->bytes) : std::nullopt;
}

Result<std::vector<std::optional<std::string>>> LocalSnapshot::MultiGet(
    Collection& collection, std::span<const std::string_view> keys) {
  std::vector<std::optional<std::string>> answers;
  answers.reserve(keys.size());
  for (std::string_view key : keys) {
    answers.push_back(TRY(Get(collection, key)));
  }
  return answers;
}

Result<std::unique_ptr<Iterator>> LocalSnapshot::Scan(Collection& collection,
                                                      const ScanOptions& options) {
  TRY(database_->CheckUsable());
  const auto core = TRY(CoreOf(*database_, collection));
  if (options.at && *options.at != timestamp()) {
    return Error(Reason::kBadOption, "a snapshot shows its own time; leave `at` empty");
  }
  // Registered again: the iterator may outlive the snapshot.
  auto held = TRY(RegisteredRead::At(database_->engine(), database_->id(), timestamp()));
  auto source = TRY(core->tablet->NewIterator(RangeOf(options), timestamp()));
  if (core->dropped.load(std::memory_order_acquire)) {
    return Dropped(*core);  // meanwhile: the iterator may lack what went with it
  }
  return std::unique_ptr<Iterator>(std::make_unique<ScanIterator<entry::VisibleIterator>>(
      database_, std::move(source), options, std::optional<RegisteredRead>(std::move(held)),
      nullptr));
}

}  // namespace luna::universe
