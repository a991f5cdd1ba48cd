#include "service/follower/lane.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace luna::follower {

namespace {

constexpr int kReadsOfATurn = 4;  // then others have theirs

// All replies come through here.
size_t Find(std::string_view bytes, std::string_view mark) {
  const void* found = ::memmem(bytes.data(), bytes.size(), mark.data(), mark.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
}

// How many bytes at the end are the beginning of the mark, which is not there whole.
size_t BeginsAtEnd(std::string_view bytes, std::string_view mark) {
  const std::string_view tail = bytes.substr(bytes.size() - std::min(bytes.size(), mark.size()));
  for (size_t at = tail.find(mark[0]); at != std::string_view::npos;
       at = tail.find(mark[0], at + 1)) {
    if (mark.starts_with(tail.substr(at))) {
      return tail.size() - at;
    }
  }
  return 0;
}

}  // namespace

void Lane::NoticedSource(const runtime::Ready& ready) {
  readable_ = readable_ || ready.readable;
  end_seen_ = end_seen_ || ready.ended;
}

void Lane::NoticedSink(const runtime::Ready& ready) {
  writable_ = writable_ || ready.writable || ready.ended;
}

void Lane::Took(const runtime::Transfer& read, size_t offered) {
  source_ended_ = source_ended_ || read.ended;
  // What comes later is reported again, but an end that was reported already is not.
  if (read.bytes == 0 || (read.bytes < offered && !end_seen_)) {
    readable_ = false;
  }
}

Result<runtime::Transfer> Lane::ReadFirst(runtime::Socket& source, std::span<char> scratch) {
  if (!readable_ || source_ended_ || scratch.empty()) {
    return runtime::Transfer{};
  }
  const runtime::Transfer read = TRY(source.Read(scratch));
  Took(read, scratch.size());
  std::string joined;
  kept_.append(Sift({scratch.data(), read.bytes}, joined));
  return read;
}

std::string_view Lane::Sift(std::string_view bytes, std::string& joined) {
  if (mark_.empty()) {
    return bytes;
  }
  if (marked_) {
    behind_.append(bytes);
    return {};
  }
  if (held_ > 0) {
    joined.assign(mark_, 0, std::exchange(held_, 0));
    joined.append(bytes);
    bytes = joined;
  }
  if (const size_t at = Find(bytes, mark_); at != std::string_view::npos) {
    marked_ = true;
    behind_.assign(bytes.substr(at + mark_.size()));
    return bytes.substr(0, at);
  }
  if (!source_ended_) {
    held_ = BeginsAtEnd(bytes, mark_);
    bytes.remove_suffix(held_);
  }
  return bytes;
}

void Lane::Redirect(std::string first) {
  first.append(kept_, sent_);
  kept_ = std::move(first);
  sent_ = 0;
  writable_ = true;
  end_passed_ = false;
}

bool Lane::WriteTo(runtime::Socket& sink, std::string_view& bytes) {
  const auto written = sink.Write(std::span(&bytes, 1));
  if (!written.ok() || written->ended) {
    return false;
  }
  writable_ = written->bytes == bytes.size();
  passed_bytes_ += written->bytes;
  bytes.remove_prefix(written->bytes);
  return true;
}

bool Lane::WriteKept(runtime::Socket& sink) {
  std::string_view rest = std::string_view(kept_).substr(sent_);
  if (!WriteTo(sink, rest)) {
    return false;
  }
  sent_ = kept_.size() - rest.size();
  if (rest.empty()) {
    std::string().swap(kept_);  // most connections are idle: they keep no room
    sent_ = 0;
  }
  return true;
}

bool Lane::Flush(runtime::Socket& sink) {
  return pending() == 0 || !writable_ || WriteKept(sink);
}

Lane::Outcome Lane::PassEnd(runtime::Socket& sink) {
  if (!end_passed_) {
    sink.FinishWrites();
    end_passed_ = true;
  }
  return Outcome::kEnded;
}

Lane::Outcome Lane::Pump(runtime::Socket& source, runtime::Socket& sink, std::span<char> scratch) {
  for (int reads = 0; reads < kReadsOfATurn && !marked_; ++reads) {
    if (pending() > 0) {
      if (!writable_) {
        return Outcome::kWaits;
      }
      if (!WriteKept(sink)) {
        return Outcome::kSinkLost;
      }
      if (pending() > 0) {
        return Outcome::kWaits;
      }
    }
    if (source_ended_) {
      return PassEnd(sink);
    }
    if (!readable_) {
      return Outcome::kWaits;
    }
    const auto read = source.Read(scratch);
    if (!read.ok()) {
      return Outcome::kSourceLost;
    }
    Took(*read, scratch.size());
    std::string joined;
    std::string_view bytes = Sift({scratch.data(), read->bytes}, joined);
    if (!bytes.empty() && !WriteTo(sink, bytes)) {
      return Outcome::kSinkLost;
    }
    kept_.assign(bytes);
    sent_ = 0;
  }
  return marked_ ? Outcome::kMarked : Outcome::kMore;
}

}  // namespace luna::follower
