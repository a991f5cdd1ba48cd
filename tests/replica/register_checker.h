// Registers written and read by clients, judged afterwards: is there one order of all operations
// that agrees with the stream, with what was read and with real time? The stream's order of the
// writes is known, so what remains is one comparison a read.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replica/stream_model.h"

namespace luna::replica {

enum class Answer : uint8_t { kOpen, kOk, kFailed };  // open: never answered, or "unknown"

class RegisterChecker {
 public:
  uint64_t BeginWrite(int key, uint64_t at);  // the id of the write
  void EndWrite(uint64_t id, Answer answer, uint64_t at);
  // `id` of the write whose value was read; 0: of none.
  void Read(int key, uint64_t id, uint64_t began, uint64_t ended);

  // What is wrong; empty: nothing.
  std::string Judge(const std::vector<ModelRecord>& records, bool judge_reads) const;

  uint64_t reads() const { return reads_.size(); }
  uint64_t acknowledged() const { return acknowledged_; }

 private:
  struct WriteCall {
    int key = 0;
    Answer answer = Answer::kOpen;
    uint64_t began = 0;
    uint64_t ended = 0;
  };
  struct ReadCall {
    int key = 0;
    uint64_t id = 0;
    uint64_t began = 0;
    uint64_t ended = 0;
  };
  std::string JudgeReads(const std::map<uint64_t, uint64_t>& places) const;

  std::map<uint64_t, WriteCall> writes_;
  std::vector<ReadCall> reads_;
  uint64_t acknowledged_ = 0;
};

}  // namespace luna::replica
