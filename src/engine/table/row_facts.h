// RowFacts: gathers what a TableRow says about the entries and range tombstones of a table. The
// builder and the verifier count with the same code on the two sides of the bytes.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "engine/table/table_row.h"

namespace luna::table {

class RowFacts {
 public:
  // In internal order. kBadFormat if a kBlob entry's value is no BlobReference.
  Status Add(const entry::Entry& entry);
  void AddRangeTombstone(const entry::RangeTombstone& tombstone);
  uint64_t entries() const { return row_.entries; }
  const std::string& last_key() const { return last_key_; }
  // A row with everything the contents decide: all but object, salt, size and tail.
  TableRow Finish() const;

 private:
  void Cover(Timestamp timestamp);

  TableRow row_;
  std::string last_key_;
  std::string tombstone_begin_;  // smallest
  std::string tombstone_end_;    // largest of the bounded
  bool never_expires_ = false;
  bool empty_ = true;
  std::set<std::string> blobs_;
};

}  // namespace luna::table
