// FileImage: the bytes of one file, as written and as synced. Only the written image is stored
// whole; of the synced one it keeps the old bytes of sectors that differ. Invariants: a sector that
// is not dirty reads the same in both images, up to the shorter one's end; a gap left by growing is
// zeros and not dirty.
// Thread rule: guarded by the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/memory/memory_file_system.h"

namespace luna::memory {

class FileImage {
 public:
  uint64_t size() const { return written_.size(); }
  size_t Read(uint64_t offset, size_t length, char* to) const;
  // False, and nothing changed, when memory does not suffice.
  bool Write(uint64_t offset, std::string_view bytes);
  bool Truncate(uint64_t size);
  void Sync();
  // Asks `fate` for every dirty sector, by offset; what is left is written and synced.
  void Crash(const std::function<Fate()>& fate);

 private:
  bool Resize(uint64_t size);
  // Keeps the synced bytes of sectors [first, last] that are not dirty yet, and marks them.
  void Touch(uint64_t first, uint64_t last);
  bool IsDirty(uint64_t sector) const { return sector < dirty_.size() && dirty_[sector]; }
  std::vector<uint64_t> DirtySectors() const;

  std::string written_;
  uint64_t synced_size_ = 0;
  std::vector<bool> dirty_;  // by sector; missing ones are clean
  // Where dirty sectors begin and end: makes Sync cost what was written, not what the file holds.
  uint64_t dirty_begin_ = 0;
  uint64_t dirty_end_ = 0;
  std::map<uint64_t, std::string>
      synced_sectors_;  // of dirty ones; missing: zeros, or past the end
};

}  // namespace luna::memory
