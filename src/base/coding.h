// Integers in bytes. Fixed-width fields are little-endian; varints are LEB128; strings are a varint
// length and the bytes. Reading is by ByteReader, which never reads past its end.
// Thread rule: functions are pure; a ByteReader is owned by one thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace luna::base {

void PutFixed16(std::string& out, uint16_t value);
void PutFixed32(std::string& out, uint32_t value);
void PutFixed64(std::string& out, uint64_t value);
void PutVarint(std::string& out, uint64_t value);
void PutString(std::string& out, std::string_view value);  // varint length, bytes

inline uint32_t LoadFixed32(const char* from) { uint32_t v; std::memcpy(&v, from, 4); return v; }
inline uint64_t LoadFixed64(const char* from) { uint64_t v; std::memcpy(&v, from, 8); return v; }
inline void StoreFixed32(char* to, uint32_t v) { std::memcpy(to, &v, 4); }
inline void StoreFixed64(char* to, uint64_t v) { std::memcpy(to, &v, 8); }
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are little-endian");

// The first eight bytes of a key as a number whose order is the bytewise order; short keys are
// padded with zeros, so equal heads need a full comparison.
uint64_t KeyHead(std::string_view key);

// Takes fields off the front of a byte string. After a field that does not fit, ok() is false and
// every further field is empty or zero: check once, at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t Byte();
  uint16_t Fixed16();
  uint32_t Fixed32();
  uint64_t Fixed64();
  uint64_t Varint();                     // refuses overflow and padding: one form per number
  std::string_view String();             // varint length, bytes; a view into the input
  std::string_view Bytes(size_t count);  // a view into the input
  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

 private:
  bool Has(size_t count);
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace luna::base
