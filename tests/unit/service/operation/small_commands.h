// A few commands and ways to run them, for tests of what runs commands.
// Thread rule: owned by one thread.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/command/command_table.h"
#include "service/operation/operation.h"
#include "service_support/test_host.h"

namespace luna::operation {

inline void Set(command::Call& call) {
  const Status put = call.access.Put(call.collection(), call.arguments[1], call.arguments[2]);
  put.ok() ? call.reply.Simple("OK") : call.Fail(put.error());
}

inline void Get(command::Call& call) {
  const auto value = call.access.Get(call.collection(), call.arguments[1]);
  if (!value.ok()) {
    call.Fail(value.error());
  } else if (!value.value()) {
    call.reply.Null();
  } else {
    call.reply.Bulk(value.value()->bytes);
  }
}

// As INCR: reads, then writes.
inline void Bump(command::Call& call) {
  const auto value = call.access.Get(call.collection(), call.arguments[1]);
  int64_t number = 0;
  if (value.ok() && value.value()) {
    command::ParseInteger(value.value()->bytes, number);
  }
  ++number;
  const Status put = call.access.Put(call.collection(), call.arguments[1], std::to_string(number));
  put.ok() ? call.reply.Integer(number) : call.Fail(put.error());
}

// Writes, then fails.
inline void Half(command::Call& call) {
  static_cast<void>(call.access.Put(call.collection(), call.arguments[1], "half").ok());
  call.Fail("ERR only half");
}

// Writes `count` large values under names that begin with the key.
inline void Fill(command::Call& call) {
  int64_t count = 0;
  command::ParseInteger(call.arguments[2], count);
  const std::string value(60'000, 'v');
  for (int64_t i = 0; i < count; ++i) {
    const std::string key = std::string(call.arguments[1]) + std::to_string(i);
    if (const Status put = call.access.Put(call.collection(), key, value); !put.ok()) {
      return call.Fail(put.error());
    }
  }
  call.reply.Integer(count);
}

constexpr command::Command Row(std::string_view name, int arity, command::Place place,
                               uint32_t flags, command::Function run) {
  command::Command row;
  row.name = name;
  row.arity = arity;
  row.place = place;
  row.flags = flags;
  row.run = run;
  return row;
}

inline std::vector<command::Command> SmallCommands() {
  using command::Place;
  constexpr uint32_t kWrites = command::kFlagWrite;
  return {Row("set", 3, Place::kWrite, kWrites, Set),
          Row("get", 2, Place::kRead, command::kFlagReadOnly, Get),
          Row("bump", 2, Place::kWrite, kWrites, Bump),
          Row("half", 2, Place::kWrite, kWrites | command::kFlagPartial, Half),
          Row("fill", 3, Place::kWrite, kWrites | command::kFlagPartial, Fill),
          Row("look", 2, Place::kCommit, 0, Get)};
}

// An operation with a session and arguments of its own.
class Prepared {
 public:
  explicit Prepared(service_support::TestHost& host) : host_(host), session_(host.NewSession()) {
    operation_.session = &session_;
    operation_.owner = this;
    operation_.done = [](Operation& operation, bool more) {
      auto& mine = *static_cast<Prepared*>(operation.owner);
      mine.more = more;
      mine.event_->Set();
    };
  }
  Prepared(service_support::TestHost& host, std::initializer_list<std::string_view> lines)
      : Prepared(host) {
    for (const std::string_view line : lines) {
      Add(line);
    }
  }
  // Words apart by spaces.
  void Add(std::string_view line) {
    words_.emplace_back(line);
    std::string_view rest = words_.back();
    std::vector<std::string_view> arguments;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(' '), rest.size());
      arguments.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    const command::Command* command = host_.commands().Find(arguments);
    operation_.Add(*command, arguments);
  }
  Operation* operator&() { return &operation_; }
  Operation* operator->() { return &operation_; }
  Operation& operator*() { return operation_; }
  command::Session& session() { return session_; }
  void Wait() { event_->Wait(); }

  bool more = false;

 private:
  service_support::TestHost& host_;
  const std::unique_ptr<runtime::Event> event_ = host_.runtime().NewEvent();
  command::Session session_;
  std::deque<std::string> words_;
  Operation operation_;
};

}  // namespace luna::operation
