#include "group/linearizability.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace luna::test {

namespace {

constexpr size_t kMaxStates = 200'000;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// An open operation whose value nobody saw might as well not have happened.
void DropUnseen(std::vector<RegisterOperation>& operations) {
  std::set<uint64_t> seen;
  for (const RegisterOperation& each : operations) {
    if (!each.open && each.read.has_value()) {
      seen.insert(*each.read);
    }
  }
  const auto wanted = [&](const RegisterOperation& each) {
    return !each.open || (each.write.has_value() && seen.contains(*each.write));
  };
  for (bool more = true; more;) {
    const size_t before = seen.size();
    for (const RegisterOperation& each : operations) {
      if (each.open && each.read.has_value() && wanted(each)) {
        seen.insert(*each.read);
      }
    }
    more = seen.size() != before;
  }
  std::erase_if(operations, [&](const RegisterOperation& each) { return !wanted(each); });
  for (RegisterOperation& each : operations) {
    each.ended = each.open ? kNever : each.ended;
  }
}

class Search {
 public:
  explicit Search(std::vector<RegisterOperation> operations) : operations_(std::move(operations)) {
    std::sort(operations_.begin(), operations_.end(),
              [](const auto& a, const auto& b) { return a.began < b.began; });
    done_.assign(operations_.size(), '0');
  }

  // Nothing: it gave up.
  std::optional<bool> Find() {
    std::vector<Step> path;
    size_t from = 0;
    while (true) {
      const size_t next = Candidate(from);
      if (next < operations_.size()) {
        path.push_back({.operation = next, .value_before = value_});
        done_[next] = '1';
        value_ = operations_[next].write.value_or(value_);
        deepest_ = std::max(deepest_, path.size());
        if (AllDone()) {
          return true;
        }
        if (tried_.size() > kMaxStates) {
          return std::nullopt;
        }
        from = tried_.emplace(done_, value_).second ? 0 : operations_.size();
        continue;
      }
      if (path.empty()) {
        return false;
      }
      const Step step = path.back();
      path.pop_back();
      done_[step.operation] = '0';
      value_ = step.value_before;
      from = step.operation + 1;
    }
  }

  std::string Tell() const {
    std::string text = std::to_string(deepest_) + " of " + std::to_string(operations_.size()) +
                       " operations can be put in order:";
    for (const RegisterOperation& each : operations_) {
      text += " [" + std::to_string(each.began) + "-" +
              (each.open ? "?" : std::to_string(each.ended)) +
              (each.read.has_value() ? " r" + std::to_string(*each.read) : "") +
              (each.write.has_value() ? " w" + std::to_string(*each.write) : "") + "]";
    }
    return text;
  }

 private:
  struct Step {
    size_t operation = 0;
    uint64_t value_before = 0;
  };

  bool AllDone() const {
    for (size_t i = 0; i < operations_.size(); ++i) {
      if (done_[i] == '0' && !operations_[i].open) {
        return false;
      }
    }
    return true;
  }
  // The first one from `from` on that may come next, or the number of them.
  size_t Candidate(size_t from) const {
    uint64_t first_end = kNever;
    for (size_t i = 0; i < operations_.size() && operations_[i].began < first_end; ++i) {
      if (done_[i] == '0') {
        first_end = std::min(first_end, operations_[i].ended);
      }
    }
    for (size_t i = from; i < operations_.size() && operations_[i].began < first_end; ++i) {
      if (done_[i] == '0' && operations_[i].read.value_or(value_) == value_) {
        return i;
      }
    }
    return operations_.size();
  }

  std::vector<RegisterOperation> operations_;
  std::string done_;
  uint64_t value_ = 0;
  size_t deepest_ = 0;
  std::set<std::pair<std::string, uint64_t>> tried_;
};

}  // namespace

std::string JudgeRegister(std::vector<RegisterOperation> operations) {
  DropUnseen(operations);
  if (operations.empty()) {
    return "";
  }
  Search search(std::move(operations));
  const std::optional<bool> found = search.Find();
  return found.value_or(true) ? "" : "not linearizable, " + search.Tell();
}

std::string RegisterHistory::Judge() const {
  for (const auto& [key, operations] : keys_) {
    if (const std::string problem = JudgeRegister(operations); !problem.empty()) {
      return "key " + key + ": " + problem;
    }
  }
  return "";
}

}  // namespace luna::test
