#include "service/command/access.h"

#include <utility>

#include "base/assert.h"
#include "base/try.h"

namespace luna::command {

void Access::StayInMemory() {
  LUNA_ASSERT(transaction_ == nullptr);
  memory_only_ = true;
}

Access Access::At(Snapshot& snapshot) const {
  Access same(snapshot);
  same.memory_only_ = memory_only_;
  return same;
}

ReadOptions Access::options() const {
  ReadOptions options{.memory_only = memory_only_};
  if (snapshot_ != nullptr) {
    options.at = snapshot_->timestamp();
  }
  return options;
}

Status Access::Hold(Database& database) {
  if (transaction_ == nullptr && snapshot_ == nullptr) {
    own_ = TRY(database.GetSnapshot());
    snapshot_ = own_.get();
  }
  return {};
}

Result<std::optional<PinnedValue>> Access::Find(Collection& collection, std::string_view key) {
  const bool foreseen = foreseen_ != nullptr && snapshot_ == nullptr && foreseen_->key == key &&
                        foreseen_->collection == collection.id();
  if (foreseen) {
    return std::move(std::exchange(foreseen_, nullptr)->value);
  }
  return collection.GetPinned(key, options());
}

Result<std::vector<std::optional<std::string>>> Access::FindAll(
    Collection& collection, std::span<const std::string_view> keys) {
  if (transaction_ == nullptr) {
    return collection.MultiGet(keys, options());
  }
  std::vector<std::optional<std::string>> values;
  values.reserve(keys.size());
  for (const std::string_view key : keys) {
    values.push_back(TRY(transaction_->Get(collection, key)));
  }
  return values;
}

Result<std::optional<Value>> Access::Get(Collection& collection, std::string_view key) {
  std::optional<Value> value;
  if (transaction_ != nullptr) {
    value = TRY(transaction_->GetValue(collection, key));
  } else if (const auto found = TRY(Find(collection, key)); found) {
    value = Value{.bytes = std::string(found->bytes),
                  .timestamp = found->timestamp,
                  .type = found->type,
                  .expiry_millis = found->expiry_millis};
  }
  Count(value.has_value());
  return value;
}

Result<std::optional<PinnedValue>> Access::GetPinned(Collection& collection, std::string_view key) {
  std::optional<PinnedValue> pinned;
  if (transaction_ == nullptr) {
    pinned = TRY(Find(collection, key));
  } else if (auto found = TRY(transaction_->GetValue(collection, key)); found) {
    const auto value = std::make_shared<const Value>(std::move(*found));
    pinned = PinnedValue{.bytes = value->bytes,
                         .timestamp = value->timestamp,
                         .type = value->type,
                         .expiry_millis = value->expiry_millis,
                         .pin = value};
  }
  Count(pinned.has_value());
  return pinned;
}

Result<std::vector<std::optional<std::string>>> Access::MultiGet(
    Collection& collection, std::span<const std::string_view> keys) {
  auto found = FindAll(collection, keys);
  if (found.ok()) {
    for (const auto& value : *found) {
      Count(value.has_value());
    }
  }
  return found;
}

Result<std::unique_ptr<Iterator>> Access::Scan(Collection& collection, const ScanOptions& options) {
  if (memory_only_) {
    return Error(Reason::kNotInMemory, "scans read from storage");
  }
  if (transaction_ != nullptr) {
    return transaction_->Scan(collection, options);
  }
  return snapshot_ != nullptr ? snapshot_->Scan(collection, options) : collection.Scan(options);
}

Status Access::Counted(Status written) {
  writes_ += written.ok() ? 1 : 0;
  return written;
}

Status Access::Put(Collection& collection, std::string_view key, std::string_view value,
                   Expiry expiry, uint8_t type) {
  LUNA_ASSERT(transaction_ != nullptr);
  return Counted(transaction_->Put(collection, key, value, expiry, type));
}

Status Access::Delete(Collection& collection, std::string_view key) {
  LUNA_ASSERT(transaction_ != nullptr);
  return Counted(transaction_->Delete(collection, key));
}

Status Access::DeleteRange(Collection& collection, std::string_view begin, std::string_view end) {
  LUNA_ASSERT(transaction_ != nullptr);
  return Counted(transaction_->DeleteRange(collection, begin, end));
}

}  // namespace luna::command
