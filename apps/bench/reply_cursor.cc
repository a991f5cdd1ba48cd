#include "apps/bench/reply_cursor.h"

#include <charconv>

namespace luna::bench {
namespace {

constexpr int64_t kBulkBytesMax = int64_t{1} << 30;

}  // namespace

bool ReplyCursor::ReadNumber(std::string_view line, int64_t& number) {
  const char* end = line.data() + line.size();
  const auto [rest, failure] = std::from_chars(line.data(), end, number);
  broken_ = broken_ || failure != std::errc() || rest != end;
  return !broken_;
}

bool ReplyCursor::Next(Token& token) {
  const size_t line_end = bytes_.find("\r\n", at_);
  if (broken_ || line_end == std::string_view::npos) {
    return false;
  }
  const std::string_view line = bytes_.substr(at_ + 1, line_end - at_ - 1);
  size_t end = line_end + 2;
  token = {.kind = bytes_[at_], .text = line, .number = 0};
  switch (token.kind) {
    case '+':
    case '-':
    case '_':
    case ',':
    case '#':
    case '(':
      break;
    case ':':
      if (!ReadNumber(line, token.number)) {
        return false;
      }
      break;
    case '$':
    case '=':
    case '*':
    case '~':
    case '>':
    case '%': {
      if (!ReadNumber(line, token.number)) {
        return false;
      }
      if (token.number < 0) {
        token = {.kind = '_', .text = {}};
      } else if (token.kind == '$' || token.kind == '=') {
        broken_ = token.number > kBulkBytesMax;
        const auto length = static_cast<size_t>(token.number);
        if (broken_ || bytes_.size() < end + length + 2) {
          return false;
        }
        token.text = bytes_.substr(end, length);
        end += length + 2;
      } else if (token.kind == '%') {
        token.number *= 2;
      }
      break;
    }
    default:
      broken_ = true;
      return false;
  }
  at_ = end;
  return true;
}

bool ReplyCursor::SkipElements(const Token& token) {
  const bool aggregate =
      token.kind == '*' || token.kind == '~' || token.kind == '>' || token.kind == '%';
  int64_t missing = aggregate ? token.number : 0;
  Token element;
  while (missing > 0) {
    if (!Next(element)) {
      return false;
    }
    --missing;
    if (element.kind == '*' || element.kind == '~' || element.kind == '>' || element.kind == '%') {
      missing += element.number;
    }
  }
  return true;
}

}  // namespace luna::bench
