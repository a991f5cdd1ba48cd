#include "apps/output/json.h"

#include <cstdio>

#include "apps/output/escape.h"
#include "base/text.h"

namespace luna::output {

void Json::Separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!has_elements_.empty()) {
    if (has_elements_.back()) {
      text_ += ", ";
    }
    has_elements_.back() = true;
  }
}

Json& Json::Open(char bracket) {
  Separate();
  text_ += bracket;
  has_elements_.push_back(false);
  return *this;
}

Json& Json::Close(char bracket) {
  has_elements_.pop_back();
  text_ += bracket;
  return *this;
}

Json& Json::Plain(std::string_view token) {
  Separate();
  text_ += token;
  return *this;
}

Json& Json::Key(std::string_view name) {
  Separate();
  Quote(name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

Json& Json::Ratio(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.3f", value);
  return Plain(buffer);
}

Json& Json::Bytes(std::string_view bytes) {
  if (IsUtf8(bytes)) {
    Separate();
    Quote(bytes);
    return *this;
  }
  BeginObject();
  Key("hex").Plain("\"" + base::Hex(bytes) + "\"");
  return EndObject();
}

Json& Json::Text(std::string_view text) {
  Separate();
  Quote(IsUtf8(text) ? std::string(text) : Escape(text));
  return *this;
}

void Json::Quote(std::string_view utf8) {
  text_ += '"';
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (c == '\t') {
      text_ += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      text_ += "\\u00" + base::Hex(std::string_view(&c, 1));
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace luna::output
