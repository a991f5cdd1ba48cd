// model_script: a random model test as text, one step a line, so that it can be shrunk by leaving
// lines out, kept in a file and replayed. What a step names and is not there is skipped.
//
//   seed 17                              scheduler and survival; file_max_nanos N may follow
//   open memtable=64 table=64 block=4096 bits=10 durability=device space=1.25 retention=0
//                                        (re)opens with these options; KiB where sizes are large
//   put C KEY VALUE [TTL_MILLIS]         get C KEY          multiget C KEY…      del C KEY
//   delrange C KEY KEY                   incr C KEY DELTA   append C KEY VALUE
//   scan C [begin=K] [end=K] [prefix=K] [limit=N] [rev] [walk=n,p,sKEY]
//   txn serializable|snapshot [durability=D] [id=N] ; OP ; OP ; … [; rollback]
//       OP: get getu put del delrange incr append scan require save back release
//   batch [durability=D] ; put … ; del … ; delrange …
//   all | serializable ; OP … | snapshot ; OP …         CommitAll
//   snap NAME      snapread NAME get|scan …      unsnap NAME      past MILLIS C
//   flush C   compact C [KEY KEY]   ingest C PREFIX COUNT VALUE   sleep MILLIS
//   create C   drop C   rename C C   checkpoint   backup   verify   persist   stats
//   cut POINTS before|after lost|kept|mixed      power goes after that many further points
//   fault sync|write|full NTH                    the NTH operation from now on fails
//   1: STEP                              neighbouring lines with a number run at once, a fiber each
//
// A VALUE is text, or text*N: repeated up to N bytes. Keys and values hold no spaces or semicolons.
// Thread rule: pure functions on plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace luna::test {

using Tokens = std::vector<std::string>;

struct ModelScript {
  uint64_t seed = 1;
  uint64_t file_max_nanos = 0;
  std::vector<std::string> lines;  // steps
};

ModelScript ParseScript(std::string_view text);
// Of a file; empty when it cannot be read.
ModelScript ReadScript(const std::string& path);
std::string PrintScript(const ModelScript& script);

Tokens SplitTokens(std::string_view text);
// At a separator; pieces without surrounding spaces.
std::vector<std::string> SplitAt(std::string_view text, char separator);
// "prefix=…" among the tokens; empty if there is none.
std::string OptionOf(const Tokens& tokens, std::string_view name);
bool HasToken(const Tokens& tokens, std::string_view token);
uint64_t NumberOf(const std::string& text, uint64_t otherwise = 0);
std::string ValueOf(const std::string& token);
// "2: put a b" → 2 and "put a b"; 0 for a line without a number.
uint64_t TakeFiber(std::string& line);

}  // namespace luna::test
