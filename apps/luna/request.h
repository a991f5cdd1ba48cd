// Request: what the command line asked for, in the words of the verbs. main.cc fills it; verbs read
// it and know nothing of the command line.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/client/client.h"
#include "luna/options.h"

namespace luna::cli {

// How replies look.
enum class Look : uint8_t {
  kFitting,  // kPretty on a terminal, else kLines
  kPretty,
  kLines,  // strings as they are, one a line
  kRaw,    // as kLines, but nothing is put behind a lone string
  kJson,
  kCsv,
};

struct Request {
  // Where, and as whom. A universe in it means: without a server.
  client::Target target;
  std::string universe = "./luna-data";  // of the verbs that need a directory

  Look look = Look::kFitting;
  bool escaped = false;          // arguments of commands are written with escapes
  bool last_from_input = false;  // standard input is the last argument
  bool stop_on_error = false;    // commands from standard input end with the first failure
  bool yes = false;              // nothing is asked

  std::vector<std::string> command;  // empty: prompt, or standard input

  std::string file;  // load, export, demo: a path or "-"; attach: the directory
  std::string to;    // attach: a location
  bool replace = false;
  std::string format;
  std::string key_field;
  std::string value_field;
  bool skip_bad = false;
  bool raw = false;                // load: no escapes in tsv
  std::string begin, end, prefix;  // export

  bool json() const { return look == Look::kJson; }
};

}  // namespace luna::cli
