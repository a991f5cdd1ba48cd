// Foresight: what a connection is about to read, so that several keys are looked up together and
// wait for memory at once instead of one after the other. Of a run of reads of one key each the
// connection asks itself; single ones of many connections their handler gathers. Every command
// still runs by itself: only its answer is known already. It may be, as the command was received
// before that was found: whoever writes meanwhile does so beside it. So that it stays so, and reads
// of one client go forward in time, what was found is forgotten when anything else happens to the
// connection. Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/collection.h"
#include "service/command/access.h"
#include "service/resp/request_parser.h"

namespace luna::connection {

class Foresight {
 public:
  static constexpr size_t kAtOnce = 16;  // keys; more would push one another out again

  // A read with `arguments`, its name and its key, is about to run; `parser` gave it last. What is
  // known of that key in `collection`, valid until the next call; null: nothing.
  command::Foreseen* Read(std::span<const std::string_view> arguments,
                          const resp::RequestParser& parser, Collection& collection);
  // The key of the only request that `parser` holds, if it looks like the last read; else nothing.
  std::optional<std::string_view> Single(const resp::RequestParser& parser);
  // The collection with that id was asked for that key, which Single gave: for the next Read.
  void Found(uint64_t collection, std::string_view key, Peeked answer);
  // Another command is about to run, or the keys' bytes are about to go.
  void Forget();

 private:
  command::Foreseen* Next();  // of keys_[next_]

  std::string name_;                    // of the last read, as the client wrote it
  std::vector<std::string_view> keys_;  // of reads to come, in order
  std::vector<Peeked> answers_;         // as many, by the collection with that id
  uint64_t collection_ = 0;
  size_t next_ = 0;
  command::Foreseen given_;
};

}  // namespace luna::connection
