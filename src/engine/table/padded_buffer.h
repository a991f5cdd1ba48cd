// PaddedBuffer: bytes that readers may overrun. It starts on a cache line and is followed by
// kPadding more (zero unless cut), so that columns can be read eight bytes at a time, keys copied
// sixteen at a time and tags compared thirty-two at a time up to their very end.
// Thread rule: guarded by the caller; immutable once filled.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace luna::table {

class PaddedBuffer {
 public:
  static constexpr size_t kPadding = 64;
  static constexpr size_t kAlignment = 64;

  PaddedBuffer() = default;
  explicit PaddedBuffer(size_t bytes)
      : bytes_(static_cast<char*>(::operator new (bytes + kPadding, std::align_val_t{kAlignment}))),
        size_(bytes) {
    std::memset(bytes_.get() + bytes, 0, kPadding);
  }
  explicit PaddedBuffer(std::string_view copied) : PaddedBuffer(copied.size()) {
    if (!copied.empty()) {
      std::memcpy(bytes_.get(), copied.data(), copied.size());
    }
  }

  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  // Forgets what lies behind the first `bytes` (≤ size()); it joins the padding.
  void Cut(size_t bytes) { size_ = bytes; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { ::operator delete (bytes, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<char, Free> bytes_;
  size_t size_ = 0;
};

}  // namespace luna::table
