// ReplyWriter: replies into a byte buffer, in RESP2 or RESP3. What RESP2 has no type for is written
// as Redis does: maps and sets as arrays, doubles and big numbers as bulks, booleans as integers,
// null as $-1.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/resp/protocol.h"

namespace luna::resp {

class ReplyWriter {
 public:
  ReplyWriter(std::string& out, Version version) : out_(&out), version_(version) {}

  Version version() const { return version_; }
  void set_version(Version version) { version_ = version; }
  // Bytes written so far, and back to an earlier length: a reply that turns into an error midway.
  std::string_view Since(size_t size) const { return std::string_view(*out_).substr(size); }
  size_t size() const { return out_->size(); }
  void Truncate(size_t size) { out_->resize(size); }

  void Simple(std::string_view text);  // +OK
  // "-" and the text; its first word is the code ("ERR ..."). Line breaks in it become spaces.
  void Fail(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  void Verbatim(std::string_view text);  // txt in RESP3
  void Null();
  void NullArray();  // *-1 in RESP2, what EXEC answers on a conflict
  void Double(double value);
  void Boolean(bool value);
  // Then `count` elements; of a map `count` pairs.
  void Array(size_t count);
  void Map(size_t count);
  void Set(size_t count);
  void Push(size_t count);  // out of band; an array in RESP2

 private:
  void Header(char kind, int64_t number);

  std::string* out_;
  Version version_;
};

}  // namespace luna::resp
