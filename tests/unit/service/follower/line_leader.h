// A leader that answers lines, and gives its lead away: it hands its connections on as a service
// does. What it was greeted and introduced with it takes.
// Thread rule: owned by one thread but for answered(), which is safe.
#pragma once

#include <array>
#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/service/follower/follower_world.h"

namespace luna::follower {

// What every client of a LineLeader is introduced with to the next one.
inline constexpr std::string_view kIntroduction = "who\r\n";

class LineLeader {
 public:
  // Begins so many lines of all its clients.
  LineLeader(runtime::Runtime& runtime, runtime::Network& network,
             const std::string& address = "127.0.0.1:0",
             size_t most = std::numeric_limits<size_t>::max())
      : most_(most),
        poller_(network.NewPoller()),
        listener_(network.Listen(address).value()),
        address_(listener_->address()) {
    poller_->Add(*listener_, kListener).value();
    thread_ = runtime.Spawn("lines", runtime::ThreadClass::kForeground, [this] { Run(); });
  }
  ~LineLeader() { HandOn(); }

  const std::string& address() const { return address_; }
  size_t answered() const { return answered_; }
  // Answers what it began, and leads no more. Its clients, with what nobody began.
  std::vector<command::Departing> HandOn() {
    if (thread_ != nullptr) {
      stopping_ = true;
      poller_->Wake();
      thread_->Join();
      thread_ = nullptr;
    }
    return std::exchange(left_, {});
  }
  // Those that it answered, in its order; after HandOn.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static constexpr uint64_t kListener = ~uint64_t{0} - 1;
  struct Peer {
    std::unique_ptr<runtime::Socket> socket;
    std::string mark;  // empty: it did not greet yet
    std::string said;  // and not begun
    std::string words;
    bool ended = false;
  };

  void Run() {
    while (!stopping_) {
      std::array<runtime::Ready, 64> ready;
      const size_t count = poller_->Wait(ready, 20 * kMilli);
      for (size_t i = 0; i < count; ++i) {
        ready[i].tag == kListener ? AcceptAll() : Serve(ready[i].tag);
      }
    }
    for (auto& [tag, peer] : peers_) {
      for (int looks = 0; looks < 1000 && !peer.words.empty() && Say(peer); ++looks) {
        std::array<runtime::Ready, 64> ready;
        poller_->Wait(ready, 10 * kMilli);
      }
      poller_->Remove(*peer.socket);
      if (!peer.mark.empty() && !peer.ended) {
        left_.push_back({.client = std::move(peer.socket),
                         .introduction = std::string(kIntroduction),
                         .unheard = 1,
                         .bytes = std::move(peer.said),
                         .mark = peer.mark});
      }
    }
    peers_.clear();
    poller_->Remove(*listener_);
    listener_ = nullptr;
  }
  void AcceptAll() {
    while (auto socket = listener_->Accept().value()) {
      poller_->Add(*socket, next_tag_).value();
      peers_[next_tag_++].socket = std::move(socket);
    }
  }
  void Serve(uint64_t tag) {
    const auto found = peers_.find(tag);
    if (found == peers_.end()) {
      return;
    }
    Peer& peer = found->second;
    std::array<char, 4096> buffer;
    while (!peer.ended) {
      const auto read = peer.socket->Read(buffer);
      peer.ended = !read.ok() || read->ended;
      if (!read.ok() || read->bytes == 0) {
        break;
      }
      peer.said.append(buffer.data(), read->bytes);
    }
    Answer(peer);
    if (!Say(peer) || (peer.ended && peer.words.empty())) {
      poller_->Remove(*peer.socket);
      peers_.erase(found);
    }
  }
  void Answer(Peer& peer) {
    if (peer.mark.empty()) {
      if (peer.said.size() < kGreetingBytes) {
        return;
      }
      peer.mark = peer.said.substr(kGreetingBytes - command::kMarkDigits - 2, command::kMarkDigits);
      peer.said.erase(0, kGreetingBytes);
      peer.words += "+OK\r\n";
    }
    size_t end = 0;
    while ((end = peer.said.find("\r\n")) != std::string::npos) {
      const bool introduces = peer.said.starts_with(kIntroduction);
      if (!introduces && answered_ >= most_) {
        return;
      }
      peer.words += "+" + peer.said.substr(0, end + 2);
      if (!introduces) {
        lines_.push_back(peer.said.substr(0, end));
        ++answered_;
      }
      peer.said.erase(0, end + 2);
    }
  }
  // False: nobody takes it.
  static bool Say(Peer& peer) {
    while (!peer.words.empty()) {
      const std::string_view bytes = peer.words;
      const auto written = peer.socket->Write(std::span(&bytes, 1));
      if (!written.ok() || written->ended) {
        return false;
      }
      if (written->bytes == 0) {
        break;
      }
      peer.words.erase(0, written->bytes);
    }
    return true;
  }

  const size_t most_;
  const std::unique_ptr<runtime::Poller> poller_;
  std::unique_ptr<runtime::Listener> listener_;
  const std::string address_;
  std::map<uint64_t, Peer> peers_;
  uint64_t next_tag_ = 0;
  std::vector<std::string> lines_;
  std::vector<command::Departing> left_;
  std::atomic<bool> stopping_ = false;
  std::atomic<size_t> answered_ = 0;
  std::unique_ptr<runtime::Thread> thread_;
};

}  // namespace luna::follower
