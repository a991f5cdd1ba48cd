// Words: a manifest's state that is simple enough to see through, a set of words: the edit "+word"
// adds one (void if it is there), "-word" removes one (void if it is not).
// Thread rule: guarded by its manifest.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "kernel/manifest/manifest.h"

namespace luna::manifest {

class Words final : public State {
 public:
  Result<bool> Apply(Position, std::string_view edit) override {
    if (edit.empty() || (edit[0] != '+' && edit[0] != '-')) {
      return Error(Reason::kBadFormat, "no edit");
    }
    const std::string word(edit.substr(1));
    return edit[0] == '+' ? words.insert(word).second : words.erase(word) > 0;
  }
  std::string Save() const override {
    std::string saved;
    for (const std::string& word : words) {
      saved += word + "\n";
    }
    return saved;
  }
  Status Load(std::string_view saved) override {
    words.clear();
    while (!saved.empty()) {
      const size_t end = saved.find('\n');
      words.emplace(saved.substr(0, end));
      saved.remove_prefix(end + 1);
    }
    ++loads;
    return {};
  }

  std::set<std::string> words;
  int loads = 0;
};

}  // namespace luna::manifest
