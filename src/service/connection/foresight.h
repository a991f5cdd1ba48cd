// Foresight: what a connection is about to read, so that its collection hears of several keys
// beforehand and they wait for memory together instead of one after the other. Of a run of reads of
// one key each the connection tells itself; single ones of many connections their handler gathers.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "luna/collection.h"
#include "service/resp/request_parser.h"

namespace luna::connection {

class Foresight {
 public:
  static constexpr size_t kAtOnce = 16;  // keys; more would push one another out again

  // A read with `arguments`, its name and its key, is about to run; `parser` gave it last.
  void Read(std::span<const std::string_view> arguments, const resp::RequestParser& parser,
            Collection& collection);
  // The key of the only request that `parser` holds, if it looks like the last read; else nothing.
  std::optional<std::string_view> Single(const resp::RequestParser& parser);

 private:
  std::string name_;  // of the last read, as the client wrote it
  std::vector<std::string_view> keys_;
  size_t expected_ = 0;  // reads to come whose keys the collection has heard
};

}  // namespace luna::connection
