// The demonstration, in steps (demo.cc has the order): a file each. Every step says what it does,
// shows what it finds and checks it.
// Thread rule: Presenter is owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "apps/luna/request.h"
#include "apps/luna/session.h"
#include "luna/luna.h"

namespace luna::cli {

// Says things as they happen, and remembers whether a check failed.
class Presenter {
 public:
  void Title(const std::string& text);
  void Line(const std::string& text);
  // "ok" or "FAILED" and the text.
  void Check(bool holds, const std::string& text);
  uint64_t checks() const { return checks_; }
  uint64_t failed() const { return failed_; }

 private:
  uint64_t checks_ = 0;
  uint64_t failed_ = 0;
};

// "1,234 in 0.5 s, 2,468/s".
std::string Rate(uint64_t count, double seconds);
// A stanza or another long value, its first line, at most some columns of it.
std::string FirstLine(std::string_view text);

// What the index says, to hold the collections against.
struct IndexFacts {
  struct Package {
    std::string section;
    uint64_t checksum = 0;  // of the stanza
  };
  std::map<std::string, Package> packages;  // the last stanza of each name
  uint64_t stanzas = 0;
};
uint64_t ChecksumOf(std::string_view stanza);

// The open collections of the demonstration.
struct Shelves {
  Database& database;
  Collection& packages;  // package → stanza
  Collection& sections;  // "section/package" → ""
};

// demo_index.cc: loads the index into both collections, each package in one transaction with its
// section; what was there before goes in the first one.
Result<IndexFacts> LoadIndex(const std::string& path, const Shelves& shelves, Presenter& presenter);
// demo_reads.cc
Status ShowReads(const Shelves& shelves, const IndexFacts& facts, Presenter& presenter);
Status ShowScans(const Shelves& shelves, const IndexFacts& facts, Presenter& presenter);
// demo_transactions.cc
Status ShowConflict(Database& database, Presenter& presenter);
Status ShowSnapshot(Database& database, Presenter& presenter);
// demo_crash.cc: the universe is closed; a process that loads it is killed, then it is opened
// again.
Status ShowCrash(const Request& request, const IndexFacts& facts, Presenter& presenter);

}  // namespace luna::cli
