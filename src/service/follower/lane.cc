#include "service/follower/lane.h"

#include "base/try.h"

namespace luna::follower {

namespace {

constexpr int kReadsOfATurn = 4;  // then others have theirs

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
  kept_.append(scratch.data(), read.bytes);
  return read;
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

Lane::Outcome Lane::PassEnd(runtime::Socket& sink) {
  if (!end_passed_) {
    sink.FinishWrites();
    end_passed_ = true;
  }
  return Outcome::kEnded;
}

Lane::Outcome Lane::Pump(runtime::Socket& source, runtime::Socket& sink, std::span<char> scratch) {
  for (int reads = 0; reads < kReadsOfATurn; ++reads) {
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
    std::string_view bytes(scratch.data(), read->bytes);
    if (!bytes.empty() && !WriteTo(sink, bytes)) {
      return Outcome::kSinkLost;
    }
    kept_.assign(bytes);
    sent_ = 0;
  }
  return Outcome::kMore;
}

}  // namespace luna::follower
