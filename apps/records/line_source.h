// LineSource: the lines of a file or of standard input, one at a time, in constant memory.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::records {

class LineSource {
 public:
  // "-" is standard input. Errors: kFileMissing, kIoError.
  static Result<std::unique_ptr<LineSource>> Open(const std::string& path);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  // The next line without its newline, valid until the next call; nothing at the end. kIoError;
  // kBadInput for a line that is longer than any record may be.
  Result<std::optional<std::string_view>> Next();

  uint64_t line() const { return line_; }                 // number of the line Next gave, from 1
  uint64_t bytes() const { return consumed_; }            // up to the end of that line
  std::optional<uint64_t> size() const { return size_; }  // nothing for a pipe
  const std::string& name() const { return name_; }       // for messages

 private:
  LineSource(int descriptor, bool owned, std::string name);
  Status Fill();

  const int descriptor_;
  const bool owned_;
  const std::string name_;
  std::optional<uint64_t> size_;
  std::string buffer_;
  size_t begin_ = 0;    // of what was not given out yet, in buffer_
  size_t scanned_ = 0;  // no newline between begin_ and here
  bool end_ = false;
  uint64_t line_ = 0;
  uint64_t consumed_ = 0;
};

}  // namespace luna::records
