// Request: what the command line asked for, in the words of the verbs. main.cc fills it; verbs read
// it and know nothing of the command line.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "luna/options.h"

namespace luna::cli {

struct Request {
  // Where.
  std::string universe = "./luna-data";
  std::string database = "default";
  std::string collection = "0";
  Durability durability = Durability::kDevice;
  uint64_t memory_bytes = Options{}.memory_budget_bytes;

  // How results look.
  bool json = false;
  bool raw = false;      // bytes as they are
  bool escaped = false;  // keys and values on the command line are written with escapes

  // What.
  std::optional<std::string> key;  // get, put, delete, increment
  std::string value;               // put
  int64_t delta = 1;               // increment
  double ttl_seconds = 0;          // put; 0 = never
  std::optional<Timestamp> at;     // get, scan, count, export: a past time
  std::string begin, end, prefix;
  bool reverse = false;
  uint64_t limit = 0;
  bool keys_only = false;

  std::string kind;  // create, drop: "database" or "collection"
  std::string name;  // create, drop, rename, restore
  std::string new_name;
  std::string directory;  // checkpoint, backup, restore

  std::string file;  // load, export, demo: a path or "-"
  std::string format;
  std::string key_field;
  std::string value_field;
  bool skip_bad = false;
};

}  // namespace luna::cli
