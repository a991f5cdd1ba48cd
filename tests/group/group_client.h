// GroupClient: one client of a simulated group. It knows of servers and who of them seems to lead;
// what it was told goes into the scene's history, and what it was not told is of unknown outcome.
// It writes registers, reads them strongly, increments a counter exactly once by asking for
// outcomes, writes pairs in one transaction over two collections and reads them at one moment,
// holds snapshots while others write, and keeps a ledger of keys written once. Thread rule: owned
// by one thread, that of the simulation.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "group/group_scene.h"
#include "luna/luna.h"

namespace luna::test {

inline constexpr uint64_t kRegisters = 3;
inline constexpr uint64_t kPairs = 2;
inline constexpr const char* kCounterKey = "count";

std::string RegisterKey(uint64_t number);
std::string PairKey(uint64_t number);
// The bytes that stand for a value, and back; nothing when they are none.
std::string FormatValue(uint64_t value, uint64_t at_most);
std::optional<uint64_t> ParseValue(const std::string& bytes);

class GroupClient {
 public:
  GroupClient(GroupScene& scene, uint64_t number);

  void Run();    // until the scene is over
  void Watch();  // likewise; only reads, again and again while a server answers

  // Each tries at one server; false when that does not lead (any more) or does not know.
  bool Put(const std::string& key, uint64_t collection);
  bool Get(const std::string& key, uint64_t collection);
  bool ReadPair(const std::string& key);
  // The same two at whoever follows there: nothing but a strong read will do.
  bool GetElsewhere(const std::string& key, uint64_t collection);
  bool ReadPairElsewhere(const std::string& key);
  // The counter, strongly.
  std::optional<int64_t> Count();
  // Every key of the ledger, by a scan.
  bool FindLedger();
  // Some increments that were decided long ago are said to be what they were.
  void RecallOutcomes();
  void NextServer();
  GroupServer* server() const { return server_.get(); }

 private:
  template <class T>
  using Use = std::function<Result<T>(Led&)>;
  using Pair = std::pair<std::optional<std::string>, std::optional<std::string>>;
  enum class Told : uint8_t { kYes, kNo, kUnknown };

  void Operate();
  void ReadBothWays(const std::function<bool()>& elsewhere, const std::function<bool()>& there);
  bool Exchange(const std::string& key, uint64_t collection);  // reads and writes
  bool WritePair(const std::string& key);
  bool WriteLedger();
  bool Increment();
  bool HoldSnapshot();
  // Until somebody knows; whether it was committed.
  bool AskOutcome(const TransactionId& id, Timestamp started);

  // What became of a write that its server answered so.
  Told Judge(const Status& done);
  void Note(const std::string& key, RegisterOperation operation, Told told);
  // Nothing: not answered, for whatever reason.
  template <class T>
  std::optional<T> StrongRead(const Use<T>& use);
  template <class T>
  std::optional<T> StrongReadElsewhere(const std::function<Result<T>(FollowedHere&)>& use);
  bool NoteRead(const std::string& key, RegisterOperation operation,
                const std::optional<std::string>& bytes);
  bool NotePair(const std::string& key, const RegisterOperation& operation, const Pair& got);
  Result<Pair> TakePair(Database& database,
                        const std::array<std::shared_ptr<Collection>, 2>& collections,
                        const std::string& key);
  bool PickServer();
  // A value from what was read; blames what is none.
  std::optional<uint64_t> Parse(const std::string& key, const std::optional<std::string>& bytes);

  GroupScene& scene_;
  const uint64_t number_;
  simulation::SeededRandom random_;
  uint64_t at_;  // the server
  std::shared_ptr<GroupServer> server_;
  uint64_t ledger_ = 0;  // keys of it written
  uint64_t ids_ = 0;
};

}  // namespace luna::test
