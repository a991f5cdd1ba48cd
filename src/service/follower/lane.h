// Lane: one direction of a connection that is passed on. Bytes go from the source's read straight
// into the sink's write; only what the sink did not take is kept, and then nothing more is read
// until it is gone. The source's end is passed on after its last byte. A lane may watch for a mark
// in what it reads: what comes before it is passed on; it and what follows are not. The end of a
// read that may be its beginning waits for the next, or for the source's end.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/network.h"

namespace luna::follower {

class Lane {
 public:
  enum class Outcome : uint8_t {
    kWaits,       // until a socket reports something
    kMore,        // there may be more now, but others should have their turn
    kEnded,       // all was passed on, with the end
    kMarked,      // the mark was read: nothing more is, but some before it may be pending
    kSourceLost,  // nothing more can be read
    kSinkLost,    // nobody takes bytes any more
  };

  // What the Poller said of the two sockets.
  void NoticedSource(const runtime::Ready& ready);
  void NoticedSink(const runtime::Ready& ready);

  // One read into `scratch`, kept until Pump: the first bytes, before there is a sink. Its bytes.
  Result<runtime::Transfer> ReadFirst(runtime::Socket& source, std::span<char> scratch);
  // From here on; not empty. Bytes that are kept already are not looked at.
  void Watch(std::string mark) { mark_ = std::move(mark); }
  bool marked() const { return marked_; }  // it was read
  // Takes away what was read behind it.
  std::string TakeBehindMark() { return std::exchange(behind_, {}); }

  // Bytes from elsewhere, that go before what is read.
  void Keep(std::string_view bytes) { kept_.append(bytes); }
  std::string_view kept() const { return kept_; }  // before the first Pump
  // Takes away what was read first.
  std::string TakeKept() { return std::exchange(kept_, {}); }
  // Passes on what there is, through `scratch`, which bounds what is kept.
  Outcome Pump(runtime::Socket& source, runtime::Socket& sink, std::span<char> scratch);
  // Passes on what is pending, and reads nothing. False: the sink is lost.
  bool Flush(runtime::Socket& sink);
  // The sink gets no more, whatever is pending.
  void Finish(runtime::Socket& sink) { PassEnd(sink); }
  // What comes now is for another sink: first these bytes, then what the last one did not take.
  void Redirect(std::string first);

  bool source_ended() const { return source_ended_; }  // it was read
  size_t pending() const { return kept_.size() - sent_; }
  uint64_t passed_bytes() const { return passed_bytes_; }

 private:
  // Writes as much of `bytes` as the sink takes, and counts it there. False: the sink is lost.
  bool WriteTo(runtime::Socket& sink, std::string_view& bytes);
  bool WriteKept(runtime::Socket& sink);
  void Took(const runtime::Transfer& read, size_t offered);
  // What of these bytes, the last that were read, is to be passed on. Views them or `joined`.
  std::string_view Sift(std::string_view bytes, std::string& joined);
  Outcome PassEnd(runtime::Socket& sink);

  std::string kept_;  // what the sink did not take yet, from sent_ on
  size_t sent_ = 0;
  uint64_t passed_bytes_ = 0;
  std::string mark_;       // empty: nothing is watched for
  size_t held_ = 0;        // bytes of it that ended the last read
  bool marked_ = false;    // it was read
  std::string behind_;     // what was read after it
  bool readable_ = true;   // as far as is known
  bool writable_ = true;   // as far as is known
  bool end_seen_ = false;  // the Poller knows of the end: read on to it
  bool source_ended_ = false;
  bool end_passed_ = false;
};

}  // namespace luna::follower
