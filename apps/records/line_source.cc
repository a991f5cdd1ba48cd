#include "apps/records/line_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/try.h"

namespace luna::records {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;
// A value of 512 MiB, every byte of it escaped.
constexpr size_t kMaxLineBytes = size_t{2300} << 20;

Error SystemError(const std::string& name, const std::string& what, int number) {
  const Reason reason = number == ENOENT ? Reason::kFileMissing : Reason::kIoError;
  return Error(reason, name + ": " + what + ": " + std::strerror(number) +
                           "; name a file that can be read, or - for standard input");
}

}  // namespace

LineSource::LineSource(int descriptor, bool owned, std::string name)
    : descriptor_(descriptor), owned_(owned), name_(std::move(name)) {
  struct stat status{};
  if (fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<uint64_t>(status.st_size);
  }
}

LineSource::~LineSource() {
  if (owned_) {
    close(descriptor_);
  }
}

Result<std::unique_ptr<LineSource>> LineSource::Open(const std::string& path) {
  if (path == "-") {
    return std::unique_ptr<LineSource>(new LineSource(STDIN_FILENO, false, "standard input"));
  }
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return SystemError(path, "cannot be opened", errno);
  }
  struct stat status{};
  if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    close(descriptor);
    return Error(Reason::kFileMissing,
                 path + ": is a directory; name a file that can be read, or - for standard input");
  }
  return std::unique_ptr<LineSource>(new LineSource(descriptor, true, path));
}

Status LineSource::Fill() {
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const size_t before = buffer_.size();
  if (before > kMaxLineBytes) {
    return Error(Reason::kBadInput, name_ + " line " + std::to_string(line_ + 1) +
                                        " is longer than any record may be; is it text at all?");
  }
  // Long lines grow the buffer by doubling, so that they are not copied over and over.
  buffer_.resize(before + std::max(kChunkBytes, before));
  ssize_t got = 0;
  do {
    got = read(descriptor_, buffer_.data() + before, buffer_.size() - before);
  } while (got < 0 && errno == EINTR);
  const int number = errno;
  buffer_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) {
    return SystemError(name_, "cannot be read", number);
  }
  end_ = got == 0;
  return {};
}

Result<std::optional<std::string_view>> LineSource::Next() {
  size_t newline = std::string::npos;
  while ((newline = buffer_.find('\n', scanned_)) == std::string::npos && !end_) {
    scanned_ = buffer_.size();
    TRY(Fill());
  }
  const bool last = newline == std::string::npos;
  const size_t stop = last ? buffer_.size() : newline;
  const std::string_view line = std::string_view(buffer_).substr(begin_, stop - begin_);
  if (last && line.empty()) {
    return std::optional<std::string_view>();
  }
  ++line_;
  consumed_ += line.size() + (last ? 0 : 1);
  begin_ = stop + (last ? 0 : 1);
  scanned_ = begin_;
  return std::optional<std::string_view>(line);
}

}  // namespace luna::records
