#include "kernel/journal/batch.h"

#include <limits>

#include "base/assert.h"
#include "base/coding.h"

namespace luna::journal {
namespace {

constexpr size_t kBatchHeadBytes = 8 + 8 + 4;
constexpr size_t kLengthBytes = 4;

}  // namespace

uint64_t BatchBytes(std::span<const std::string_view> records) {
  uint64_t bytes = kBatchHeadBytes + kLengthBytes * records.size();
  for (const std::string_view record : records) {
    bytes += record.size();
  }
  return bytes;
}

void AppendBatch(Epoch epoch, Sequence first, std::span<const std::string_view> records,
                 std::string& out) {
  char head[kBatchHeadBytes];
  base::StoreFixed64(head, epoch);
  base::StoreFixed64(head + 8, first);
  base::StoreFixed32(head + 16, static_cast<uint32_t>(records.size()));
  out.append(head, sizeof(head));
  for (const std::string_view record : records) {
    char length[kLengthBytes];
    base::StoreFixed32(length, static_cast<uint32_t>(record.size()));
    out.append(length, sizeof(length));
    out.append(record);
  }
}

std::optional<BatchReader> BatchReader::Open(std::string_view payload) {
  base::ByteReader bytes(payload);
  BatchReader batch;
  batch.epoch_ = bytes.Fixed64();
  batch.next_ = bytes.Fixed64();
  batch.left_ = bytes.Fixed32();
  batch.rest_ = bytes.rest();
  for (uint32_t i = 0; i < batch.left_ && bytes.ok(); ++i) {
    bytes.Bytes(bytes.Fixed32());
  }
  const Sequence most = std::numeric_limits<Sequence>::max() - batch.next_;
  if (!bytes.ok() || !bytes.empty() || batch.next_ == 0 || batch.left_ > most) {
    return std::nullopt;
  }
  return batch;
}

Record BatchReader::Next() {
  LUNA_ASSERT(left_ > 0);
  const uint32_t length = base::LoadFixed32(rest_.data());
  const Record record{
      .sequence = next_, .epoch = epoch_, .payload = rest_.substr(kLengthBytes, length)};
  rest_.remove_prefix(kLengthBytes + length);
  ++next_;
  --left_;
  return record;
}

}  // namespace luna::journal
