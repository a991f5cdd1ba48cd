#include "engine/table/table_reader.h"

#include <algorithm>

#include "base/try.h"
#include "engine/table/stored_block.h"

namespace luna::table {
namespace {

Error BadChecksum(const std::string& where, std::string_view what, size_t length) {
  return Error(Reason::kBadChecksum,
               where + ": checksum of the " + std::string(what) + " (" + std::to_string(length) +
                   " bytes) does not match, read twice; restore the table from a backup");
}

Status ReadVerifiedTail(const TableRow& row, LoadedTail& tail) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    TRY(tail.object->Read(row.tail_offset, tail.bytes.size(), tail.bytes.data()));
    if (SaltedChecksum(tail.bytes.view(), row.salt, row.tail_offset) == row.tail_checksum) {
      return {};
    }
  }
  return BadChecksum(PlaceOf(*tail.object, row.tail_offset), "metadata", tail.bytes.size());
}

// The block if storage has it at hand; null: it does not, or what it has is to be read in earnest.
Result<std::shared_ptr<const Block>> ReadCachedBlock(const LoadedTail& tail, size_t block) {
  const uint64_t offset = tail.view.index.offset(block);
  PaddedBuffer stored(tail.view.index.length(block));
  if (!TRY(tail.object->ReadCached(offset, stored.size(), stored.data())) ||
      !StoredChecksumMatches(stored.view(), tail.salt, offset)) {
    return std::shared_ptr<const Block>();
  }
  return DecodeStored(std::move(stored), PlaceOf(*tail.object, offset));
}

}  // namespace

std::string PlaceOf(const storage::ObjectReader& object, uint64_t offset) {
  return object.name() + " at offset " + std::to_string(offset);
}

Result<std::unique_ptr<LoadedTail>> LoadTail(const TableContext& context, const TableRow& row) {
  auto tail = std::make_unique<LoadedTail>();
  tail->object = TRY(context.storage->Open(context.bucket, row.object));
  if (tail->object->size() != row.size || row.size < kFooterBytes ||
      row.tail_offset > row.size - kFooterBytes) {
    return Error(Reason::kLostData,
                 tail->object->name() + ": the object has " + std::to_string(tail->object->size()) +
                     " bytes, the manifest says " + std::to_string(row.size) +
                     " with metadata from offset " + std::to_string(row.tail_offset) +
                     "; restore the table from a backup");
  }
  tail->salt = row.salt;
  if (context.budget != nullptr) {
    tail->charge = base::MemoryCharge(*context.budget, base::MemoryUse::kTableMetadata);
    // Without its metadata a table cannot be read at all, so this is never refused.
    tail->charge.Resize(row.size - row.tail_offset + sizeof(LoadedTail));
  }
  tail->bytes = PaddedBuffer(row.size - row.tail_offset);
  TRY(ReadVerifiedTail(row, *tail));
  tail->view =
      TRY(ParseTail(tail->bytes.view(), row.tail_offset, PlaceOf(*tail->object, row.tail_offset)));
  tail->tombstones = std::make_shared<const entry::RangeTombstones>(tail->view.tombstones);
  return tail;
}

Result<Properties> ReadProperties(const TableContext& context, const std::string& object) {
  const std::unique_ptr<storage::ObjectReader> reader =
      TRY(context.storage->Open(context.bucket, object));
  const uint64_t size = reader->size();
  std::string footer_bytes(std::min<uint64_t>(size, kFooterBytes), '\0');
  TRY(reader->Read(size - footer_bytes.size(), footer_bytes.size(), footer_bytes.data()));
  const Footer footer = TRY(DecodeFooter(footer_bytes, size, reader->name()));
  PaddedBuffer tail(size - footer.tail_offset);
  TRY(reader->Read(footer.tail_offset, tail.size(), tail.data()));
  const std::string where = PlaceOf(*reader, footer.tail_offset);
  if (!TailMatchesFooter(tail.view(), footer)) {
    return Error(Reason::kBadChecksum, where +
                                           ": checksum of the metadata does not match the "
                                           "footer; restore the table from a backup");
  }
  const TailView view = TRY(ParseTail(tail.view(), footer.tail_offset, where));
  Properties properties = TRY(DecodeProperties(view.properties, where));
  properties.row.object = object;
  properties.row.size = size;
  properties.row.tail_checksum = SaltedChecksum(tail.view(), footer.salt, footer.tail_offset);
  return properties;
}

Result<std::shared_ptr<const Block>> ReadBlock(const LoadedTail& tail, size_t block) {
  const uint64_t offset = tail.view.index.offset(block);
  const size_t length = tail.view.index.length(block);
  PaddedBuffer stored(length);
  for (int attempt = 0; attempt < 2; ++attempt) {
    TRY(tail.object->Read(offset, length, stored.data()));
    if (StoredChecksumMatches(stored.view(), tail.salt, offset)) {
      return DecodeStored(std::move(stored), PlaceOf(*tail.object, offset));
    }
  }
  return BadChecksum(PlaceOf(*tail.object, offset), "block", length);
}

Error NotInMemory(const std::string& object) {
  return Error(Reason::kNotInMemory, "what is asked for is in " + object +
                                         " and not in memory; read without memory_only");
}

TableReader::TableReader(const TableContext& context, TableRow row)
    : context_(context),
      row_(std::move(row)),
      number_(context.cache == nullptr ? 0 : context.cache->NewTableNumber()) {}

TableReader::~TableReader() {
  if (context_.cache != nullptr && tail_if_loaded() != nullptr) {
    context_.cache->EraseTable(number_);
  }
}

// Reading happens outside the mutex: of threads that race, all read and one's tail is kept.
Result<const LoadedTail*> TableReader::Load() const {
  std::unique_ptr<const LoadedTail> tail = TRY(LoadTail(context_, row_));
  const base::MutexLock lock(mutex_);
  if (owned_ == nullptr) {
    owned_ = std::move(tail);
    loaded_.store(owned_.get(), std::memory_order_release);
  }
  return owned_.get();
}

Result<cache::BlockHandle> TableReader::Fetch(const LoadedTail& tail, size_t block,
                                              entry::Reach reach) const {
  if (context_.cache == nullptr) {
    return cache::BlockHandle(TRY(ReadBlock(tail, block)));
  }
  const cache::BlockKey key = KeyOf(tail, block);
  if (cache::BlockHandle cached = context_.cache->Get(key)) {
    return cached;
  }
  std::shared_ptr<const Block> fresh =
      TRY(reach == entry::Reach::kMemory ? ReadCachedBlock(tail, block) : ReadBlock(tail, block));
  if (fresh == nullptr) {
    return NotInMemory(row_.object);
  }
  return context_.cache->Insert(key, std::move(fresh));
}

Result<bool> TableReader::Warm(const LoadedTail& tail, size_t block, ReadAhead& read_ahead) const {
  if (context_.cache == nullptr) {
    return false;
  }
  const cache::BlockKey key = KeyOf(tail, block);
  return context_.cache->Contains(key) ||
         context_.cache->Offer(key, TRY(read_ahead.Read(tail, block)));
}

ReadAhead::ReadAhead(base::MemoryBudget* budget) {
  if (budget != nullptr) {
    charge_.emplace(*budget, base::MemoryUse::kIterators);
  }
}

Result<cache::BlockHandle> ReadAhead::Read(const LoadedTail& tail, size_t block) {
  const uint64_t offset = tail.view.index.offset(block);
  const size_t length = tail.view.index.length(block);
  const auto in_window = [&] {
    return offset >= window_offset_ && offset + length <= window_offset_ + window_.size();
  };
  window_bytes_ = block != next_block_ || block == 0
                      ? 0
                      : std::clamp(window_bytes_, kFirstWindowBytes, kMaxWindowBytes);
  next_block_ = block + 1;
  if (!in_window() && window_bytes_ > length) {
    TRY(FillWindow(tail, block));
  }
  if (in_window()) {
    const std::string_view stored = window_.view().substr(offset - window_offset_, length);
    if (StoredChecksumMatches(stored, tail.salt, offset)) {
      return cache::BlockHandle(
          TRY(DecodeStored(PaddedBuffer(stored), PlaceOf(*tail.object, offset))));
    }
  }
  return cache::BlockHandle(TRY(ReadBlock(tail, block)));
}

Status ReadAhead::FillWindow(const LoadedTail& tail, size_t block) {
  const Index& index = tail.view.index;
  const uint64_t begin = index.offset(block);
  uint64_t end = begin;
  for (; block < index.blocks(); ++block) {
    const uint64_t block_end = index.offset(block) + index.length(block);
    if (block_end - begin > window_bytes_) {
      break;
    }
    end = block_end;
  }
  window_ = PaddedBuffer();
  if (charge_.has_value()) {
    charge_->Resize(end - begin);
  }
  PaddedBuffer window(end - begin);
  TRY(tail.object->Read(begin, end - begin, window.data()));
  window_ = std::move(window);
  window_offset_ = begin;
  window_bytes_ *= 2;
  return {};
}

}  // namespace luna::table
