#include "support/cycle_checker.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace luna::test {

namespace {

using Outcome = ListTransaction::Outcome;

enum class Edge : uint8_t { kWw, kWr, kRw, kRt };
constexpr std::array<const char*, 4> kEdgeNames = {"ww", "wr", "rw", "rt"};

struct Link {
  size_t to = 0;
  Edge edge = Edge::kWw;
  std::string key;
};

struct Writer {
  size_t transaction = 0;
  bool last = false;  // its last append to the key
};

struct ReadOf {
  size_t transaction = 0;
  std::vector<int64_t> list;  // without what the reader appended itself before
};

std::string Text(const std::vector<int64_t>& list) {
  std::string text = "[";
  for (int64_t element : list) {
    text += (text.size() > 1 ? " " : "") + std::to_string(element);
  }
  return text + "]";
}

bool IsPrefix(const std::vector<int64_t>& prefix, const std::vector<int64_t>& list) {
  return prefix.size() <= list.size() && std::equal(prefix.begin(), prefix.end(), list.begin());
}

class Checker {
 public:
  explicit Checker(const std::vector<ListTransaction>& history) : history_(history) {}

  std::vector<Finding> Run() {
    CollectWriters();
    CollectReads();
    for (auto& [key, reads] : reads_) {
      Order(key, reads);
    }
    for (const auto& [key, order] : orders_) {
      LinkKey(key, order);
    }
    LinkRealTime();
    FindCycles();
    return std::move(findings_);
  }

 private:
  void Found(Anomaly anomaly, std::string text) {
    findings_.push_back({anomaly, std::move(text)});
  }

  void CollectWriters() {
    for (size_t i = 0; i < history_.size(); ++i) {
      std::map<std::string, int64_t> last;
      for (const ListOperation& operation : history_[i].operations) {
        if (operation.append) {
          writers_[operation.key][operation.element] = {i, false};
          last[operation.key] = operation.element;
        }
      }
      for (const auto& [key, element] : last) {
        writers_[key][element].last = true;
      }
    }
  }

  // Takes a transaction's own appends off what it read, and checks that they are there.
  void CollectReads() {
    for (size_t i = 0; i < history_.size(); ++i) {
      std::map<std::string, std::vector<int64_t>> own;
      std::map<std::string, std::vector<int64_t>> before;
      for (const ListOperation& operation : history_[i].operations) {
        std::vector<int64_t>& mine = own[operation.key];
        if (operation.append) {
          mine.push_back(operation.element);
          continue;
        }
        std::vector<int64_t> list = operation.seen;
        const bool ends_with_mine =
            list.size() >= mine.size() && std::equal(mine.rbegin(), mine.rend(), list.rbegin());
        if (!ends_with_mine) {
          Found(Anomaly::kInternal, history_[i].name + " reads " + operation.key + " as " +
                                        Text(list) + " without its own " + Text(mine));
          continue;
        }
        list.resize(list.size() - mine.size());
        const auto [earlier, first] = before.try_emplace(operation.key, list);
        if (!first && earlier->second != list) {
          Found(Anomaly::kInternal, history_[i].name + " reads " + operation.key + " as " +
                                        Text(earlier->second) + " and then " + Text(list));
        }
        if (history_[i].outcome == Outcome::kCommitted) {
          reads_[operation.key].push_back({i, list});
        }
        CheckElements(i, operation.key, list);
      }
    }
  }

  void CheckElements(size_t reader, const std::string& key, const std::vector<int64_t>& list) {
    std::set<int64_t> once;
    for (int64_t element : list) {
      const auto writer = writers_[key].find(element);
      const std::string what = history_[reader].name + " reads " + key + " as " + Text(list);
      if (!once.insert(element).second) {
        Found(Anomaly::kDuplicate, what + ": " + std::to_string(element) + " twice");
      }
      if (writer == writers_[key].end()) {
        Found(Anomaly::kUnknownElement, what + ": nobody appended " + std::to_string(element));
        continue;
      }
      const ListTransaction& source = history_[writer->second.transaction];
      if (source.outcome == Outcome::kAborted) {
        Found(Anomaly::kG1a, what + ": " + std::to_string(element) + " is of the aborted " +
                                 source.name);
      }
    }
    if (!list.empty()) {
      const auto writer = writers_[key].find(list.back());
      if (writer != writers_[key].end() && !writer->second.last &&
          writer->second.transaction != reader) {
        Found(Anomaly::kG1b, history_[reader].name + " reads " + key + " as " + Text(list) +
                                 ", in the middle of " +
                                 history_[writer->second.transaction].name);
      }
    }
  }

  // The longest list; every other must be a prefix of it. Committed appends that nobody saw come
  // after it, in no order among themselves.
  void Order(const std::string& key, const std::vector<ReadOf>& reads) {
    std::vector<int64_t> longest;
    for (const ReadOf& read : reads) {
      if (read.list.size() > longest.size()) {
        longest = read.list;
      }
    }
    for (const ReadOf& read : reads) {
      if (!IsPrefix(read.list, longest)) {
        Found(Anomaly::kIncompatible, key + " was read as " + Text(read.list) + " by " +
                                          history_[read.transaction].name + " and as " +
                                          Text(longest));
      }
    }
    orders_[key] = std::move(longest);
  }

  void Add(size_t from, Edge edge, size_t to, const std::string& key) {
    if (from != to) {
      links_[from].push_back({to, edge, key});
    }
  }

  std::optional<size_t> WriterOf(const std::string& key, int64_t element) const {
    const auto& writers = writers_.at(key);
    const auto found = writers.find(element);
    return found == writers.end() ? std::nullopt : std::optional(found->second.transaction);
  }

  void LinkKey(const std::string& key, const std::vector<int64_t>& order) {
    links_.resize(history_.size());
    std::vector<size_t> unseen;  // writers of committed appends beyond the order
    for (const auto& [element, writer] : writers_[key]) {
      if (std::find(order.begin(), order.end(), element) == order.end() &&
          history_[writer.transaction].outcome == Outcome::kCommitted) {
        unseen.push_back(writer.transaction);
      }
    }
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      const auto from = WriterOf(key, order[i]);
      const auto to = WriterOf(key, order[i + 1]);
      if (from && to) {
        Add(*from, Edge::kWw, *to, key);
      }
    }
    for (size_t writer : unseen) {
      if (const auto last = order.empty() ? std::nullopt : WriterOf(key, order.back()); last) {
        Add(*last, Edge::kWw, writer, key);
      }
    }
    for (const ReadOf& read : reads_[key]) {
      LinkRead(key, order, unseen, read);
    }
  }

  void LinkRead(const std::string& key, const std::vector<int64_t>& order,
                const std::vector<size_t>& unseen, const ReadOf& read) {
    if (!read.list.empty()) {
      if (const auto writer = WriterOf(key, read.list.back()); writer) {
        Add(*writer, Edge::kWr, read.transaction, key);
      }
    }
    if (read.list.size() < order.size()) {
      // The first missed version of somebody else: the reader's own next append is no anomaly.
      for (size_t next = read.list.size(); next < order.size(); ++next) {
        const auto writer = WriterOf(key, order[next]);
        if (writer && *writer != read.transaction) {
          Add(read.transaction, Edge::kRw, *writer, key);
          break;
        }
        if (!writer) {
          break;
        }
      }
      return;
    }
    for (size_t writer : unseen) {
      Add(read.transaction, Edge::kRw, writer, key);
    }
  }

  void LinkRealTime() {
    links_.resize(history_.size());
    for (size_t i = 0; i < history_.size(); ++i) {
      for (size_t j = 0; j < history_.size(); ++j) {
        if (history_[i].outcome == Outcome::kCommitted &&
            history_[j].outcome == Outcome::kCommitted && history_[i].ended < history_[j].begun) {
          Add(i, Edge::kRt, j, "");
        }
      }
    }
  }

  // The shortest way along the allowed kinds of edges; the links in order, or nothing.
  std::optional<std::vector<std::pair<size_t, Link>>> Path(size_t from, size_t to,
                                                           const std::set<Edge>& allowed) const {
    std::map<size_t, std::pair<size_t, Link>> came_by;
    std::deque<size_t> queue = {from};
    while (!queue.empty()) {
      const size_t at = queue.front();
      queue.pop_front();
      for (const Link& link : links_[at]) {
        if (!allowed.contains(link.edge) || came_by.contains(link.to)) {
          continue;
        }
        came_by[link.to] = {at, link};
        if (link.to == to) {
          std::vector<std::pair<size_t, Link>> path;
          for (size_t back = to; path.empty() || back != from;) {
            path.push_back(came_by[back]);
            back = path.back().first;
          }
          std::reverse(path.begin(), path.end());
          return path;
        }
        queue.push_back(link.to);
      }
    }
    return std::nullopt;
  }

  std::string Show(const std::vector<std::pair<size_t, Link>>& path) const {
    std::string text;
    for (const auto& [from, link] : path) {
      text += history_[from].name + " -" + kEdgeNames[static_cast<size_t>(link.edge)] +
              (link.key.empty() ? "" : "(" + link.key + ")") + "-> ";
    }
    return text + (path.empty() ? "" : history_[path.back().second.to].name);
  }

  // Strongly connected components of more than one transaction, each sorted.
  std::vector<std::vector<size_t>> Components(const std::set<Edge>& allowed) const;

  void FindCycles() {
    FindCycle({Edge::kWw, Edge::kRt}, {Edge::kWw}, Anomaly::kG0);
    FindCycle({Edge::kWw, Edge::kWr, Edge::kRt}, {Edge::kWr}, Anomaly::kG1c);
    const std::set<Edge> without_rw = {Edge::kWw, Edge::kWr, Edge::kRt};
    const std::set<Edge> all = {Edge::kWw, Edge::kWr, Edge::kRw, Edge::kRt};
    bool single = false;
    bool several = false;
    for (const auto& component : Components(all)) {
      for (size_t from : component) {
        for (const Link& link : links_[from]) {
          if (link.edge != Edge::kRw || (single && several) ||
              !std::binary_search(component.begin(), component.end(), link.to)) {
            continue;
          }
          const auto back = Path(link.to, from, without_rw);
          auto path = back ? back : Path(link.to, from, all);
          bool& known = back ? single : several;
          if (path && !known) {
            known = true;
            path->insert(path->begin(), {from, link});
            Found(back ? Anomaly::kGSingle : Anomaly::kG2, Show(*path));
          }
        }
      }
    }
  }

  // A cycle of `allowed` edges through one of the kinds in `needed`.
  void FindCycle(const std::set<Edge>& allowed, const std::set<Edge>& needed, Anomaly anomaly) {
    for (const auto& component : Components(allowed)) {
      for (size_t from : component) {
        for (const Link& link : links_[from]) {
          if (!needed.contains(link.edge)) {
            continue;
          }
          if (auto path = Path(link.to, from, allowed); path) {
            path->insert(path->begin(), {from, link});
            Found(anomaly, Show(*path));
            return;
          }
        }
      }
    }
  }

  const std::vector<ListTransaction>& history_;
  std::map<std::string, std::map<int64_t, Writer>> writers_;
  std::map<std::string, std::vector<ReadOf>> reads_;
  std::map<std::string, std::vector<int64_t>> orders_;
  std::vector<std::vector<Link>> links_;
  std::vector<Finding> findings_;
};

// Tarjan, with a stack of our own: histories are long.
std::vector<std::vector<size_t>> Checker::Components(const std::set<Edge>& allowed) const {
  const size_t none = history_.size();
  std::vector<size_t> index(history_.size(), none);
  std::vector<size_t> low(history_.size(), 0);
  std::vector<bool> on_stack(history_.size(), false);
  std::vector<size_t> stack;
  std::vector<std::vector<size_t>> components;
  size_t next = 0;
  struct Frame {
    size_t at;
    size_t link;
  };
  for (size_t root = 0; root < history_.size(); ++root) {
    if (index[root] != none) {
      continue;
    }
    std::vector<Frame> frames = {{root, 0}};
    while (!frames.empty()) {
      const size_t at = frames.back().at;
      if (frames.back().link == 0 && index[at] == none) {
        index[at] = low[at] = next++;
        stack.push_back(at);
        on_stack[at] = true;
      }
      if (frames.back().link < links_[at].size()) {
        const Link& link = links_[at][frames.back().link++];
        if (!allowed.contains(link.edge)) {
          continue;
        }
        if (index[link.to] == none) {
          frames.push_back({link.to, 0});
        } else if (on_stack[link.to]) {
          low[at] = std::min(low[at], index[link.to]);
        }
        continue;
      }
      if (low[at] == index[at]) {
        std::vector<size_t> component;
        size_t member = none;
        do {
          member = stack.back();
          stack.pop_back();
          on_stack[member] = false;
          component.push_back(member);
        } while (member != at);
        if (component.size() > 1) {
          std::sort(component.begin(), component.end());
          components.push_back(std::move(component));
        }
      }
      frames.pop_back();
      if (!frames.empty()) {
        low[frames.back().at] = std::min(low[frames.back().at], low[at]);
      }
    }
  }
  return components;
}

}  // namespace

const char* Name(Anomaly anomaly) {
  constexpr std::array<const char*, 10> kNames = {
      "G0", "G1a", "G1b", "G1c", "G-single", "G2", "duplicate", "incompatible order",
      "unknown element", "internal"};
  return kNames[static_cast<size_t>(anomaly)];
}

std::vector<Finding> CheckLists(const std::vector<ListTransaction>& history) {
  return Checker(history).Run();
}

}  // namespace luna::test
