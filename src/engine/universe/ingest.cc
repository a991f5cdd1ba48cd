#include "engine/universe/ingest.h"

#include <optional>

#include "base/text.h"
#include "base/try.h"
#include "engine/blob/blob.h"
#include "engine/table/table_builder.h"
#include "engine/universe/names.h"

namespace luna::universe {

namespace {

// Stored with the tables; readers see the commit's timestamp instead
// (TableRow::assigned_timestamp).
constexpr Timestamp kPlaceholder = 1;

class SortedWriter {
 public:
  explicit SortedWriter(DatabaseCore& database) : database_(database), engine_(database.engine()) {}

  Status Add(std::string_view key, std::string_view value) {
    TRY(CheckKey(key));
    TRY(CheckValue(value));
    if (any_ && key <= last_key_) {
      return Error(Reason::kNotSorted, "key " + base::Printable(key) + " comes after " +
                                           base::Printable(last_key_) +
                                           "; ingested keys must ascend and be unique");
    }
    if (builder_ && builder_->size() >= engine_.sizes.table) {
      TRY(Cut());
    }
    if (!builder_) {
      TRY(Start());
    }
    entry::Entry entry{.key = key, .timestamp = kPlaceholder, .value = value};
    std::string reference;
    if (value.size() >= entry::kBlobBytes) {
      const auto stored = TRY(blob::Write(engine_.kernel->storage(), database_.bucket(),
                                          engine_.group->names().NextBlob(),
                                          engine_.group->names().NextSalt(), value));
      blobs_.push_back(stored.name);
      reference = entry::EncodeBlobReference(stored);
      entry.kind = entry::Kind::kBlob;
      entry.value = reference;
    }
    last_key_ = key;
    any_ = true;
    return builder_->Add(entry);
  }

  Result<std::vector<levels::Row>> Finish() {
    if (builder_) {
      TRY(Cut());
    }
    return rows_;
  }

  // Takes back everything written; what cannot be removed now is swept at the next open.
  void Undo() {
    builder_.reset();
    storage::Storage& storage = engine_.kernel->storage();
    for (const levels::Row& row : rows_) {
      (void)storage.Remove(database_.bucket(), row->object);
    }
    for (const std::string& blob : blobs_) {
      (void)blob::Remove(storage, database_.bucket(), blob);
    }
  }

 private:
  Status Start() {
    const std::string name = engine_.group->names().NextTable();
    auto writer = TRY(engine_.kernel->storage().Create(database_.bucket(), name));
    builder_.emplace(
        std::move(writer), name, engine_.group->names().NextSalt(),
        table::TableOptions{.block_bytes = engine_.options.block_bytes,
                            .filter_bits_per_key = engine_.options.filter_bits_per_key});
    return {};
  }
  Status Cut() {
    rows_.push_back(std::make_shared<const table::TableRow>(TRY(builder_->Finish())));
    builder_.reset();
    return {};
  }

  DatabaseCore& database_;
  Engine& engine_;
  std::optional<table::TableBuilder> builder_;
  std::vector<levels::Row> rows_;
  std::vector<std::string> blobs_;
  std::string last_key_;
  bool any_ = false;
};

}  // namespace

Result<std::vector<levels::Row>> WriteSorted(DatabaseCore& database, const IngestSource& next) {
  SortedWriter writer(database);
  std::string_view key;
  std::string_view value;
  while (next(key, value)) {
    if (const Status added = writer.Add(key, value); !added.ok()) {
      writer.Undo();
      return added.error();
    }
  }
  auto rows = writer.Finish();
  if (!rows.ok()) {
    writer.Undo();
  }
  return rows;
}

}  // namespace luna::universe
