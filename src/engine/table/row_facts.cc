#include "engine/table/row_facts.h"

#include <algorithm>

#include "base/text.h"
#include "base/try.h"

namespace luna::table {

void RowFacts::Cover(Timestamp timestamp) {
  row_.min_timestamp = empty_ ? timestamp : std::min(row_.min_timestamp, timestamp);
  row_.max_timestamp = std::max(row_.max_timestamp, timestamp);
  empty_ = false;
}

Status RowFacts::Add(const entry::Entry& entry) {
  if (entry.kind == entry::Kind::kBlob) {
    const Result<entry::BlobReference> reference = entry::DecodeBlobReference(entry.value);
    if (!reference.ok()) {
      return Error(Reason::kBadFormat, "entry of key " + base::Printable(entry.key) +
                                           " says it is a blob: " + reference.error().message());
    }
    if (blobs_.insert(reference->name).second) {
      row_.blob_bytes += reference->size;
    }
  }
  if (row_.entries == 0) {
    row_.smallest = entry.key;
  }
  last_key_ = entry.key;
  Cover(entry.timestamp);
  ++row_.entries;
  row_.deletions += static_cast<uint64_t>(entry.kind == entry::Kind::kDelete);
  row_.content_bytes += entry.key.size() + entry.value.size();
  if (entry.kind == entry::Kind::kDelete || entry.expiry_millis == 0) {
    never_expires_ = true;
  } else {
    row_.max_expiry_millis = std::max(row_.max_expiry_millis, entry.expiry_millis);
  }
  return {};
}

void RowFacts::AddRangeTombstone(const entry::RangeTombstone& tombstone) {
  const entry::KeyRange& range = tombstone.range;
  if (row_.range_tombstones == 0 || range.begin < tombstone_begin_) {
    tombstone_begin_ = range.begin;
  }
  ++row_.range_tombstones;
  row_.unbounded = row_.unbounded || range.end.empty();
  tombstone_end_ = std::max(tombstone_end_, range.end);
  Cover(tombstone.timestamp);
  never_expires_ = true;
}

TableRow RowFacts::Finish() const {
  TableRow row = row_;
  row.largest = last_key_;
  if (row.range_tombstones != 0) {
    row.smallest = row.entries == 0 ? tombstone_begin_ : std::min(row.smallest, tombstone_begin_);
    // The end of a tombstone is not covered itself, unless an entry has that very key.
    if (tombstone_end_ > row.largest || (row.entries == 0 && !row.unbounded)) {
      row.largest = tombstone_end_;
      row.largest_exclusive = true;
    }
  }
  if (never_expires_) {
    row.max_expiry_millis = 0;
  }
  row.blobs.assign(blobs_.begin(), blobs_.end());
  return row;
}

}  // namespace luna::table
