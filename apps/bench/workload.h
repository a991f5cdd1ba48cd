// Workload: what the requests of a test look like, and what a right answer is. A request of this
// room may be several of the protocol (a transaction is four): they are sent and counted as one.
// Thread rule: immutable.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/bench/content.h"
#include "apps/bench/key_picker.h"
#include "apps/bench/reply_cursor.h"
#include "apps/bench/settings.h"
#include "apps/bench/tally.h"

namespace luna::bench {

// What has to be known of a request to judge its answer.
struct Request {
  TestKind kind = TestKind::kGet;  // of mixed: get or set
  uint64_t key = 0;
};

class Workload {
 public:
  // kMset, kMget: kKeysEach keys, evenly spread; kRange: so many from a key on.
  Workload(TestKind test, const Settings& settings);

  TestKind test() const { return test_; }
  std::string_view name() const { return NameOf(test_); }

  // The `number`th request of the test: only kFill goes by it.
  Request Next(KeyPicker& picker, uint64_t number) const;
  // Its bytes behind `out`.
  void Append(const Request& request, std::string& out) const;
  // Judges the answer at the cursor. False: it is not there as a whole (or the cursor is broken);
  // then nothing was counted.
  bool Check(const Request& request, ReplyCursor& cursor, Tally& tally) const;

 private:
  void AppendSet(uint64_t key, std::string& out) const;
  static void AppendGet(uint64_t key, std::string& out);
  void JudgeOk(const Token& token, Tally& tally) const;
  void JudgeValue(uint64_t key, const Token& token, Tally& tally) const;
  bool CheckMget(const Request& request, ReplyCursor& cursor, Tally& tally) const;
  bool CheckRange(const Request& request, ReplyCursor& cursor, Tally& tally) const;
  bool CheckTransaction(const Request& request, ReplyCursor& cursor, Tally& tally) const;
  // Of requests with several keys.
  uint64_t KeyOf(const Request& request, uint64_t number) const {
    return (request.key + number * (keys_ / kKeysEach)) % keys_;
  }

  TestKind test_;
  uint64_t keys_;
  double read_share_;
  Content content_;
  std::string value_head_;  // "\r\n$100\r\n"
};

// By its name; nothing if there is no such test.
std::optional<TestKind> TestOf(std::string_view name);

}  // namespace luna::bench
