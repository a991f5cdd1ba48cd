#include "apps/bench/workload.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace luna::bench {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"fill", "set",   "get", "incr",  "mset",
                                                     "mget", "range", "txn", "multi", "mixed"};
// Heads up to the digits of the key; keys have 16 bytes.
constexpr std::string_view kSet = "*3\r\n$3\r\nSET\r\n$16\r\n";
constexpr std::string_view kGet = "*2\r\n$3\r\nGET\r\n$16\r\n";
constexpr std::string_view kIncr = "*2\r\n$4\r\nINCR\r\n$16\r\n";
constexpr std::string_view kMset = "*21\r\n$4\r\nMSET\r\n";
constexpr std::string_view kMget = "*11\r\n$4\r\nMGET\r\n";
constexpr std::string_view kRangeHead = "*5\r\n$5\r\nRANGE\r\n$17\r\n[";
constexpr std::string_view kRangeTail = "\r\n$1\r\n+\r\n$5\r\nLIMIT\r\n$2\r\n10\r\n";
constexpr std::string_view kBegin = "*1\r\n$5\r\nBEGIN\r\n";
constexpr std::string_view kCommit = "*1\r\n$6\r\nCOMMIT\r\n";
constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr std::string_view kKeyHead = "$16\r\n";
constexpr std::string_view kEnd = "\r\n";
static_assert(kKeyBytes == 16 && kKeysEach == 10);

std::string Shown(const Token& token) {
  return token.kind == '_' ? "nothing"
                           : "'" + std::string(1, token.kind) + base::Printable(token.text) + "'";
}

}  // namespace

std::string_view NameOf(TestKind test) {
  return kNames[static_cast<size_t>(test)];
}

std::optional<TestKind> TestOf(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? std::nullopt
                               : std::optional(static_cast<TestKind>(found - kNames.begin()));
}

Workload::Workload(TestKind test, const Settings& settings)
    : test_(test),
      keys_(settings.keys),
      read_share_(settings.read_share),
      content_(settings.value_bytes),
      value_head_("\r\n$" + std::to_string(settings.value_bytes) + "\r\n") {}

Request Workload::Next(KeyPicker& picker, uint64_t number) const {
  if (test_ == TestKind::kFill) {
    return {.kind = TestKind::kSet, .key = number % keys_};
  }
  const TestKind kind = test_ != TestKind::kMixed    ? test_
                        : picker.Chance(read_share_) ? TestKind::kGet
                                                     : TestKind::kSet;
  return {.kind = kind, .key = picker.Key()};
}

void Workload::AppendSet(uint64_t key, std::string& out) const {
  out.append(kSet);
  Content::AppendKey(key, out);
  out.append(value_head_);
  content_.AppendValue(key, out);
  out.append(kEnd);
}

void Workload::AppendGet(uint64_t key, std::string& out) {
  out.append(kGet);
  Content::AppendKey(key, out);
  out.append(kEnd);
}

void Workload::Append(const Request& request, std::string& out) const {
  switch (request.kind) {
    case TestKind::kFill:
    case TestKind::kSet:
      return AppendSet(request.key, out);
    case TestKind::kGet:
    case TestKind::kMixed:
      return AppendGet(request.key, out);
    case TestKind::kIncr:
      out.append(kIncr);
      Content::AppendCounter(request.key, out);
      out.append(kEnd);
      return;
    case TestKind::kMset:
    case TestKind::kMget:
      out.append(request.kind == TestKind::kMset ? kMset : kMget);
      for (uint64_t i = 0; i < kKeysEach; ++i) {
        out.append(kKeyHead);
        Content::AppendKey(KeyOf(request, i), out);
        if (request.kind == TestKind::kMset) {
          out.append(value_head_);
          content_.AppendValue(KeyOf(request, i), out);
        }
        out.append(kEnd);
      }
      return;
    case TestKind::kRange:
      out.append(kRangeHead);
      Content::AppendKey(request.key, out);
      out.append(kRangeTail);
      return;
    case TestKind::kTxn:
    case TestKind::kMulti:
      out.append(request.kind == TestKind::kTxn ? kBegin : kMulti);
      AppendGet(request.key, out);
      AppendSet(request.key, out);
      out.append(request.kind == TestKind::kTxn ? kCommit : kExec);
      return;
  }
}

void Workload::JudgeOk(const Token& token, Tally& tally) const {
  if (token.kind == '-') {
    tally.Fail(token.text);
  } else if (token.kind != '+' || token.text != "OK") {
    tally.Wrong(std::string(name()) + " answered " + Shown(token) + " instead of OK");
  }
}

void Workload::JudgeValue(uint64_t key, const Token& token, Tally& tally) const {
  if (token.kind == '_') {
    ++tally.missing;
  } else if (token.kind == '-') {
    tally.Fail(token.text);
  } else if (token.kind != '$' || !content_.IsValue(key, token.text)) {
    tally.Wrong(std::string(name()) + " of key " + std::to_string(key) + " answered " +
                Shown(token));
  }
}

bool Workload::Check(const Request& request, ReplyCursor& cursor, Tally& tally) const {
  Token token;
  switch (request.kind) {
    case TestKind::kMget:
      return CheckMget(request, cursor, tally);
    case TestKind::kRange:
      return CheckRange(request, cursor, tally);
    case TestKind::kTxn:
    case TestKind::kMulti:
      return CheckTransaction(request, cursor, tally);
    default:
      break;
  }
  if (!cursor.Next(token) || !cursor.SkipElements(token)) {
    return false;
  }
  if (request.kind == TestKind::kGet || request.kind == TestKind::kMixed) {
    JudgeValue(request.key, token, tally);
  } else if (request.kind != TestKind::kIncr) {
    JudgeOk(token, tally);
  } else if (token.kind == '-') {
    tally.Fail(token.text);
  } else if (token.kind != ':' || token.number <= 0) {
    tally.Wrong("incr answered " + Shown(token));
  }
  return true;
}

bool Workload::CheckMget(const Request& request, ReplyCursor& cursor, Tally& tally) const {
  Token head;
  std::array<Token, kKeysEach> values;
  if (!cursor.Next(head)) {
    return false;
  }
  if (head.kind != '*' || head.number != static_cast<int64_t>(kKeysEach)) {
    if (!cursor.SkipElements(head)) {
      return false;
    }
    head.kind == '-' ? tally.Fail(head.text) : tally.Wrong("mget answered " + Shown(head));
    return true;
  }
  for (Token& value : values) {
    if (!cursor.Next(value) || !cursor.SkipElements(value)) {
      return false;
    }
  }
  for (uint64_t i = 0; i < kKeysEach; ++i) {
    JudgeValue(KeyOf(request, i), values[i], tally);
  }
  return true;
}

// A cursor, and keys and values in turn. Keys follow each other without a gap once they are filled,
// and the space may end early.
bool Workload::CheckRange(const Request& request, ReplyCursor& cursor, Tally& tally) const {
  Token head;
  Token position;
  Token list;
  if (!cursor.Next(head)) {
    return false;
  }
  const bool pair = head.kind == '*' && head.number == 2;
  if (!pair) {
    if (!cursor.SkipElements(head)) {
      return false;
    }
    head.kind == '-' ? tally.Fail(head.text) : tally.Wrong("range answered " + Shown(head));
    return true;
  }
  if (!cursor.Next(position) || !cursor.SkipElements(position) || !cursor.Next(list)) {
    return false;
  }
  std::vector<Token> elements(list.kind == '*' ? static_cast<size_t>(list.number) : 0);
  for (Token& element : elements) {
    if (!cursor.Next(element) || !cursor.SkipElements(element)) {
      return false;
    }
  }
  if (elements.size() > 2 * kKeysEach || elements.size() % 2 != 0) {
    tally.Wrong("range answered " + std::to_string(elements.size()) + " elements");
    return true;
  }
  uint64_t key = request.key;
  for (size_t i = 0; i < elements.size() && elements[i].text.starts_with("bench:"); i += 2) {
    if (!Content::IsKey(key, elements[i].text) || !content_.IsValue(key, elements[i + 1].text)) {
      tally.Wrong("range from key " + std::to_string(request.key) + " answered " +
                  Shown(elements[i]) + " and " + Shown(elements[i + 1]));
      return true;
    }
    ++key;
  }
  tally.missing += key == request.key ? 1 : 0;
  return true;
}

// BEGIN: 1, value, OK, the commit's timestamp. MULTI: OK, QUEUED, QUEUED, value and OK.
bool Workload::CheckTransaction(const Request& request, ReplyCursor& cursor, Tally& tally) const {
  std::array<Token, 4> replies;
  std::array<Token, 2> results;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (!cursor.Next(replies[i])) {
      return false;
    }
    if (i == 3 && replies[i].kind == '*' && replies[i].number == 2) {
      if (!cursor.Next(results[0]) || !cursor.SkipElements(results[0]) ||
          !cursor.Next(results[1]) || !cursor.SkipElements(results[1])) {
        return false;
      }
    } else if (!cursor.SkipElements(replies[i])) {
      return false;
    }
  }
  const Token& end = replies[3];
  const auto failed = std::find_if(replies.begin(), replies.end(),
                                   [](const Token& token) { return token.kind == '-'; });
  const bool multi = request.kind == TestKind::kMulti;
  if (end.kind == '-' && end.text.starts_with("CONFLICT")) {
    ++tally.conflicts;
  } else if (failed != replies.end()) {
    tally.Fail(failed->text);
  } else if (end.kind == '_') {
    ++tally.conflicts;
  } else if (end.kind != (multi ? '*' : '$')) {
    tally.Wrong(std::string(name()) + " ended with " + Shown(end));
  } else {
    JudgeValue(request.key, multi ? results[0] : replies[1], tally);
    JudgeOk(multi ? results[1] : replies[2], tally);
  }
  return true;
}

}  // namespace luna::bench
