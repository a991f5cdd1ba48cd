// Stored blocks: a data block as it lies in the object.
//   format version u8 | codec u8 | zero u16 | decoded length u32 | payload | checksum u64
// The checksum is XXH3-64 of everything before it XOR Mix(salt, offset of the block), so a block of
// another table or place is refused. It is verified before anything else is looked at.
// Thread rule: functions are safe; a BlockCompressor is owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "engine/table/block.h"
#include "engine/table/padded_buffer.h"
#include "engine/table/table_builder.h"

namespace luna::table {

inline constexpr uint8_t kBlockFormatVersion = 1;
inline constexpr size_t kStoredHeaderBytes = 8;
inline constexpr size_t kStoredOverhead = kStoredHeaderBytes + 8;
inline constexpr size_t kMaxStoredBytes = kMaxBlockBytes + kStoredOverhead;

// The checksum of `bytes` at `offset` of an object with this salt.
uint64_t SaltedChecksum(std::string_view bytes, const base::Id128& salt, uint64_t offset);

class BlockCompressor {
 public:
  explicit BlockCompressor(Codec codec);
  ~BlockCompressor();
  // After so many blocks in a row that did not shrink, only one of so many is tried until one does:
  // trying takes a third of a merge's time where nothing shrinks.
  static constexpr size_t kTriedInVain = 8;

  // Appends the stored form of `decoded`, for `offset` of the object; returns its length. A block
  // that does not shrink by an eighth is stored as it is.
  size_t Put(std::string& out, std::string_view decoded, const base::Id128& salt, uint64_t offset);

 private:
  // Empty if it is not worth it.
  std::string_view Compress(std::string_view decoded);
  std::string_view TryToCompress(std::string_view decoded);

  class ZstdContext;
  const Codec codec_;
  size_t in_vain_ = 0;  // blocks since one has shrunk
  std::string scratch_;
  std::unique_ptr<ZstdContext> zstd_;
};

// `stored` is the block's whole stored form. False: the bytes are not what was written.
bool StoredChecksumMatches(std::string_view stored, const base::Id128& salt, uint64_t offset);
// The block in `stored`, whose checksum matched; `where` names object and offset for messages.
// Errors: kNewerFormat, kBadFormat.
Result<std::shared_ptr<const Block>> DecodeStored(PaddedBuffer stored, const std::string& where);

}  // namespace luna::table
