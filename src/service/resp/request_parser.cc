#include "service/resp/request_parser.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "base/assert.h"

namespace luna::resp {

namespace {

constexpr size_t kBufferBytes = size_t{16} << 10;  // what a connection keeps
constexpr size_t kLeastRoom = size_t{4} << 10;     // less is not worth a system call
constexpr size_t kAheadBytes = size_t{1} << 20;    // reserved for a bulk beyond what was received
constexpr size_t kKeptPieces = 1024;

// As Redis' string2ll: no spaces, no plus, no leading zeros.
bool ParseLength(std::string_view text, int64_t& value) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() > 1)) {
    return false;
  }
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// One word of a line, decoded over itself: what is written never overtakes what is read.
class WordReader {
 public:
  WordReader(char* begin, char* end) : in_(begin), end_(end), out_(begin) {}

  // False: quotes do not match. Else the word lies at `begin`, and in() is behind it.
  bool Read() {
    while (in_ != end_ && *in_ != ' ' && *in_ != '\t' && *in_ != '\r' && *in_ != '\n') {
      const char c = *in_++;
      if (c != '"' && c != '\'') {
        *out_++ = c;
        continue;
      }
      const bool closed = c == '"' ? ReadDouble() : ReadSingle();
      // What follows closing quotes must be the end of the word.
      return closed && (in_ == end_ || IsBlank(*in_));
    }
    return true;
  }
  char* in() const { return in_; }
  char* out() const { return out_; }

 private:
  bool ReadDouble() {
    while (in_ != end_) {
      const char c = *in_++;
      if (c == '"') {
        return true;
      }
      *out_++ = c == '\\' && in_ != end_ ? Escaped() : c;
    }
    return false;
  }

  char Escaped() {
    if (*in_ == 'x' && end_ - in_ >= 3 && HexDigit(in_[1]) >= 0 && HexDigit(in_[2]) >= 0) {
      const int byte = HexDigit(in_[1]) * 16 + HexDigit(in_[2]);
      in_ += 3;
      return static_cast<char>(byte);
    }
    const char c = *in_++;
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'b':
        return '\b';
      case 'a':
        return '\a';
      default:
        return c;
    }
  }

  bool ReadSingle() {
    while (in_ != end_) {
      char c = *in_++;
      if (c == '\'') {
        return true;
      }
      if (c == '\\' && in_ != end_ && *in_ == '\'') {
        c = *in_++;
      }
      *out_++ = c;
    }
    return false;
  }

  char* in_;
  char* end_;
  char* out_;
};

}  // namespace

RequestParser::RequestParser(Limits limits) : limits_(limits) {}

void RequestParser::Reallocate(size_t capacity) {
  const size_t live = end_ - begin_;
  auto buffer = std::make_unique_for_overwrite<char[]>(capacity);
  if (live > 0) {
    std::memcpy(buffer.get(), buffer_.get() + begin_, live);
  }
  buffer_ = std::move(buffer);
  capacity_ = capacity;
  begin_ = 0;
  end_ = live;
}

std::span<char> RequestParser::Room() {
  const size_t live = end_ - begin_;
  size_t wanted = kLeastRoom;
  size_t least = kLeastRoom;
  size_t target = kBufferBytes;
  if (live == 0) {
    begin_ = end_ = 0;
    if (pieces_.capacity() > kKeptPieces) {
      std::vector<Piece>().swap(pieces_);
    }
  } else if (bulk_ != kUnknown) {
    // Exactly the rest of the bulk, but no more ahead than has come already.
    const size_t whole = cursor_ + bulk_ + 2;
    const size_t rest = whole > live ? whole - live : 1;
    wanted = std::max(kLeastRoom, std::min(rest, std::max(kAheadBytes, live)));
    least = std::min(least, rest);
    target = std::max(kBufferBytes, live + wanted);
  } else if (live + kLeastRoom > kBufferBytes) {
    target = 2 * live;
  }
  const bool oversized = live == 0 ? capacity_ > target : capacity_ / 4 > target;
  if (oversized || capacity_ - live < least) {
    Reallocate(std::max(target, live + wanted));
  } else if (capacity_ - end_ < least) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, live);
    begin_ = 0;
    end_ = live;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void RequestParser::Filled(size_t bytes) {
  LUNA_ASSERT(bytes <= capacity_ - end_);
  end_ += bytes;
}

void RequestParser::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = Room();
    const size_t taken = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), taken);
    Filled(taken);
    bytes.remove_prefix(taken);
  }
}

void RequestParser::Release() {
  if (begin_ == end_) {
    buffer_.reset();
    capacity_ = begin_ = end_ = 0;
    std::vector<Piece>().swap(pieces_);
  }
}

RequestParser::Step RequestParser::Fail(std::string_view what) {
  failure_ = Error(Reason::kBadInput, std::string(what));
  return Step::kFailed;
}

Result<bool> RequestParser::Next(std::vector<std::string_view>& arguments) {
  if (failure_) {
    return *failure_;
  }
  Step step = Step::kDone;
  size_t first = begin_;
  // Empty lines and arrays are requests without arguments.
  do {
    if (begin_ == end_) {
      return false;
    }
    first = begin_;
    step = buffer_[begin_] == '*' ? ReadArray() : ReadInline();
  } while (step == Step::kDone && pieces_.empty());
  if (step == Step::kFailed) {
    return *failure_;
  }
  if (step == Step::kMore) {
    return false;
  }
  arguments.resize(pieces_.size());
  const char* base = buffer_.get() + first;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    arguments[i] = {base + pieces_[i].offset, pieces_[i].length};
  }
  pieces_.clear();
  return true;
}

namespace {

// Takes "$5\r\nhello\r\n" from the front of `bytes`; false: that is not, or not all, there.
bool TakeShortBulk(std::string_view& bytes, std::string_view& word) {
  constexpr size_t kDigits = 5;
  size_t length = 0;
  size_t at = 1;
  for (; at < bytes.size() && at <= kDigits && bytes[at] >= '0' && bytes[at] <= '9'; ++at) {
    length = length * 10 + static_cast<size_t>(bytes[at] - '0');
  }
  if (at == 1 || bytes[0] != '$' || bytes.size() < at + 2 + length + 2) {
    return false;
  }
  word = bytes.substr(at + 2, length);
  bytes.remove_prefix(at + 2 + length + 2);
  return true;
}

}  // namespace

void RequestParser::Ahead(std::string_view name, size_t most,
                          std::vector<std::string_view>& seconds) const {
  constexpr std::string_view kTwo = "*2\r\n";
  std::string_view bytes = cursor_ == 0 ? Rest() : std::string_view();
  std::string_view first;
  std::string_view second;
  while (most-- > 0 && bytes.starts_with(kTwo)) {
    bytes.remove_prefix(kTwo.size());
    if (!TakeShortBulk(bytes, first) || first != name || !TakeShortBulk(bytes, second)) {
      return;
    }
    seconds.push_back(second);
  }
}

void RequestParser::FinishRequest(size_t length) {
  begin_ += length;
  cursor_ = missing_ = searched_ = 0;
  bulk_ = kUnknown;
}

RequestParser::Step RequestParser::ReadLength(std::string_view too_long, std::string_view invalid,
                                              int64_t& length, size_t& end) {
  const char* const line = buffer_.get() + begin_ + cursor_;
  const size_t there = end_ - begin_ - cursor_;
  // Nearly every length is one to five digits that are all there.
  int64_t value = 0;
  size_t i = 1;
  for (; i < there && i <= 5 && line[i] >= '0' && line[i] <= '9'; ++i) {
    value = value * 10 + (line[i] - '0');
  }
  if (i > 1 && i + 1 < there && line[i] == '\r' && (line[1] != '0' || i == 2)) [[likely]] {
    length = value;
    end = cursor_ + i + 2;
    searched_ = 0;
    return Step::kDone;
  }
  return ReadLongLength(too_long, invalid, length, end);
}

RequestParser::Step RequestParser::ReadLongLength(std::string_view too_long,
                                                  std::string_view invalid, int64_t& length,
                                                  size_t& end) {
  const char* const line = buffer_.get() + begin_ + cursor_;
  const size_t there = end_ - begin_ - cursor_;
  // Never past the limit, so that the answer is the same however the bytes arrive.
  const size_t most = std::min(there, limits_.inline_bytes + 1);
  const void* found =
      searched_ < most ? std::memchr(line + searched_, '\r', most - searched_) : nullptr;
  if (found == nullptr) {
    searched_ = most;
    return there > limits_.inline_bytes ? Fail(too_long) : Step::kMore;
  }
  const auto at = static_cast<size_t>(static_cast<const char*>(found) - line);
  searched_ = at;
  if (at + 2 > there) {
    return Step::kMore;
  }
  if (line[0] == '$' || line[0] == '*') {
    if (!ParseLength({line + 1, at - 1}, length)) {
      return Fail(invalid);
    }
  }
  searched_ = 0;
  end = cursor_ + at + 2;
  return Step::kDone;
}

RequestParser::Step RequestParser::ReadArray() {
  if (cursor_ == 0) {
    int64_t count = 0;
    size_t end = 0;
    const Step step =
        ReadLength("too big mbulk count string", "invalid multibulk length", count, end);
    if (step != Step::kDone) {
      return step;
    }
    if (count > 0 && static_cast<uint64_t>(count) > limits_.arguments) {
      return Fail(limits_.authenticated ? "invalid multibulk length"
                                        : "unauthenticated multibulk length");
    }
    cursor_ = end;
    missing_ = count > 0 ? static_cast<size_t>(count) : 0;
  }
  while (missing_ > 0) {
    const Step step = ReadBulk();
    if (step != Step::kDone) {
      return step;
    }
  }
  FinishRequest(cursor_);
  return Step::kDone;
}

RequestParser::Step RequestParser::ReadBulk() {
  const size_t there = end_ - begin_;
  if (bulk_ == kUnknown) {
    if (cursor_ >= there) {
      return Step::kMore;
    }
    int64_t length = 0;
    size_t end = 0;
    const Step step = ReadLength("too big bulk count string", "invalid bulk length", length, end);
    if (step == Step::kFailed || step == Step::kMore) {
      return step;
    }
    const char kind = buffer_[begin_ + cursor_];
    if (kind != '$') {
      return Fail(std::string("expected '$', got '") + kind + "'");
    }
    if (length < 0) {
      return Fail("invalid bulk length");
    }
    if (static_cast<uint64_t>(length) > limits_.bulk_bytes) {
      return Fail(limits_.authenticated ? "invalid bulk length" : "unauthenticated bulk length");
    }
    if (end + static_cast<size_t>(length) > limits_.request_bytes) {
      return Fail("too big request");
    }
    cursor_ = end;
    bulk_ = static_cast<size_t>(length);
  }
  if (there < cursor_ + bulk_ + 2) {
    return Step::kMore;
  }
  pieces_.push_back({cursor_, bulk_});
  cursor_ += bulk_ + 2;
  bulk_ = kUnknown;
  --missing_;
  return Step::kDone;
}

RequestParser::Step RequestParser::ReadInline() {
  const char* const line = buffer_.get() + begin_;
  const size_t there = end_ - begin_;
  const size_t most = std::min(there, limits_.inline_bytes + 1);
  const void* found =
      searched_ < most ? std::memchr(line + searched_, '\n', most - searched_) : nullptr;
  if (found == nullptr) {
    searched_ = most;
    return there > limits_.inline_bytes ? Fail("too big inline request") : Step::kMore;
  }
  const auto length = static_cast<size_t>(static_cast<const char*>(found) - line);
  if (!SplitLine(length)) {
    return Fail("unbalanced quotes in request");
  }
  FinishRequest(length + 1);
  return Step::kDone;
}

bool RequestParser::SplitLine(size_t length) {
  char* const begin = buffer_.get() + begin_;
  char* const end = begin + length;
  for (char* p = begin;;) {
    while (p != end && IsBlank(*p)) {
      ++p;
    }
    if (p == end) {
      return true;
    }
    WordReader word(p, end);
    if (!word.Read()) {
      return false;
    }
    pieces_.push_back({static_cast<size_t>(p - begin), static_cast<size_t>(word.out() - p)});
    p = word.in();
  }
}

}  // namespace luna::resp
