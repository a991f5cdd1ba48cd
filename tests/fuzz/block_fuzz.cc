// Fuzzes what a table takes from an object as a data block, after its checksum: stored blocks of
// any codec and decoded ones. Nothing may read outside its bytes, whatever they are; what is
// accepted must answer every question; a block in order must come back from a builder that gets
// its rows. The first byte chooses what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "engine/table/block_builder.h"
#include "engine/table/stored_block.h"
#include "engine/table/tag_search.h"

namespace {

using namespace luna;
using namespace luna::table;

constexpr base::Id128 kSalt{.high = 1, .low = 2};

struct Row {
  std::string key;
  entry::Entry entry;  // its key and value are views into key and the block
};

std::vector<Row> RowsOf(const Block& block) {
  std::vector<Row> rows(block.rows());
  std::string room(block.keys().copy_bytes(), '\0');
  block.keys().prefix().copy(room.data(), block.keys().prefix().size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t length = block.keys().CopyBehindPrefix(i, room.data());
    LUNA_ASSERT(length <= room.size());
    rows[i].key = room.substr(0, length);
    LUNA_ASSERT(rows[i].key == block.keys().Key(i));
    block.Fill(i, rows[i].entry);
    rows[i].entry.key = rows[i].key;
    LUNA_ASSERT(rows[i].entry.kind == block.kind(i));
    LUNA_ASSERT(rows[i].entry.timestamp == block.timestamp(i));
  }
  return rows;
}

void Ask(const Block& block, std::string_view key, Timestamp read) {
  const auto found = block.Find(key, base::Hash(key), read);
  LUNA_ASSERT(!found.has_value() || *found < block.rows());
  LUNA_ASSERT(block.LowerBound(key, read) <= block.rows());
  LUNA_ASSERT(block.UpperBound(key, read) <= block.rows());
}

// Are the rows what a builder may be given?
bool InOrder(const Block& block, const std::vector<Row>& rows) {
  for (size_t i = 1; i < rows.size(); ++i) {
    const entry::Entry& a = rows[i - 1].entry;
    const entry::Entry& b = rows[i].entry;
    if (entry::Compare(a.key, a.timestamp, b.key, b.timestamp) >= 0 ||
        block.keys().SameAsPrevious(i) != (a.key == b.key)) {
      return false;
    }
  }
  return true;
}

// The same rows laid out by a builder; every one must be found.
void Rebuild(const Block& block, const std::vector<Row>& rows) {
  BlockBuilder builder;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint8_t tag = TagOf(base::Hash(rows[i].key));
    builder.Add(rows[i].entry, tag, block.keys().SameAsPrevious(i));
  }
  std::string decoded;
  builder.Finish(decoded);
  if (decoded.size() > kMaxBlockBytes) {
    return;
  }
  std::string stored;
  BlockCompressor(Codec::kLz4).Put(stored, decoded, kSalt, 0);
  LUNA_ASSERT(StoredChecksumMatches(stored, kSalt, 0) && !StoredChecksumMatches(stored, kSalt, 8));
  const auto again = DecodeStored(PaddedBuffer(stored), "fuzz");
  LUNA_ASSERT(again.ok() && (*again)->rows() == rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    entry::Entry entry;
    (*again)->Fill(i, entry);
    LUNA_ASSERT((*again)->keys().Key(i) == row.key && entry.value == row.entry.value);
    LUNA_ASSERT(entry.timestamp == row.entry.timestamp && entry.kind == row.entry.kind);
    LUNA_ASSERT(entry.expiry_millis == row.entry.expiry_millis && entry.type == row.entry.type);
    LUNA_ASSERT((*again)->keys().SameAsPrevious(i) == block.keys().SameAsPrevious(i));
    LUNA_ASSERT((*again)->Find(row.key, base::Hash(row.key), entry.timestamp) == i);
    LUNA_ASSERT((*again)->LowerBound(row.key, entry.timestamp) == i);
    LUNA_ASSERT((*again)->UpperBound(row.key, entry.timestamp) == i + 1);
  }
}

void UseBlock(const Block& block, std::string_view probe) {
  LUNA_ASSERT(block.rows() != 0);
  const std::vector<Row> rows = RowsOf(block);
  uint64_t sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    sum += base::Hash(rows[i].entry.value) + block.tag(i);
  }
  Ask(block, rows[rows.size() / 2].key, rows.back().entry.timestamp);
  Ask(block, probe, sum);
  if (InOrder(block, rows)) {
    Rebuild(block, rows);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (bytes[0] % 2 == 0) {
    StoredChecksumMatches(rest, kSalt, 0);
    const auto block = DecodeStored(PaddedBuffer(rest), "fuzz");
    if (block.ok()) {
      UseBlock(**block, rest.substr(0, 20));
    }
  } else if (const auto block = Block::Parse(PaddedBuffer(rest), 0)) {
    UseBlock(*block, rest.substr(0, 20));
  }
  return 0;
}
