// `luna top`: what a service does, each second, on a terminal; once, where there is none.
// Thread rule: called once, from main.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "luna/status.h"
#include "service/resp/reply_parser.h"

namespace luna::top {

// One command to the server and its reply.
using Ask = std::function<Result<resp::Reply>(std::span<const std::string_view>)>;
// A new connection.
using Connect = std::function<Result<Ask>()>;

struct Settings {
  std::string server;  // what the screen calls it
  double interval_seconds = 1;
  bool once = false;  // one view, then the end
  bool json = false;  // as JSON; one view
};

// Until q, Ctrl-C or a signal. The exit code. kBadOption; what connecting says; a lost connection
// is made again while the screen is up.
Result<int> RunTop(const Settings& settings, const Connect& connect);

}  // namespace luna::top
