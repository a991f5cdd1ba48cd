#include "apps/bench/lane.h"

#include <algorithm>
#include <array>
#include <span>

namespace luna::bench {
namespace {

constexpr size_t kRoomBytes = size_t{16} << 10;

}  // namespace

void Lane::Send(const Workload& workload, KeyPicker& picker, const Batch& batch, Tally& tally) {
  out_.clear();
  written_ = 0;
  requests_.clear();
  answered_ = 0;
  sent_nanos_ = batch.nanos;
  counts_ = batch.counts;
  for (uint64_t i = 0; i < batch.count; ++i) {
    requests_.push_back(workload.Next(picker, batch.first + i));
    workload.Append(requests_.back(), out_);
  }
  Write(tally);
}

void Lane::Receive(const Workload& workload, runtime::Clock& clock, Tally& tally) {
  while (!lost_ && Read(tally)) {
    Judge(workload, clock.MonotonicNanos(), tally);
  }
}

void Lane::Write(Tally& tally) {
  while (!lost_ && written_ < out_.size()) {
    const std::array<std::string_view, 1> parts = {std::string_view(out_).substr(written_)};
    const Result<runtime::Transfer> written = socket_->Write(parts);
    if (!written.ok()) {
      return Lose(written.error().message(), tally);
    }
    if (written->ended) {
      return Lose("the server closed the connection", tally);
    }
    if (written->bytes == 0) {
      return;  // the poller tells
    }
    written_ += written->bytes;
  }
}

bool Lane::Read(Tally& tally) {
  if (emptied_) {
    emptied_ = false;
    return false;
  }
  if (in_.size() - filled_ < kRoomBytes / 2) {
    in_.resize(std::max(in_.size() * 2, kRoomBytes));
  }
  const std::span<char> room = std::span(in_).subspan(filled_);
  const Result<runtime::Transfer> read = socket_->Read(room);
  if (!read.ok()) {
    Lose(read.error().message(), tally);
    return false;
  }
  filled_ += read->bytes;
  if (read->bytes == 0 && read->ended) {
    Lose("the server closed the connection", tally);
  }
  emptied_ = read->bytes < room.size() && !read->ended;
  return read->bytes > 0;
}

void Lane::Judge(const Workload& workload, uint64_t now_nanos, Tally& tally) {
  ReplyCursor cursor(std::string_view(in_.data(), filled_));
  size_t taken = 0;
  const uint64_t latency = now_nanos - std::min(now_nanos, sent_nanos_);
  while (answered_ < requests_.size() && workload.Check(requests_[answered_], cursor, tally)) {
    taken = cursor.at();
    ++answered_;
    if (counts_) {
      tally.latency_nanos.Add(latency);
    }
  }
  if (cursor.broken()) {
    return Lose("the server sent what is no RESP", tally);
  }
  if (idle() && taken < filled_) {
    return Lose("the server sent more replies than were asked for", tally);
  }
  std::copy(in_.begin() + static_cast<std::ptrdiff_t>(taken),
            in_.begin() + static_cast<std::ptrdiff_t>(filled_), in_.begin());
  filled_ -= taken;
}

void Lane::Lose(std::string_view why, Tally& tally) {
  lost_ = true;
  answered_ = requests_.size();
  tally.Lose(why);
}

}  // namespace luna::bench
