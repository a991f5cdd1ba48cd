#include "engine/table/block_builder.h"

#include <algorithm>

#include "engine/table/packed.h"
#include "engine/table/row_keys.h"

namespace luna::table {
namespace {

// Of a row, beyond the key after the prefix and the value: tag, offsets, timestamp. The head is
// counted where the key is shorter.
constexpr size_t kRowOverhead = 5;
constexpr size_t kBlockOverhead = 80;

}  // namespace

void BlockBuilder::Add(const entry::Entry& entry, uint8_t tag, bool same_key) {
  const size_t row = rows_.size();
  prefix_bytes_ =
      row == 0 ? entry.key.size() : CommonPrefix(first_key().substr(0, prefix_bytes_), entry.key);
  keys_.append(entry.key);
  values_.append(entry.value);
  if (row % 8 == 0) {
    same_key_.push_back(0);
  }
  same_key_.back() = static_cast<char>(static_cast<uint8_t>(same_key_.back()) |
                                       static_cast<uint8_t>(same_key) << (row % 8));
  rows_.push_back(Row{.timestamp = entry.timestamp,
                      .expiry_millis = entry.expiry_millis,
                      .key_end = keys_.size(),
                      .value_end = values_.size(),
                      .kind = entry.kind,
                      .type = entry.type,
                      .tag = tag});
}

size_t BlockBuilder::Estimate() const {
  if (rows_.empty()) {
    return 0;
  }
  const size_t key_bytes = keys_.size() - rows_.size() * prefix_bytes_;
  return kBlockOverhead + prefix_bytes_ + std::max(key_bytes, rows_.size() * 8) + values_.size() +
         rows_.size() * kRowOverhead;
}

size_t BlockBuilder::EstimateWith(const entry::Entry& entry) const {
  const size_t key_bytes = entry.key.size() - std::min(entry.key.size(), prefix_bytes_);
  return Estimate() + std::max<size_t>(key_bytes, 8) + entry.value.size() + kRowOverhead;
}

void BlockBuilder::Finish(std::string& out) {
  key_views_.clear();
  size_t begin = 0;
  for (const Row& row : rows_) {
    key_views_.emplace_back(keys_.data() + begin, row.key_end - begin);
    begin = row.key_end;
  }
  out.clear();
  PutRowKeys(out, key_views_, same_key_);
  const size_t rows = rows_.size();
  for (const Row& row : rows_) {
    out.push_back(static_cast<char>(row.tag));
  }
  PutPackedColumn(out, rows, [this](size_t row) { return rows_[row].timestamp; });
  PutPackedColumn(out, rows, [this](size_t row) { return rows_[row].expiry_millis; });
  PutPackedColumn(out, rows, [this](size_t row) { return static_cast<uint64_t>(rows_[row].kind); });
  PutPackedColumn(out, rows, [this](size_t row) { return uint64_t{rows_[row].type}; });
  PutPackedSlices(out, rows, [this](size_t row) {
    const size_t value_begin = row == 0 ? 0 : rows_[row - 1].value_end;
    return std::string_view(values_).substr(value_begin, rows_[row].value_end - value_begin);
  });
  rows_.clear();
  keys_.clear();
  values_.clear();
  same_key_.clear();
  prefix_bytes_ = 0;
}

}  // namespace luna::table
