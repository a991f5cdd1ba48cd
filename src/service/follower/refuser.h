// Refuser: what a server that does not lead answers to a client itself. PING, HELLO, QUIT and GROUP
// STATUS are answered; everything else is an error that names the leader, if one is known. Requests
// are parsed only, so what one may hold is small: a larger one is a protocol error.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/command/elsewhere.h"
#include "service/resp/protocol.h"
#include "service/resp/reply_writer.h"
#include "service/resp/request_parser.h"

namespace luna::follower {

class Refuser {
 public:
  // `status` gives the text of GROUP STATUS; it may be empty; it outlives this. `version`: of the
  // replies that the client expects.
  Refuser(const std::function<std::string()>& status, uint64_t client_id,
          resp::Version version = resp::Version::k2);

  // Where received bytes go, as of a RequestParser.
  std::span<char> Room() { return parser_.Room(); }
  void Filled(size_t bytes) { parser_.Filled(bytes); }
  // Bytes that others received.
  void Feed(std::string_view bytes) { parser_.Feed(bytes); }
  void Release() { parser_.Release(); }

  // Answers the next request there is, into `out`. False: more bytes are needed, or it is closing.
  bool AnswerOne(std::string_view leader, std::string& out);
  // Nothing more is answered: the client said goodbye, or nonsense.
  bool closing() const { return closing_; }
  // What it said with HELLO, and what it asked for and was not answered.
  void Leave(command::Departing& departing) const;
  // Commands answered with an error, since the last call.
  uint64_t TakeRefused() { return std::exchange(refused_, 0); }

 private:
  void Ping(resp::ReplyWriter& reply);
  bool Hello(resp::ReplyWriter& reply);  // false: it wants what only a leader can do

  const std::function<std::string()>* status_;
  const uint64_t client_id_;
  resp::RequestParser parser_;
  resp::Version version_;
  std::string hello_;  // the last that was answered, as a request; empty: none was
  std::vector<std::string_view> arguments_;
  bool closing_ = false;
  uint64_t refused_ = 0;
};

}  // namespace luna::follower
