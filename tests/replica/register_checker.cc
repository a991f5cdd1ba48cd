#include "replica/register_checker.h"

#include <algorithm>

namespace luna::replica {

uint64_t RegisterChecker::BeginWrite(int key, uint64_t at) {
  const uint64_t id = writes_.size() + 1;
  writes_[id] = {.key = key, .began = at};
  return id;
}

void RegisterChecker::EndWrite(uint64_t id, Answer answer, uint64_t at) {
  WriteCall& call = writes_.at(id);
  if (call.answer == Answer::kOpen && answer != Answer::kOpen) {
    call.answer = answer;
    call.ended = at;
    acknowledged_ += answer == Answer::kOk ? 1 : 0;
  }
}

void RegisterChecker::Read(int key, uint64_t id, uint64_t began, uint64_t ended) {
  reads_.push_back({.key = key, .id = id, .began = began, .ended = ended});
}

std::string RegisterChecker::Judge(const std::vector<ModelRecord>& records,
                                   bool judge_reads) const {
  std::map<uint64_t, uint64_t> places;  // of writes in the stream, from 1
  uint64_t place = 0;
  for (const ModelRecord& record : records) {
    for (const ModelWrite& write : record.writes) {
      if (!places.emplace(write.id, ++place).second) {
        return "write " + std::to_string(write.id) + " is in the stream twice";
      }
    }
  }
  for (const auto& [id, call] : writes_) {
    if (call.answer == Answer::kOk && !places.contains(id)) {
      return "acknowledged write " + std::to_string(id) + " is lost";
    }
    if (call.answer == Answer::kFailed && places.contains(id)) {
      return "write " + std::to_string(id) + " happened though it was answered as failed";
    }
  }
  return judge_reads ? JudgeReads(places) : "";
}

std::string RegisterChecker::JudgeReads(const std::map<uint64_t, uint64_t>& places) const {
  struct Floor {
    uint64_t ended = 0;
    uint64_t place = 0;  // what ended then had seen or made this
  };
  std::map<int, std::vector<Floor>> floors;
  for (const auto& [id, call] : writes_) {
    if (call.answer == Answer::kOk) {
      floors[call.key].push_back({.ended = call.ended, .place = places.at(id)});
    }
  }
  for (const ReadCall& call : reads_) {
    if (call.id != 0 && !places.contains(call.id)) {
      return "a read saw write " + std::to_string(call.id) + ", which is not in the stream";
    }
    floors[call.key].push_back(
        {.ended = call.ended, .place = call.id == 0 ? 0 : places.at(call.id)});
  }
  for (auto& [key, list] : floors) {
    std::sort(list.begin(), list.end(),
              [](const Floor& a, const Floor& b) { return a.ended < b.ended; });
    for (size_t i = 1; i < list.size(); ++i) {
      list[i].place = std::max(list[i].place, list[i - 1].place);
    }
  }
  for (const ReadCall& call : reads_) {
    const std::vector<Floor>& list = floors.at(call.key);
    const auto after =
        std::lower_bound(list.begin(), list.end(), call.began,
                         [](const Floor& floor, uint64_t began) { return floor.ended < began; });
    const uint64_t place = call.id == 0 ? 0 : places.at(call.id);
    if (after != list.begin() && std::prev(after)->place > place) {
      return "stale read of key " + std::to_string(call.key) + ": saw place " +
             std::to_string(place) + " where " + std::to_string(std::prev(after)->place) +
             " was known before it began";
    }
    if (call.id != 0 && writes_.at(call.id).began > call.ended) {
      return "a read saw write " + std::to_string(call.id) + " before it began";
    }
  }
  return "";
}

}  // namespace luna::replica
