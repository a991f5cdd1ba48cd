#include "base/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/assert.h"

namespace luna::base {
namespace {

constexpr size_t kMaxAlignment = 64;

// How many bytes to skip at `position` to reach the next multiple of `alignment`.
size_t Padding(const char* position, size_t alignment) {
  return (0 - reinterpret_cast<uintptr_t>(position)) & (alignment - 1);
}

}  // namespace

Arena::Arena(size_t max_chunk_bytes)
    : max_chunk_bytes_(max_chunk_bytes),
      next_chunk_bytes_(std::min<size_t>(4096, max_chunk_bytes)) {}

Arena::~Arena() = default;

char* Arena::Allocate(size_t bytes, size_t alignment) {
  LUNA_ASSERT(bytes > 0);
  LUNA_ASSERT(alignment > 0 && alignment <= kMaxAlignment && (alignment & (alignment - 1)) == 0);
  const size_t padding = Padding(position_, alignment);
  if (left_ >= padding && left_ - padding >= bytes) [[likely]] {
    char* const allocated = position_ + padding;
    position_ = allocated + bytes;
    left_ -= padding + bytes;
    return allocated;
  }
  if (bytes > next_chunk_bytes_ / 4) {
    // A chunk of its own: the rest of the current one stays in use.
    const size_t slack = alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? alignment - 1 : 0;
    char* const chunk = AllocateChunk(bytes + slack);
    return chunk + Padding(chunk, alignment);
  }
  const size_t chunk_bytes = next_chunk_bytes_;
  char* const chunk = AllocateChunk(chunk_bytes);
  char* const allocated = chunk + Padding(chunk, alignment);
  position_ = allocated + bytes;
  left_ = chunk_bytes - static_cast<size_t>(position_ - chunk);
  return allocated;
}

std::string_view Arena::Copy(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  char* const copy = Allocate(text.size(), 1);
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

// Chunks grow with every one taken, large ones included, so that an arena of large entries soon
// has chunks in which they are small.
char* Arena::AllocateChunk(size_t bytes) {
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  next_chunk_bytes_ =
      next_chunk_bytes_ > max_chunk_bytes_ / 2 ? max_chunk_bytes_ : next_chunk_bytes_ * 2;
  return chunks_.back().get();
}

}  // namespace luna::base
