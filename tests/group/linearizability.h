// Linearizability of registers, per key, after Wing and Gong with a memo of what was tried: is
// there an order of the operations on a key in which each one reads what the one before it left,
// and which agrees with real time? An operation reads, writes, or does both at once. Knows nothing
// of streams, timestamps or leaders. An operation whose outcome nobody knows may have happened at
// any time after it began, or never. Thread rule: RegisterHistory is owned by one thread; the
// function is safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace luna::test {

struct RegisterOperation {
  uint64_t began = 0;
  uint64_t ended = 0;  // of an open one: of no meaning
  bool open = false;   // of unknown outcome; it wrote or not
  std::optional<uint64_t> read{};
  std::optional<uint64_t> write{};  // each value is written once only; 0 is "nothing yet"
};

// What is wrong; empty: nothing. The search gives up (and finds nothing) after very many steps.
std::string JudgeRegister(std::vector<RegisterOperation> operations);

class RegisterHistory {
 public:
  // A moment: later than all before.
  uint64_t Tick() { return ++ticks_; }
  void Add(const std::string& key, const RegisterOperation& operation) {
    keys_[key].push_back(operation);
    ++size_;
  }
  // The first key that is not linearizable, and why; empty: none.
  std::string Judge() const;
  uint64_t size() const { return size_; }

 private:
  std::map<std::string, std::vector<RegisterOperation>> keys_;
  uint64_t ticks_ = 0;
  uint64_t size_ = 0;
};

}  // namespace luna::test
