#include "base/coding.h"

namespace luna::base {
namespace {

template <typename T>
void PutFixed(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <typename T>
T Load(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

constexpr unsigned kMaxVarintShift = 63;  // the tenth byte carries the 64th bit only

}  // namespace

void PutFixed16(std::string& out, uint16_t value) { PutFixed(out, value); }
void PutFixed32(std::string& out, uint32_t value) { PutFixed(out, value); }
void PutFixed64(std::string& out, uint64_t value) { PutFixed(out, value); }

void PutVarint(std::string& out, uint64_t value) {
  char bytes[10];
  size_t count = 0;
  while (value >= 0x80) {
    bytes[count++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[count++] = static_cast<char>(value);
  out.append(bytes, count);
}

void PutString(std::string& out, std::string_view value) {
  PutVarint(out, value.size());
  out.append(value);
}

uint64_t KeyHead(std::string_view key) {
  uint64_t head = 0;
  if (key.size() >= sizeof(head)) {
    std::memcpy(&head, key.data(), sizeof(head));
  } else if (!key.empty()) {
    std::memcpy(&head, key.data(), key.size());
  }
  return __builtin_bswap64(head);
}

// A failed reader gives up its input, so that loops until empty() end.
bool ByteReader::Has(size_t count) {
  if (bytes_.size() < count) {
    ok_ = false;
    bytes_ = {};
  }
  return ok_;
}

uint8_t ByteReader::Byte() {
  if (!Has(1)) {
    return 0;
  }
  const auto byte = static_cast<uint8_t>(bytes_.front());
  bytes_.remove_prefix(1);
  return byte;
}

uint16_t ByteReader::Fixed16() {
  return Has(2) ? Load<uint16_t>(Bytes(2)) : uint16_t{0};
}

uint32_t ByteReader::Fixed32() {
  return Has(4) ? Load<uint32_t>(Bytes(4)) : uint32_t{0};
}

uint64_t ByteReader::Fixed64() {
  return Has(8) ? Load<uint64_t>(Bytes(8)) : uint64_t{0};
}

uint64_t ByteReader::Varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift <= kMaxVarintShift; shift += 7) {
    const uint8_t byte = Byte();
    const bool overflow = shift == kMaxVarintShift && byte > 1;
    const bool padded = shift > 0 && byte == 0;  // also what Byte() says past the end
    if (overflow || padded) {
      break;
    }
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      return value;
    }
  }
  ok_ = false;
  bytes_ = {};
  return 0;
}

std::string_view ByteReader::String() {
  const uint64_t size = Varint();
  return Bytes(size);
}

std::string_view ByteReader::Bytes(size_t count) {
  if (!Has(count)) {
    return {};
  }
  const std::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

}  // namespace luna::base
