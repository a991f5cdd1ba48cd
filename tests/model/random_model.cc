#include "model/random_model.h"

#include <algorithm>
#include <string>
#include <vector>

#include "model/model_generator.h"
#include "model/model_run.h"

namespace luna::test {

namespace {

// Leaves out ever smaller pieces of `items` while `keeps` says that what is left still does.
template <typename Item, typename Keeps>
void Reduce(std::vector<Item>& items, size_t first, const Keeps& keeps) {
  for (size_t piece = std::max<size_t>(items.size() / 2, 1); piece > 0; piece /= 2) {
    for (size_t at = items.size(); at > first;) {
      const size_t from = at > first + piece ? at - piece : first;
      std::vector<Item> fewer(items.begin(), items.begin() + static_cast<ptrdiff_t>(from));
      fewer.insert(fewer.end(), items.begin() + static_cast<ptrdiff_t>(at), items.end());
      if (keeps(fewer)) {
        items = std::move(fewer);
      }
      at = from;
    }
  }
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : " ; ") + part;
  }
  return text;
}

// What kind of failure a message tells of: the words behind the step, without numbers. Shrinking
// must not slip from one bug to another.
std::string KindOf(const std::string& message) {
  const size_t life = message.find(", life ");
  std::string kind;
  for (const char letter : message.substr(life == std::string::npos ? 0 : life + 8)) {
    if (kind.size() == 40) {
      break;
    }
    if (letter < '0' || letter > '9') {
      kind += letter;
    }
  }
  return kind;
}

}  // namespace

Verdict RunModelScript(const ModelScript& script) {
  return RunIsolated([&] { return ModelRun(script).Run(); });
}

ModelScript Shrink(ModelScript script, const std::function<bool(const ModelScript&)>& fails,
                   unsigned tries) {
  const auto still_fails = [&](const std::vector<std::string>& lines) {
    if (tries == 0) {
      return false;
    }
    --tries;
    ModelScript trial = script;
    trial.lines = lines;
    return fails(trial);
  };
  // What stands behind the failing step goes first; the line that opens stays.
  Reduce(script.lines, 1, still_fails);
  for (size_t i = 0; i < script.lines.size(); ++i) {
    std::vector<std::string> parts = SplitAt(script.lines[i], ';');
    if (parts.size() < 3) {
      continue;
    }
    Reduce(parts, 1, [&](const std::vector<std::string>& fewer) {
      std::vector<std::string> lines = script.lines;
      lines[i] = Joined(fewer);
      return still_fails(lines);
    });
    script.lines[i] = Joined(parts);
  }
  Reduce(script.lines, 1, still_fails);
  return script;
}

Verdict RunModelSeed(uint64_t seed, bool shrink) {
  const ModelScript script = GenerateScript(seed);
  Verdict verdict = RunModelScript(script);
  if (verdict.ok || !shrink) {
    return verdict;
  }
  const ModelScript small = Shrink(script, [&](const ModelScript& trial) {
    const Verdict again = RunModelScript(trial);
    return !again.ok && KindOf(again.message) == KindOf(verdict.message);
  });
  const Verdict last = RunModelScript(small);
  verdict.message = "seed " + std::to_string(seed) + ": " + verdict.message +
                    "\nshrunk to (keep it as tests/model/regressions/NAME.txt):\n" +
                    PrintScript(small) + "which fails with: " + last.message;
  return verdict;
}

}  // namespace luna::test
