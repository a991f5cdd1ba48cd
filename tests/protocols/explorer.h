// explorer: visits every state a model can reach, breadth first, and so finds the shortest way to a
// state that breaks an invariant.
//
// A model has a State (a struct of bytes, compared byte by byte), Initial(), Next(state, steps),
// which lists what may happen next under a label each, and Violation(state): what is broken, or
// nothing. Labels are literals; a run counts how often each was taken, so that a test can ask
// whether the event a rule is about was reached at all. A model with Good(state) is also asked
// whether from every state a good one can still be reached.
// Thread rule: owned by one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace luna::protocols {

// States are made of bytes; arithmetic on them is int.
constexpr uint8_t Byte(int value) {
  return static_cast<uint8_t>(value);
}

// The steps out of one state: who does what, and the state after it.
template <typename State>
class Steps {
 public:
  struct Step {
    char actor;
    std::string_view label;  // a literal
    State next;
  };

  void Add(char actor, std::string_view label, const State& next) {
    steps_.push_back({actor, label, next});
  }
  void Clear() { steps_.clear(); }
  std::vector<Step>& all() { return steps_; }

 private:
  std::vector<Step> steps_;
};

struct Report {
  uint64_t states = 0;
  std::string violation;           // empty: none
  std::vector<std::string> trace;  // the shortest way to the violation, or to a stuck state
  std::map<std::string_view, uint64_t> taken;  // steps by label
  bool complete = false;                       // every reachable state was visited
  uint64_t stuck =
      0;  // states from which no good one is reachable (complete runs, models with Good)

  bool Reached(std::string_view label) const { return taken.contains(label); }
  std::string TraceText() const {
    std::string text = violation;
    for (const std::string& step : trace) text += "\n  " + step;
    return text;
  }
};

template <typename Model>
class Explorer {
 public:
  using State = typename Model::State;
  static_assert(std::has_unique_object_representations_v<State>, "states are compared as bytes");
  static constexpr bool kAsksGood =
      requires(const Model& model, const State& state) { model.Good(state); };

  explicit Explorer(const Model& model, uint64_t states_max = 3'000'000)
      : model_(model), states_max_(states_max), slots_(1 << 16, kNone) {}

  Report Run() {
    Find(model_.Initial(), kNone);
    uint32_t at = 0;
    for (; at < states_.size() && report_.violation.empty(); ++at) {
      if (states_.size() > states_max_) break;
      Expand(at);
    }
    report_.states = states_.size();
    report_.complete = report_.violation.empty() && at == states_.size();
    if constexpr (kAsksGood) {
      if (report_.complete) CountStuck();
    }
    return report_;
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Edge {
    uint32_t from;
    uint32_t to;
  };

  static uint64_t Hash(const State& state) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&state);
    uint64_t hash = sizeof(State);
    for (size_t at = 0; at < sizeof(State); at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min<size_t>(8, sizeof(State) - at));
      hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 29;
    }
    return hash;
  }

  // The number of a state; a new one is checked and remembers where it came from.
  uint32_t Find(const State& state, uint32_t parent) {
    if (states_.size() * 2 >= slots_.size()) Grow();
    const uint32_t slot = SlotOf(state);
    if (slots_[slot] != kNone) return slots_[slot];
    const auto number = static_cast<uint32_t>(states_.size());
    slots_[slot] = number;
    states_.push_back(state);
    parents_.push_back(parent);
    if (const std::string_view broken = model_.Violation(state);
        !broken.empty() && report_.violation.empty()) {
      report_.violation = broken;
      report_.trace = TraceOf(number);
    }
    return number;
  }

  uint32_t SlotOf(const State& state) const {
    const uint64_t mask = slots_.size() - 1;
    uint64_t slot = Hash(state) & mask;
    while (slots_[slot] != kNone &&
           std::memcmp(&states_[slots_[slot]], &state, sizeof(State)) != 0) {
      slot = (slot + 1) & mask;
    }
    return static_cast<uint32_t>(slot);
  }

  void Grow() {
    slots_.assign(slots_.size() * 2, kNone);
    for (uint32_t number = 0; number < states_.size(); ++number) {
      slots_[SlotOf(states_[number])] = number;
    }
  }

  void Expand(uint32_t at) {
    steps_.Clear();
    model_.Next(states_[at], steps_);
    for (const auto& step : steps_.all()) {
      ++report_.taken[step.label];
      const uint32_t to = Find(step.next, at);
      if (kAsksGood && to != at) edges_.push_back({at, to});
      if (!report_.violation.empty()) return;
    }
  }

  // Labels are not kept: the steps of each parent are asked for again.
  std::vector<std::string> TraceOf(uint32_t number) const {
    std::vector<std::string> trace;
    for (; parents_[number] != kNone; number = parents_[number]) {
      Steps<State> steps;
      model_.Next(states_[parents_[number]], steps);
      for (const auto& step : steps.all()) {
        if (std::memcmp(&step.next, &states_[number], sizeof(State)) != 0) continue;
        trace.push_back(std::string(1, step.actor) + ": " + std::string(step.label));
        break;
      }
    }
    std::reverse(trace.begin(), trace.end());
    return trace;
  }

  // Walks backwards from the good states; what is never met is stuck.
  void CountStuck() {
    std::vector<uint32_t> first(states_.size() + 1, 0);  // of the edges into a state
    for (const Edge& edge : edges_) ++first[edge.to + 1];
    for (size_t at = 1; at < first.size(); ++at) first[at] += first[at - 1];
    std::vector<uint32_t> sources(edges_.size());
    std::vector<uint32_t> place(first.begin(), first.end() - 1);
    for (const Edge& edge : edges_) sources[place[edge.to]++] = edge.from;

    std::vector<bool> saved(states_.size(), false);
    std::vector<uint32_t> queue;
    const auto save = [&](uint32_t number) {
      if (saved[number]) return;
      saved[number] = true;
      queue.push_back(number);
    };
    for (uint32_t number = 0; number < states_.size(); ++number) {
      if (model_.Good(states_[number])) save(number);
    }
    while (!queue.empty()) {
      const uint32_t number = queue.back();
      queue.pop_back();
      for (uint32_t at = first[number]; at < first[number + 1]; ++at) save(sources[at]);
    }
    for (uint32_t number = 0; number < states_.size(); ++number) {
      if (saved[number]) continue;
      if (report_.stuck++ == 0) report_.trace = TraceOf(number);
    }
  }

  const Model& model_;
  const uint64_t states_max_;
  std::deque<State> states_;       // in the order they were met
  std::vector<uint32_t> parents_;  // state → the one it was first reached from
  std::vector<uint32_t> slots_;    // open addressing: hash → number of a state
  std::vector<Edge> edges_;        // only for models with Good
  Steps<State> steps_;
  Report report_;
};

template <typename Model>
Report Explore(const Model& model) {
  return Explorer<Model>(model).Run();
}

}  // namespace luna::protocols
