// ReplyCursor: walks over replies in a buffer, a token at a time and without copying: a line, a
// bulk, or the head of an aggregate, whose elements are the next tokens. It is what a client needs
// that knows what it asked for.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace luna::bench {

struct Token {
  char kind = 0;          // '+', '-', ':', '$', '*', ...; '_' for every null
  std::string_view text;  // of the line behind the kind, or of the bulk
  int64_t number = 0;     // of ':' and aggregates: how many tokens follow (of maps twice the pairs)
};

class ReplyCursor {
 public:
  explicit ReplyCursor(std::string_view bytes) : bytes_(bytes) {}

  size_t at() const { return at_; }
  // What came is no RESP; nothing after it can be understood.
  bool broken() const { return broken_; }

  // False: more bytes are needed, or broken().
  bool Next(Token& token);
  // Over the elements of an aggregate whose head was `token`, and theirs. False: as Next.
  bool SkipElements(const Token& token);

 private:
  bool ReadNumber(std::string_view line, int64_t& number);

  std::string_view bytes_;
  size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace luna::bench
