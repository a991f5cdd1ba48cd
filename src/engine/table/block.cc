#include "engine/table/block.h"

#include <algorithm>

#include "base/prefetch.h"
#include "engine/table/tag_search.h"

namespace luna::table {

std::shared_ptr<const Block> Block::Parse(PaddedBuffer buffer, size_t offset) {
  auto block = std::make_shared<Block>(std::move(buffer));
  if (!block->ParseColumns(block->buffer_.view().substr(offset))) {
    return nullptr;
  }
  return block;
}

bool Block::ParseColumns(std::string_view bytes) {
  base::ByteReader reader(bytes);
  if (bytes.size() > kMaxBlockBytes || !keys_.Parse(reader) || rows() == 0) {
    return false;
  }
  tags_ = reader.Bytes(rows()).data();
  if (!timestamps_.Parse(reader, rows()) || !expiries_.Parse(reader, rows()) ||
      !kinds_.Parse(reader, rows()) || !types_.Parse(reader, rows()) ||
      !values_.Parse(reader, rows()) || !reader.empty()) {
    return false;
  }
  for (size_t row = 0; row < rows(); ++row) {
    const uint64_t kind = kinds_[row];
    if (kind < uint64_t{1} || kind > uint64_t{3}) {
      return false;
    }
  }
  return true;
}

std::optional<size_t> Block::Find(std::string_view key, uint64_t key_hash, Timestamp read) const {
  if (!key.starts_with(keys_.prefix())) {
    return std::nullopt;
  }
  const std::string_view rest = key.substr(keys_.prefix().size());
  const uint64_t rest_head = base::KeyHead(rest);
  const uint8_t tag = TagOf(key_hash);
  for (size_t row = 0; row < rows(); row += 32) {
    uint32_t matches = MatchTags(tags_ + row, tag);
    for (; matches != 0; matches &= matches - 1) {
      const size_t candidate = row + static_cast<size_t>(__builtin_ctz(matches));
      if (candidate >= rows()) {
        return std::nullopt;  // padding
      }
      if (keys_.Equals(candidate, rest, rest_head)) {
        return FindVersion(candidate, read);
      }
    }
  }
  return std::nullopt;
}

void Block::PrefetchTags() const {
  __builtin_prefetch(keys_.prefix().data());
  base::Prefetch(tags_, rows());
}

void Block::PrefetchRows(uint64_t key_hash) const {
  const uint8_t tag = TagOf(key_hash);
  for (size_t row = 0; row < rows(); row += 32) {
    for (uint32_t matches = MatchTags(tags_ + row, tag); matches != 0; matches &= matches - 1) {
      const size_t candidate = row + static_cast<size_t>(__builtin_ctz(matches));
      if (candidate >= rows()) {
        return;  // padding
      }
      keys_.Prefetch(candidate);
      timestamps_.Prefetch(candidate);
      expiries_.Prefetch(candidate);
      kinds_.Prefetch(candidate);
      types_.Prefetch(candidate);
      const std::string_view value = values_[candidate];
      base::Prefetch(value.data(), std::min(value.size(), base::kPrefetchedFront));
    }
  }
}

// `row` is the first of its key in the block; versions follow, newest first.
std::optional<size_t> Block::FindVersion(size_t row, Timestamp read) const {
  while (timestamps_[row] > read) {
    ++row;
    if (row == rows() || !keys_.SameAsPrevious(row)) {
      return std::nullopt;
    }
  }
  return row;
}

size_t Block::LowerBound(std::string_view key, Timestamp timestamp) const {
  auto [row, end] = keys_.Find(key);
  while (row < end) {
    const size_t middle = row + (end - row) / 2;
    if (timestamps_[middle] > timestamp) {
      row = middle + 1;
    } else {
      end = middle;
    }
  }
  return row;
}

size_t Block::UpperBound(std::string_view key, Timestamp timestamp) const {
  auto [row, end] = keys_.Find(key);
  while (row < end) {
    const size_t middle = row + (end - row) / 2;
    if (timestamps_[middle] >= timestamp) {
      row = middle + 1;
    } else {
      end = middle;
    }
  }
  return row;
}

}  // namespace luna::table
