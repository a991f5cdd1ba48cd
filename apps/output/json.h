// Json: writes one JSON text, always valid UTF-8. Byte strings that are no UTF-8 become
// {"hex": "…"}; numbers past 2^53 (timestamps) are written as strings by the caller.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace luna::output {

class Json {
 public:
  Json& BeginObject() { return Open('{'); }
  Json& EndObject() { return Close('}'); }
  Json& BeginArray() { return Open('['); }
  Json& EndArray() { return Close(']'); }
  Json& Key(std::string_view name);
  Json& Number(uint64_t value) { return Plain(std::to_string(value)); }
  Json& Number(int64_t value) { return Plain(std::to_string(value)); }
  Json& Ratio(double value);  // three decimals
  Json& Bool(bool value) { return Plain(value ? "true" : "false"); }
  Json& Null() { return Plain("null"); }
  // A finished token, like a number of a form of its own.
  Json& Literal(std::string_view token) { return Plain(token); }
  // A string if `bytes` is UTF-8, else {"hex": "…"}.
  Json& Bytes(std::string_view bytes);
  // Text for people: what is no UTF-8 is escaped.
  Json& Text(std::string_view text);
  // Another finished text, as a value.
  Json& Splice(const Json& other) { return Plain(other.text()); }

  const std::string& text() const { return text_; }

 private:
  Json& Open(char bracket);
  Json& Close(char bracket);
  Json& Plain(std::string_view token);
  void Separate();
  void Quote(std::string_view utf8);

  std::string text_;
  std::vector<bool> has_elements_;  // of each open object or array
  bool after_key_ = false;
};

}  // namespace luna::output
