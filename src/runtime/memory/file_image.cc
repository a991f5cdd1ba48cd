#include "runtime/memory/file_image.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace luna::memory {

namespace {

constexpr uint64_t kSectorBytes = 512;

uint64_t SectorOf(uint64_t offset) {
  return offset / kSectorBytes;
}

}  // namespace

size_t FileImage::Read(uint64_t offset, size_t length, char* to) const {
  return offset < written_.size() ? written_.copy(to, length, offset) : 0;
}

bool FileImage::Write(uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) {
    return true;
  }
  const uint64_t end = offset + bytes.size();
  if (end < offset || (end > written_.size() && !Resize(end))) {
    return false;
  }
  Touch(SectorOf(offset), SectorOf(end - 1));
  bytes.copy(written_.data() + offset, bytes.size());
  return true;
}

bool FileImage::Truncate(uint64_t size) {
  const uint64_t before = written_.size();
  if (size < before) {
    Touch(SectorOf(size), SectorOf(before - 1));
    written_.resize(size);
    return true;
  }
  if (size > before) {
    if (!Resize(size)) {
      return false;
    }
    // The last sector stands for the size; the zeros in front of it need no fate.
    Touch(SectorOf(size - 1), SectorOf(size - 1));
  }
  return true;
}

bool FileImage::Resize(uint64_t size) {
  try {
    written_.resize(size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const std::length_error&) {
    return false;
  }
}

void FileImage::Touch(uint64_t first, uint64_t last) {
  if (dirty_.size() <= last) {
    dirty_.resize(last + 1);
  }
  dirty_begin_ = dirty_begin_ == dirty_end_ ? first : std::min(dirty_begin_, first);
  dirty_end_ = std::max(dirty_end_, last + 1);
  for (uint64_t sector = first; sector <= last; ++sector) {
    if (dirty_[sector]) {
      continue;
    }
    dirty_[sector] = true;
    const uint64_t begin = sector * kSectorBytes;
    const uint64_t end = std::min<uint64_t>(synced_size_, written_.size());
    if (begin < end) {
      std::string old = written_.substr(begin, std::min(kSectorBytes, end - begin));
      if (old.find_first_not_of('\0') != std::string::npos) {
        synced_sectors_.emplace(sector, std::move(old));
      }
    }
  }
}

void FileImage::Sync() {
  std::fill(dirty_.begin() + static_cast<ptrdiff_t>(dirty_begin_),
            dirty_.begin() + static_cast<ptrdiff_t>(dirty_end_), false);
  dirty_begin_ = dirty_end_ = 0;
  synced_sectors_.clear();
  synced_size_ = written_.size();
}

std::vector<uint64_t> FileImage::DirtySectors() const {
  std::vector<uint64_t> sectors;
  for (uint64_t sector = dirty_begin_; sector < dirty_end_; ++sector) {
    if (IsDirty(sector)) {
      sectors.push_back(sector);
    }
  }
  return sectors;
}

void FileImage::Crash(const std::function<Fate()>& fate) {
  const uint64_t written_size = written_.size();
  uint64_t size = std::min<uint64_t>(written_size, synced_size_);
  written_.resize(std::max(written_size, synced_size_));
  for (const uint64_t sector : DirtySectors()) {
    const uint64_t begin = sector * kSectorBytes;
    const bool kept = fate() == Fate::kKept;
    const uint64_t image_size = kept ? written_size : synced_size_;
    if (begin < image_size) {
      size = std::max(size, std::min(begin + kSectorBytes, image_size));
    }
    if (kept || begin >= written_.size()) {
      continue;
    }
    const auto old = synced_sectors_.find(sector);
    std::string bytes = old == synced_sectors_.end() ? std::string() : old->second;
    bytes.resize(std::min(kSectorBytes, written_.size() - begin));
    bytes.copy(written_.data() + begin, bytes.size());
  }
  written_.resize(size);
  Sync();
}

}  // namespace luna::memory
