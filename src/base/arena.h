// Arena: bump allocation for memtables and write sets. Memory is given back all at once.
// Thread rule: Allocate is owned by one thread; bytes() may be read by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace luna::base {

class Arena {
 public:
  // Chunks start at 4 KiB and double up to `max_chunk_bytes`, so an idle collection costs little.
  explicit Arena(size_t max_chunk_bytes = size_t{1} << 20);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // `bytes` > 0 of memory, aligned to `alignment` (a power of two ≤ 64), valid until destruction.
  char* Allocate(size_t bytes, size_t alignment = 8);
  // A copy of `text` in the arena.
  std::string_view Copy(std::string_view text);
  // What was taken from the system so far.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  char* AllocateChunk(size_t bytes);
  const size_t max_chunk_bytes_;
  size_t next_chunk_bytes_ = 4096;
  char* position_ = nullptr;
  size_t left_ = 0;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace luna::base
