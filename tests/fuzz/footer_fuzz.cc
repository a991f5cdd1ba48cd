// Fuzzes a table's metadata: footers, whole tails as they are, tails with their checksums put
// right, and tails made by the builders of what the input says. What is accepted must lie within
// its bytes and answer every question; properties must come back from their own encoding. The first
// byte chooses what the rest is.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "engine/table/padded_buffer.h"
#include "engine/table/stored_block.h"
#include "engine/table/tail.h"

namespace {

using namespace luna;
using namespace luna::table;

constexpr size_t kFooterChecksumAt = 72;
constexpr uint64_t kMaxTailOffset = uint64_t{1} << 40;

// A tail of these properties alone.
void Rebuild(Properties properties) {
  properties.row.object.clear();
  properties.row.size = 0;
  properties.row.tail_checksum = 0;
  properties.row.tail_offset = 0;
  const FilterBuilder filter(0);
  const IndexBuilder index;
  TailContents contents;
  contents.filter = &filter;
  contents.index = &index;
  contents.properties = properties;
  const PaddedBuffer tail{EncodeTail(contents)};
  const Result<TailView> view = ParseTail(tail.view(), 0, "fuzz");
  LUNA_ASSERT(view.ok() && view->footer.salt == properties.row.salt);
  LUNA_ASSERT(TailMatchesFooter(tail.view(), view->footer));
  const Result<Properties> again = DecodeProperties(view->properties, "fuzz");
  LUNA_ASSERT(again.ok() && again->creator == properties.creator);
  LUNA_ASSERT(again->row == properties.row);
  LUNA_ASSERT(again->options.block_bytes == properties.options.block_bytes);
  LUNA_ASSERT(again->options.filter_bits_per_key == properties.options.filter_bits_per_key);
  LUNA_ASSERT(again->options.codec == properties.options.codec);
}

void UseTail(std::string_view bytes, uint64_t tail_offset) {
  const PaddedBuffer tail{bytes};
  const Result<TailView> view = ParseTail(tail.view(), tail_offset, "fuzz");
  if (!view.ok()) {
    return;
  }
  const Index& index = view->index;
  uint64_t end = 0;
  for (size_t block = 0; block < index.blocks(); ++block) {
    LUNA_ASSERT(index.offset(block) == end);
    end += index.length(block);
    const std::string key = index.first_key(block);
    LUNA_ASSERT(index.Find(key, index.first_timestamp(block)).after <= index.blocks());
    view->filter.Prefetch(base::Hash(key));
    view->filter.MayContain(base::Hash(key) + index.max_timestamp(block) + index.rows(block) +
                            index.deletions(block) + index.Continues(block));
  }
  LUNA_ASSERT(end == tail_offset);
  TailMatchesFooter(tail.view(), view->footer);
  const Result<Properties> properties = DecodeProperties(view->properties, "fuzz");
  if (properties.ok()) {
    Rebuild(*properties);
  } else {
    LUNA_ASSERT(!properties.error().message().empty());
  }
}

void UseFooter(std::string_view bytes) {
  base::ByteReader in(bytes);
  const uint64_t size = in.Fixed64();
  const Result<Footer> footer = DecodeFooter(in.rest(), size, "fuzz");
  if (footer.ok()) {
    LUNA_ASSERT(footer->tail_offset <= size - kFooterBytes);
    const uint64_t sections = size - kFooterBytes - footer->tail_offset;
    LUNA_ASSERT(footer->filter_at <= sections && footer->filter_bytes <= sections);
    LUNA_ASSERT(footer->index_bytes <= sections && footer->properties_bytes <= sections);
    LUNA_ASSERT(footer->tombstone_bytes <= footer->filter_at);
    LUNA_ASSERT(footer->filter_at + footer->filter_bytes + footer->index_bytes +
                    footer->properties_bytes ==
                sections);
  }
}

// `bytes` with the checksums of properties and tail that readers expect.
std::string WithChecksums(std::string_view bytes) {
  std::string tail(bytes);
  if (tail.size() < kFooterBytes) {
    return tail;
  }
  char* footer = tail.data() + tail.size() - kFooterBytes;
  const uint64_t properties_bytes = base::LoadFixed64(footer + 40);
  if (properties_bytes >= 4 && properties_bytes <= tail.size() - kFooterBytes) {
    char* properties = footer - properties_bytes;
    base::StoreFixed32(footer - 4, base::Crc32c({properties, properties_bytes - 4}));
  }
  const base::Id128 salt{.high = base::LoadFixed64(footer + 56),
                         .low = base::LoadFixed64(footer + 64)};
  const std::string_view covered =
      std::string_view(tail).substr(0, tail.size() - kFooterBytes + kFooterChecksumAt);
  base::StoreFixed64(footer + kFooterChecksumAt,
                     SaltedChecksum(covered, salt, base::LoadFixed64(footer)));
  return tail;
}

// A tail of blocks and range tombstones that the input chooses: everything must come back.
void MakeTail(std::string_view bytes) {
  base::ByteReader in(bytes);
  FilterBuilder filter(in.Byte() % 32);
  IndexBuilder index;
  TailContents contents;
  std::set<std::string> keys;
  for (int blocks = in.Byte() % 16; blocks > 0; --blocks) {
    keys.emplace(in.Bytes(in.Byte()));
  }
  uint64_t offset = 0;
  for (const std::string& key : keys) {
    const entry::Entry entry{.key = key, .timestamp = in.Fixed64()};
    index.Begin(offset, key, entry.timestamp, false);
    index.Count(entry);
    filter.Add(base::Hash(key));
    offset += 1 + in.Fixed16();
  }
  for (int tombstones = in.Byte() % 8; tombstones > 0; --tombstones) {
    entry::RangeTombstone tombstone{.range = {}, .timestamp = in.Fixed64()};
    tombstone.range.begin = in.Bytes(in.Byte());
    tombstone.range.end = in.Bytes(in.Byte());
    contents.tombstones.push_back(tombstone);
  }
  contents.filter = &filter;
  contents.index = &index;
  contents.properties.row.tail_offset = offset;
  contents.properties.row.salt = {.high = in.Fixed64(), .low = 7};
  const PaddedBuffer tail{EncodeTail(contents)};
  const Result<TailView> view = ParseTail(tail.view(), offset, "fuzz");
  LUNA_ASSERT(view.ok() && TailMatchesFooter(tail.view(), view->footer));
  LUNA_ASSERT(view->tombstones == contents.tombstones);
  LUNA_ASSERT(view->index.blocks() == keys.size());
  size_t block = 0;
  for (const std::string& key : keys) {
    LUNA_ASSERT(view->index.first_key(block) == key);
    LUNA_ASSERT(view->filter.MayContain(base::Hash(key)));
    const Index::Place place = view->index.Find(key, view->index.first_timestamp(block));
    LUNA_ASSERT(place.after == block + 1 && view->index.rows(block) == 1);
    ++block;
  }
  LUNA_ASSERT(DecodeProperties(view->properties, "fuzz").ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 9) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const uint64_t tail_offset = base::LoadFixed64(rest.data()) % kMaxTailOffset;
  switch (bytes[0] % 4) {
    case 0:
      UseFooter(rest);
      break;
    case 1:
      UseTail(rest.substr(8), tail_offset);
      break;
    case 2:
      UseTail(WithChecksums(rest.substr(8)), tail_offset);
      break;
    default:
      MakeTail(rest);
  }
  return 0;
}
