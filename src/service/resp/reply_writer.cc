#include "service/resp/reply_writer.h"

#include <charconv>
#include <cmath>

namespace luna::resp {

namespace {

// What %.17g prints, with as few digits as give the same number back.
std::string_view Shortest(double value, char (&room)[64]) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  char* end = room;
  for (int digits = 15; digits <= 17; ++digits) {
    end = std::to_chars(room, room + sizeof(room), value, std::chars_format::general, digits).ptr;
    double back = 0;
    std::from_chars(room, end, back);
    if (back == value) {
      break;
    }
  }
  return {room, end};
}

}  // namespace

void ReplyWriter::Header(char kind, int64_t number) {
  char line[24];
  line[0] = kind;
  char* end = std::to_chars(line + 1, line + sizeof(line) - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out_->append(line, end);
}

void ReplyWriter::Simple(std::string_view text) {
  out_->push_back('+');
  out_->append(text);
  out_->append("\r\n");
}

void ReplyWriter::Fail(std::string_view text) {
  out_->push_back('-');
  const size_t begin = out_->size();
  out_->append(text);
  for (size_t i = begin; i < out_->size(); ++i) {
    char& c = (*out_)[i];
    if (c == '\r' || c == '\n') {
      c = ' ';
    }
  }
  out_->append("\r\n");
}

void ReplyWriter::Integer(int64_t value) {
  Header(':', value);
}

void ReplyWriter::Bulk(std::string_view bytes) {
  Header('$', static_cast<int64_t>(bytes.size()));
  out_->append(bytes);
  out_->append("\r\n");
}

void ReplyWriter::Verbatim(std::string_view text) {
  if (version_ == Version::k2) {
    return Bulk(text);
  }
  Header('=', static_cast<int64_t>(text.size()) + 4);
  out_->append("txt:");
  out_->append(text);
  out_->append("\r\n");
}

void ReplyWriter::Null() {
  out_->append(version_ == Version::k2 ? "$-1\r\n" : "_\r\n");
}

void ReplyWriter::NullArray() {
  out_->append(version_ == Version::k2 ? "*-1\r\n" : "_\r\n");
}

void ReplyWriter::Double(double value) {
  char room[64];
  const std::string_view text = Shortest(value, room);
  if (version_ == Version::k2) {
    return Bulk(text);
  }
  out_->push_back(',');
  out_->append(text);
  out_->append("\r\n");
}

void ReplyWriter::Boolean(bool value) {
  if (version_ == Version::k2) {
    return Integer(value ? 1 : 0);
  }
  out_->append(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::Array(size_t count) {
  Header('*', static_cast<int64_t>(count));
}

void ReplyWriter::Map(size_t count) {
  if (version_ == Version::k2) {
    return Array(2 * count);
  }
  Header('%', static_cast<int64_t>(count));
}

void ReplyWriter::Set(size_t count) {
  Header(version_ == Version::k2 ? '*' : '~', static_cast<int64_t>(count));
}

void ReplyWriter::Push(size_t count) {
  Header(version_ == Version::k2 ? '*' : '>', static_cast<int64_t>(count));
}

}  // namespace luna::resp
