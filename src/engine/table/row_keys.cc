#include "engine/table/row_keys.h"

#include <algorithm>

namespace luna::table {

bool RowKeys::Parse(base::ByteReader& reader) {
  rows_ = reader.Fixed32();
  const uint32_t prefix_bytes = reader.Fixed32();
  heads_ = reader.Bytes(8 * rows_).data();
  head_bytes_ = reader.Byte();
  prefix_ = reader.Bytes(prefix_bytes);
  same_key_ = reader.Bytes((rows_ + 7) / 8).data();
  return reader.ok() && head_bytes_ <= 8 && slices_.Parse(reader, rows_);
}

size_t RowKeys::FirstHeadNotBelow(uint64_t wanted) const {
  constexpr size_t kLine = 64 / sizeof(uint64_t);
  size_t begin = 0;
  size_t length = rows_;
  while (length > 1) {
    const size_t half = length / 2;
    if (half > kLine) {  // both heads that may come next, as the one here may be far away
      __builtin_prefetch(heads_ + 8 * (begin + half / 2));
      __builtin_prefetch(heads_ + 8 * (begin + half + half / 2));
    }
    // A multiplication, not a branch: the processor could not predict it.
    begin += half * static_cast<size_t>(head(begin + half - 1) < wanted);
    length -= half;
  }
  return begin + static_cast<size_t>(length == 1 && head(begin) < wanted);
}

RowKeys::Range RowKeys::Find(std::string_view key) const {
  const int order = key.substr(0, prefix_.size()).compare(prefix_);
  if (order != 0) {
    const size_t end = order < 0 ? 0 : rows_;
    return {end, end};
  }
  const std::string_view rest = key.substr(prefix_.size());
  const uint64_t wanted = base::KeyHead(rest);
  const size_t begin = FirstHeadNotBelow(wanted);
  if (begin == rows_ || head(begin) != wanted) {
    return {begin, begin};
  }
  if (begin + 1 == rows_ || head(begin + 1) != wanted) {
    const int row_order = CompareEqualHead(begin, rest);
    return {begin + static_cast<size_t>(row_order < 0),
            begin + static_cast<size_t>(row_order <= 0)};
  }
  const size_t end = wanted == ~uint64_t{0} ? rows_ : FirstHeadNotBelow(wanted + 1);
  return FindAmongEqualHeads({begin, end}, rest);
}

RowKeys::Range RowKeys::FindAmongEqualHeads(Range rows, std::string_view rest) const {
  const auto first_where = [](size_t begin, size_t end, const auto& reached) {
    while (begin < end) {
      const size_t middle = begin + (end - begin) / 2;
      if (reached(middle)) {
        end = middle;
      } else {
        begin = middle + 1;
      }
    }
    return begin;
  };
  const size_t begin = first_where(rows.begin, rows.end,
                                   [&](size_t row) { return CompareEqualHead(row, rest) >= 0; });
  const size_t end =
      first_where(begin, rows.end, [&](size_t row) { return CompareEqualHead(row, rest) > 0; });
  return {begin, end};
}

std::string RowKeys::Key(size_t row) const {
  const uint64_t head_bytes = __builtin_bswap64(head(row));
  std::string key(prefix_);
  key.append(reinterpret_cast<const char*>(&head_bytes), head_bytes_);
  return key.append(slices_[row]);
}

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t length = 0;
  while (length + 8 <= limit) {
    const uint64_t difference =
        base::LoadFixed64(a.data() + length) ^ base::LoadFixed64(b.data() + length);
    if (difference != 0) {
      return length + static_cast<size_t>(__builtin_ctzll(difference)) / 8;
    }
    length += 8;
  }
  while (length < limit && a[length] == b[length]) {
    ++length;
  }
  return length;
}

void PutRowKeys(std::string& out, std::span<const std::string_view> keys,
                std::string_view same_key) {
  // In order, so what the first and the last share, all share.
  const size_t prefix_bytes = keys.empty() ? 0 : CommonPrefix(keys.front(), keys.back());
  size_t head_bytes = 8;
  for (const std::string_view key : keys) {
    head_bytes = std::min(head_bytes, key.size() - prefix_bytes);
  }
  base::PutFixed32(out, static_cast<uint32_t>(keys.size()));
  base::PutFixed32(out, static_cast<uint32_t>(prefix_bytes));
  PutNumbers(out, keys.size(), 8,
             [&](size_t row) { return base::KeyHead(keys[row].substr(prefix_bytes)); });
  out.push_back(static_cast<char>(head_bytes));
  out.append(keys.empty() ? std::string_view() : keys.front().substr(0, prefix_bytes));
  out.append(same_key);
  PutPackedSlices(out, keys.size(),
                  [&](size_t row) { return keys[row].substr(prefix_bytes + head_bytes); });
}

}  // namespace luna::table
