// What `luna bench` was asked for.
// Thread rule: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace luna::bench {

// One kind of request. kFill stores every key once, in order.
enum class TestKind : uint8_t {
  kFill,
  kSet,
  kGet,
  kIncr,
  kMset,
  kMget,
  kRange,
  kTxn,
  kMulti,
  kMixed
};

enum class Distribution : uint8_t { kUniform, kZipf };
enum class Format : uint8_t { kText, kJson, kCsv };

struct Settings {
  // Where.
  std::string server = "127.0.0.1:6479";
  std::string user;      // empty: "default"
  std::string password;  // empty: none
  std::string database;  // empty: the one of new connections
  std::string collection;

  // The load.
  std::vector<std::string> tests = {"set", "get", "incr", "mset", "mget"};
  uint64_t connections = 50;
  uint64_t threads = 1;
  uint64_t pipeline = 1;         // requests of a batch: sent with one write, awaited together
  uint64_t keys = 100'000;       // how many different ones
  uint64_t value_bytes = 100;    // at least 10, which name the key
  double read_share = 0.9;       // of mixed
  double rate = 0;               // requests a second of all connections; 0: as fast as it goes
  uint64_t requests = 0;         // a test; 0: `seconds` of them
  double seconds = 5;            // a test
  double warm_up_seconds = 0.5;  // before each test, not counted
  Distribution distribution = Distribution::kUniform;
  uint64_t seed = 1;

  bool fill = true;  // store every key before the first test
  bool fill_only = false;
  Format format = Format::kText;
};

// How many keys a request of mset, mget and range touches.
inline constexpr uint64_t kKeysEach = 10;

// "set", "get", ...
std::string_view NameOf(TestKind test);

}  // namespace luna::bench
