// Fuzzes what a table takes from an object after its checksums: stored blocks of any codec, decoded
// blocks, and tails with their footers. Nothing may read outside its bytes, whatever they are, and
// what is accepted must answer every question. The first byte chooses what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/hash.h"
#include "engine/table/stored_block.h"
#include "engine/table/tail.h"

namespace {

using namespace luna;
using namespace luna::table;

void UseBlock(const Block& block, std::string_view probe) {
  LUNA_ASSERT(block.rows() != 0);
  std::string room(block.keys().copy_bytes(), '\0');
  block.keys().prefix().copy(room.data(), block.keys().prefix().size());
  uint64_t sum = 0;
  for (size_t row = 0; row < block.rows(); ++row) {
    entry::Entry entry;
    block.Fill(row, entry);
    LUNA_ASSERT(block.keys().CopyBehindPrefix(row, room.data()) <= room.size());
    sum += base::Hash(entry.value) + block.tag(row) +
           static_cast<uint64_t>(block.keys().SameAsPrevious(row));
  }
  for (const std::string& key : {block.keys().Key(block.rows() / 2), std::string(probe)}) {
    const auto found = block.Find(key, base::Hash(key), sum);
    LUNA_ASSERT(!found.has_value() || *found < block.rows());
    LUNA_ASSERT(block.LowerBound(key, sum) <= block.rows());
    LUNA_ASSERT(block.UpperBound(key, sum) <= block.rows());
  }
}

void UseTail(std::string_view bytes) {
  if (bytes.size() < 8) {
    return;
  }
  const uint64_t tail_offset = base::LoadFixed64(bytes.data()) % (uint64_t{1} << 40);
  const PaddedBuffer tail(bytes.substr(8));
  const Result<TailView> view = ParseTail(tail.view(), tail_offset, "fuzz");
  if (!view.ok()) {
    return;
  }
  const Index& index = view->index;
  for (size_t block = 0; block < index.blocks(); ++block) {
    LUNA_ASSERT(index.offset(block) + index.length(block) <= tail_offset);
    const std::string key = index.first_key(block);
    LUNA_ASSERT(index.Find(key, index.first_timestamp(block)).after <= index.blocks());
    view->filter.MayContain(base::Hash(key));
  }
  TailMatchesFooter(tail.view(), view->footer);
  const Result<Properties> properties = DecodeProperties(view->properties, "fuzz");
  LUNA_ASSERT(properties.ok() || !properties.error().message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (bytes[0] % 3 == 0) {
    const auto block = DecodeStored(PaddedBuffer(rest), "fuzz");
    if (block.ok()) {
      UseBlock(**block, rest.substr(0, 20));
    }
  } else if (bytes[0] % 3 == 1) {
    if (const auto block = Block::Parse(PaddedBuffer(rest), 0)) {
      UseBlock(*block, rest.substr(0, 20));
    }
  } else {
    UseTail(rest);
  }
  return 0;
}
