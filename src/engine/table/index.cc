#include "engine/table/index.h"

#include <algorithm>

#include "engine/table/stored_block.h"

namespace luna::table {

bool Index::Parse(base::ByteReader& reader, uint64_t data_bytes) {
  data_bytes_ = data_bytes;
  if (!keys_.Parse(reader) || !offsets_.Parse(reader, blocks()) ||
      !first_timestamps_.Parse(reader, blocks()) || !max_timestamps_.Parse(reader, blocks()) ||
      !rows_.Parse(reader, blocks()) || !deletions_.Parse(reader, blocks()) || !reader.empty()) {
    return false;
  }
  if (blocks() == 0) {
    return data_bytes == 0;
  }
  for (size_t block = 0; block < blocks(); ++block) {
    const uint64_t end = block + 1 == blocks() ? data_bytes : offsets_[block + 1];
    if (offsets_[block] >= end || end > data_bytes || end - offsets_[block] > kMaxStoredBytes) {
      return false;
    }
  }
  return offsets_[0] == 0;
}

Index::Place Index::Find(std::string_view key, Timestamp timestamp) const {
  const auto [begin, end] = keys_.Find(key);
  // Of the blocks that begin with `key`, those with newer versions come first.
  size_t after = begin;
  for (size_t left = end - begin; left > 0;) {
    const size_t half = left / 2;
    if (first_timestamps_[after + half] >= timestamp) {
      after += half + 1;
      left -= half + 1;
    } else {
      left = half;
    }
  }
  return {.after = after, .after_has_key = after < end};
}

void IndexBuilder::Begin(uint64_t offset, std::string_view key, Timestamp timestamp,
                         bool continues) {
  keys_.append(key);
  blocks_.push_back(BlockFacts{.offset = offset,
                               .key_end = keys_.size(),
                               .first_timestamp = timestamp,
                               .max_timestamp = timestamp,
                               .rows = 0,
                               .deletions = 0,
                               .continues = continues});
}

void IndexBuilder::Count(const entry::Entry& entry) {
  BlockFacts& block = blocks_.back();
  ++block.rows;
  block.deletions += static_cast<uint64_t>(entry.kind == entry::Kind::kDelete);
  block.max_timestamp = std::max(block.max_timestamp, entry.timestamp);
}

void IndexBuilder::Finish(std::string& out) const {
  std::vector<std::string_view> keys;
  std::string continues((blocks_.size() + 7) / 8, '\0');
  for (size_t block = 0; block < blocks_.size(); ++block) {
    const size_t begin = block == 0 ? 0 : blocks_[block - 1].key_end;
    keys.push_back(std::string_view(keys_).substr(begin, blocks_[block].key_end - begin));
    continues[block / 8] = static_cast<char>(static_cast<uint8_t>(continues[block / 8]) |
                                             uint32_t{blocks_[block].continues} << (block % 8));
  }
  PutRowKeys(out, keys, continues);
  const size_t count = blocks_.size();
  PutPackedColumn(out, count, [this](size_t block) { return blocks_[block].offset; });
  PutPackedColumn(out, count, [this](size_t block) { return blocks_[block].first_timestamp; });
  PutPackedColumn(out, count, [this](size_t block) { return blocks_[block].max_timestamp; });
  PutPackedColumn(out, count, [this](size_t block) { return blocks_[block].rows; });
  PutPackedColumn(out, count, [this](size_t block) { return blocks_[block].deletions; });
}

}  // namespace luna::table
