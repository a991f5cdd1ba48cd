#include "engine/table/stored_block.h"

#include <lz4.h>
#include <zstd.h>

#include <utility>

namespace luna::table {
namespace {

constexpr int kZstdLevel = 1;

struct FreeZstdDecoder {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// One decoder a thread: it costs 150 KiB and microseconds to make, and holds nothing between calls.
ZSTD_DCtx* ZstdDecoder() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeZstdDecoder> decoder(ZSTD_createDCtx());
  return decoder.get();
}

bool Decompress(Codec codec, std::string_view payload, PaddedBuffer& decoded) {
  if (codec == Codec::kLz4) {
    const int length =
        LZ4_decompress_safe(payload.data(), decoded.data(), static_cast<int>(payload.size()),
                            static_cast<int>(decoded.size()));
    return length >= 0 && static_cast<size_t>(length) == decoded.size();
  }
  const size_t length = ZSTD_decompressDCtx(ZstdDecoder(), decoded.data(), decoded.size(),
                                            payload.data(), payload.size());
  return ZSTD_isError(length) == 0 && length == decoded.size();
}

}  // namespace

class BlockCompressor::ZstdContext {
 public:
  ZstdContext() : context_(ZSTD_createCCtx()) {}
  ~ZstdContext() { ZSTD_freeCCtx(context_); }
  ZstdContext(const ZstdContext&) = delete;
  ZstdContext& operator=(const ZstdContext&) = delete;
  ZSTD_CCtx* get() { return context_; }

 private:
  ZSTD_CCtx* const context_;
};

uint64_t SaltedChecksum(std::string_view bytes, const base::Id128& salt, uint64_t offset) {
  return base::Hash(bytes) ^ base::Mix(salt, offset);
}

BlockCompressor::BlockCompressor(Codec codec)
    : codec_(codec), zstd_(codec == Codec::kZstd ? std::make_unique<ZstdContext>() : nullptr) {}
BlockCompressor::~BlockCompressor() = default;

std::string_view BlockCompressor::Compress(std::string_view decoded) {
  const bool hopeless = in_vain_ >= kTriedInVain && in_vain_ % kTriedInVain != 0;
  if (codec_ == Codec::kNone || hopeless) {
    ++in_vain_;
    return {};
  }
  const std::string_view compressed = TryToCompress(decoded);
  in_vain_ = compressed.empty() ? in_vain_ + 1 : 0;
  return compressed;
}

std::string_view BlockCompressor::TryToCompress(std::string_view decoded) {
  const size_t limit = decoded.size() - decoded.size() / 8;
  if (scratch_.size() < limit) {
    scratch_.resize(limit);
  }
  if (codec_ == Codec::kLz4) {
    // Given only `limit` bytes of room it stops, with 0, when the result would not fit.
    const int length = LZ4_compress_default(
        decoded.data(), scratch_.data(), static_cast<int>(decoded.size()), static_cast<int>(limit));
    return std::string_view(scratch_).substr(0, static_cast<size_t>(length));
  }
  const size_t length = ZSTD_compressCCtx(zstd_->get(), scratch_.data(), limit, decoded.data(),
                                          decoded.size(), kZstdLevel);
  return std::string_view(scratch_).substr(0, ZSTD_isError(length) != 0 ? 0 : length);
}

size_t BlockCompressor::Put(std::string& out, std::string_view decoded, const base::Id128& salt,
                            uint64_t offset) {
  const size_t begin = out.size();
  const std::string_view compressed = Compress(decoded);
  out.push_back(static_cast<char>(kBlockFormatVersion));
  out.push_back(static_cast<char>(compressed.empty() ? Codec::kNone : codec_));
  base::PutFixed16(out, 0);
  base::PutFixed32(out, static_cast<uint32_t>(decoded.size()));
  out.append(compressed.empty() ? decoded : compressed);
  const uint64_t checksum = SaltedChecksum(std::string_view(out).substr(begin), salt, offset);
  base::PutFixed64(out, checksum);
  return out.size() - begin;
}

bool StoredChecksumMatches(std::string_view stored, const base::Id128& salt, uint64_t offset) {
  if (stored.size() < kStoredOverhead) {
    return false;
  }
  const std::string_view covered = stored.substr(0, stored.size() - 8);
  return SaltedChecksum(covered, salt, offset) == base::LoadFixed64(stored.data() + covered.size());
}

Result<std::shared_ptr<const Block>> DecodeStored(PaddedBuffer stored, const std::string& where) {
  const auto malformed = [&where](const std::string& what) {
    return Error(Reason::kBadFormat, where + ": " + what +
                                         " although its checksum matches: written by a faulty "
                                         "program; restore the table from a backup");
  };
  if (stored.size() < kStoredOverhead) {
    return malformed("block of " + std::to_string(stored.size()) + " bytes");
  }
  base::ByteReader header(stored.view());
  const uint8_t version = header.Byte();
  const uint8_t codec = header.Byte();
  const uint16_t zero = header.Fixed16();
  const size_t decoded_bytes = header.Fixed32();
  if (version != kBlockFormatVersion) {
    return Error(Reason::kNewerFormat, where + ": block has format version " +
                                           std::to_string(version) + ", this program reads " +
                                           std::to_string(kBlockFormatVersion) +
                                           "; use the program that wrote it or a newer one");
  }
  const size_t payload_bytes = stored.size() - kStoredOverhead;
  if (zero != 0 || codec > static_cast<uint8_t>(Codec::kZstd) || decoded_bytes > kMaxBlockBytes ||
      (codec == static_cast<uint8_t>(Codec::kNone) && decoded_bytes != payload_bytes)) {
    return malformed("block header is invalid (codec " + std::to_string(codec) +
                     ", decoded length " + std::to_string(decoded_bytes) + ")");
  }
  size_t rows_at = 0;
  PaddedBuffer decoded;
  if (codec == static_cast<uint8_t>(Codec::kNone)) {
    // Used where it was read to, behind its header.
    stored.Cut(kStoredHeaderBytes + decoded_bytes);
    decoded = std::move(stored);
    rows_at = kStoredHeaderBytes;
  } else {
    decoded = PaddedBuffer(decoded_bytes);
    if (!Decompress(static_cast<Codec>(codec),
                    stored.view().substr(kStoredHeaderBytes, payload_bytes), decoded)) {
      return malformed("block does not decompress to " + std::to_string(decoded_bytes) + " bytes");
    }
  }
  std::shared_ptr<const Block> block = Block::Parse(std::move(decoded), rows_at);
  if (block == nullptr) {
    return malformed("block layout is invalid");
  }
  return block;
}

}  // namespace luna::table
