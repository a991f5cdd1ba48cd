#include "engine/table/table_builder.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/try.h"
#include "base/writer.h"
#include "engine/table/block_builder.h"
#include "engine/table/row_facts.h"
#include "engine/table/stored_block.h"
#include "engine/table/tag_search.h"
#include "engine/table/tail.h"

namespace luna::table {
namespace {

constexpr size_t kAppendBytes = size_t{128}
                                << 10;  // blocks go to the object in pieces of this size

Status CheckSizes(const entry::Entry& entry) {
  if (entry.key.size() > entry::kMaxKeyBytes) {
    return Error(Reason::kKeyTooLarge, "key " + base::Printable(entry.key) + " has " +
                                           std::to_string(entry.key.size()) + " bytes, at most " +
                                           std::to_string(entry::kMaxKeyBytes) + " are possible");
  }
  if (entry.value.size() >= entry::kBlobBytes) {
    return Error(Reason::kValueTooLarge,
                 "value of key " + base::Printable(entry.key) + " has " +
                     std::to_string(entry.value.size()) + " bytes, at most " +
                     std::to_string(entry::kBlobBytes - 1) + " fit into a table; make it a blob");
  }
  return {};
}

}  // namespace

class TableBuilder::Writer {
 public:
  Writer(std::unique_ptr<storage::ObjectWriter> object_writer, std::string object, base::Id128 salt,
         const TableOptions& options)
      : object_writer_(std::move(object_writer)),
        object_(std::move(object)),
        salt_(salt),
        options_(options),
        compressor_(options.codec),
        filter_(options.filter_bits_per_key) {}

  Status Add(const entry::Entry& entry) {
    Status status = error_.has_value() ? Status(*error_) : AddChecked(entry);
    if (!status.ok()) {
      error_ = status.error();  // a table with a gap must not be finished
    }
    return status;
  }

  void AddRangeTombstone(const entry::RangeTombstone& tombstone) {
    if (!tombstone.range.empty()) {
      facts_.AddRangeTombstone(tombstone);
      tombstones_.push_back(tombstone);
    }
  }

  Result<TableRow> Finish() {
    if (error_.has_value()) {
      return *error_;
    }
    TRY(CutBlock());
    std::ranges::sort(tombstones_, {}, [](const entry::RangeTombstone& tombstone) {
      return std::tie(tombstone.range.begin, tombstone.range.end, tombstone.timestamp);
    });
    TableRow row = facts_.Finish();
    row.object = object_;
    row.salt = salt_;
    row.tail_offset = stored_bytes_;
    const std::string tail = EncodeTail(
        {.tombstones = std::move(tombstones_),
         .filter = &filter_,
         .index = &index_,
         .properties = {.creator = base::WriterName(), .options = options_, .row = row}});
    row.size = stored_bytes_ + tail.size();
    row.tail_checksum = SaltedChecksum(tail, salt_, row.tail_offset);
    pending_.append(tail);
    TRY(object_writer_->Append(pending_));
    TRY(object_writer_->Finish());
    object_writer_.reset();
    return row;
  }

  uint64_t size() const {
    return stored_bytes_ + block_.Estimate() + filter_.bytes() + index_.EstimatedBytes();
  }
  const RowFacts& facts() const { return facts_; }

 private:
  Status AddChecked(const entry::Entry& entry) {
    TRY(CheckSizes(entry));
    const bool first = facts_.entries() == 0;
    const bool same_key = !first && facts_.last_key() == entry.key;
    LUNA_ASSERT(first ||
                (same_key ? entry.timestamp < last_timestamp_ : facts_.last_key() < entry.key));
    if (!same_key) {
      last_hash_ = base::Hash(entry.key);
      filter_.Add(last_hash_);
    }
    if (block_.rows() != 0 && block_.EstimateWith(entry) > options_.block_bytes) {
      TRY(CutBlock());
    }
    if (block_.rows() == 0) {
      index_.Begin(stored_bytes_, entry.key, entry.timestamp, same_key);
    }
    index_.Count(entry);
    block_.Add(entry, TagOf(last_hash_), same_key);
    last_timestamp_ = entry.timestamp;
    return facts_.Add(entry);
  }

  Status CutBlock() {
    if (block_.rows() == 0) {
      return {};
    }
    block_.Finish(decoded_);
    LUNA_ASSERT(decoded_.size() <= kMaxBlockBytes);
    stored_bytes_ += compressor_.Put(pending_, decoded_, salt_, stored_bytes_);
    if (pending_.size() >= kAppendBytes) {
      TRY(object_writer_->Append(pending_));
      pending_.clear();
    }
    return {};
  }

  std::unique_ptr<storage::ObjectWriter> object_writer_;
  const std::string object_;
  const base::Id128 salt_;
  const TableOptions options_;
  BlockBuilder block_;
  BlockCompressor compressor_;
  FilterBuilder filter_;
  IndexBuilder index_;
  RowFacts facts_;
  std::vector<entry::RangeTombstone> tombstones_;
  std::string decoded_;
  std::string pending_;        // stored blocks not yet appended
  uint64_t stored_bytes_ = 0;  // of all blocks cut
  uint64_t last_hash_ = 0;
  Timestamp last_timestamp_ = 0;
  std::optional<Error> error_;
};

TableBuilder::TableBuilder(std::unique_ptr<storage::ObjectWriter> writer, std::string object,
                           base::Id128 salt, const TableOptions& options)
    : writer_(std::make_unique<Writer>(std::move(writer), std::move(object), salt, options)) {}

TableBuilder::~TableBuilder() = default;

Status TableBuilder::Add(const entry::Entry& entry) {
  return writer_->Add(entry);
}

void TableBuilder::AddRangeTombstone(const entry::RangeTombstone& tombstone) {
  writer_->AddRangeTombstone(tombstone);
}

uint64_t TableBuilder::size() const {
  return writer_->size();
}
uint64_t TableBuilder::entries() const {
  return writer_->facts().entries();
}
const std::string& TableBuilder::last_key() const {
  return writer_->facts().last_key();
}
Result<TableRow> TableBuilder::Finish() {
  return writer_->Finish();
}

}  // namespace luna::table
