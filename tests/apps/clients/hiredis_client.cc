// The scenarios with hiredis: luna_hiredis_client PORT SCENARIO blocking|asynchronous.
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <source_location>
#include <string>

#include "apps/clients/hiredis_connections.h"

namespace luna::clients {
namespace {

using Connect = std::function<std::unique_ptr<Connection>()>;
using Where = std::source_location;

void Check(bool holds, const Reply& reply, Where where = Where::current()) {
  if (!holds) {
    std::cout << "line " << where.line() << ": reply of type " << reply.type << ", integer "
              << reply.integer << ", text '" << reply.text << "'" << std::endl;
    std::exit(1);
  }
}

void IsText(const Reply& reply, const std::string& text, Where where = Where::current()) {
  Check(reply.type == REDIS_REPLY_STRING && reply.text == text, reply, where);
}
void IsStatus(const Reply& reply, const std::string& text, Where where = Where::current()) {
  Check(reply.type == REDIS_REPLY_STATUS && reply.text == text, reply, where);
}
void IsInteger(const Reply& reply, long long integer, Where where = Where::current()) {
  Check(reply.type == REDIS_REPLY_INTEGER && reply.integer == integer, reply, where);
}
void IsNil(const Reply& reply, Where where = Where::current()) {
  Check(reply.type == REDIS_REPLY_NIL, reply, where);
}
void IsError(const Reply& reply, const std::string& start, Where where = Where::current()) {
  Check(reply.type == REDIS_REPLY_ERROR && reply.text.starts_with(start), reply, where);
}

std::string Key(size_t number) {
  return "k" + std::to_string(number);
}

void Strings(const Connect& connect) {
  const auto client = connect();
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<char>(i));
  }
  IsStatus(client->Call({"SET", "k", bytes}), "OK");
  IsText(client->Call({"GET", "k"}), bytes);
  IsNil(client->Call({"GET", "none"}));
  IsNil(client->Call({"SET", "k", "w", "NX"}));
  IsStatus(client->Call({"SET", "k", "w"}), "OK");
  IsInteger(client->Call({"APPEND", "k", "xyz"}), 4);
  IsText(client->Call({"GETRANGE", "k", "1", "-2"}), "xy");
  IsStatus(client->Call({"MSET", "a", "1", "b", ""}), "OK");
  const Reply several = client->Call({"MGET", "a", "b", "c"});
  Check(several.elements.size() == 3, several);
  IsText(several.elements[0], "1");
  IsText(several.elements[1], "");
  IsNil(several.elements[2]);
  IsInteger(client->Call({"INCRBY", "a", "41"}), 42);
  IsInteger(client->Call({"DEL", "a", "b", "k", "none"}), 3);
  IsInteger(client->Call({"DBSIZE"}), 0);
}

void Expiry(const Connect& connect) {
  const auto client = connect();
  IsStatus(client->Call({"SET", "k", "v", "EX", "100"}), "OK");
  const Reply left = client->Call({"TTL", "k"});
  Check(left.integer == 99 || left.integer == 100, left);
  IsInteger(client->Call({"PERSIST", "k"}), 1);
  IsInteger(client->Call({"TTL", "k"}), -1);
  IsInteger(client->Call({"PEXPIRE", "k", "30"}), 1);
  while (client->Call({"GET", "k"}).type == REDIS_REPLY_STRING) {
  }
  IsInteger(client->Call({"TTL", "k"}), -2);
}

void Multi(const Connect& connect) {
  const auto client = connect();
  const auto other = connect();
  const auto replies = client->Pipeline({{"MULTI"}, {"SET", "k", "1"}, {"INCR", "k"}, {"EXEC"}});
  IsStatus(replies[0], "OK");
  IsStatus(replies[1], "QUEUED");
  Check(replies[3].elements.size() == 2, replies[3]);
  IsStatus(replies[3].elements[0], "OK");
  IsInteger(replies[3].elements[1], 2);
  IsStatus(client->Call({"WATCH", "k"}), "OK");
  IsStatus(other->Call({"SET", "k", "10"}), "OK");
  IsNil(client->Pipeline({{"MULTI"}, {"SET", "k", "3"}, {"EXEC"}}).back());
  IsText(client->Call({"GET", "k"}), "10");
  IsError(client->Pipeline({{"MULTI"}, {"SET", "t", "1"}, {"nonsense"}, {"EXEC"}}).back(),
          "EXECABORT ");
  IsNil(client->Call({"GET", "t"}));
}

void Begin(const Connect& connect) {
  const auto client = connect();  // a connection of its own
  const auto other = connect();
  IsStatus(other->Call({"SET", "k", "1"}), "OK");
  const Reply begun = client->Call({"BEGIN"});
  Check(begun.type == REDIS_REPLY_INTEGER && begun.integer > 0, begun);
  IsInteger(client->Call({"INCR", "k"}), 2);
  IsText(other->Call({"GET", "k"}), "1");
  const Reply committed = client->Call({"COMMIT"});
  Check(committed.type == REDIS_REPLY_STRING, committed);
  IsText(other->Call({"GET", "k"}), "2");
  client->Call({"BEGIN"});
  IsText(client->Call({"GET", "k"}), "2");
  IsStatus(other->Call({"SET", "k", "7"}), "OK");
  IsStatus(client->Call({"SET", "k", "3"}), "OK");
  IsError(client->Call({"COMMIT"}), "CONFLICT ");
  IsText(client->Call({"GET", "k"}), "7");
  const auto undone = client->Pipeline({{"BEGIN"}, {"SET", "k", "never"}, {"ROLLBACK"}});
  IsStatus(undone.back(), "OK");
  IsText(client->Call({"GET", "k"}), "7");
}

void Handles(const Connect& connect) {
  const auto client = connect();
  const auto begun = client->Pipeline({{"TXN", "BEGIN"}, {"TXN", "BEGIN"}});
  const std::string first = std::to_string(begun[0].integer);
  const std::string second = std::to_string(begun[1].integer);
  Check(first != second, begun[1]);
  IsStatus(client->Call({"TXN", "RUN", first, "SET", "k", "first"}), "OK");
  IsText(client->Call({"TXN", "RUN", first, "GET", "k"}), "first");
  IsNil(client->Call({"TXN", "RUN", second, "GET", "k"}));
  IsNil(client->Call({"GET", "k"}));
  IsStatus(client->Call({"TXN", "RUN", second, "SET", "k", "second"}), "OK");
  const Reply committed = client->Call({"TXN", "COMMIT", first});
  Check(committed.type == REDIS_REPLY_STRING, committed);
  IsError(client->Call({"TXN", "COMMIT", second}), "CONFLICT ");
  IsError(client->Call({"TXN", "RUN", second, "GET", "k"}), "NOTXN ");
  IsText(client->Call({"GET", "k"}), "first");
}

void Pipeline(const Connect& connect) {
  std::vector<Words> commands;
  for (size_t i = 0; i < 500; ++i) {
    commands.push_back({"SET", Key(i), std::to_string(i)});
    commands.push_back({"GET", Key(i)});
  }
  const auto replies = connect()->Pipeline(commands);
  for (size_t i = 0; i < 500; ++i) {
    IsStatus(replies[2 * i], "OK");
    IsText(replies[2 * i + 1], std::to_string(i));
  }
}

std::vector<std::string> Scanned(Connection& client, const std::string& match) {
  std::vector<std::string> found;
  std::string cursor = "0";
  do {
    const Reply reply = client.Call({"SCAN", cursor, "MATCH", match, "COUNT", "100"});
    Check(reply.elements.size() == 2, reply);
    cursor = reply.elements[0].text;
    for (const Reply& key : reply.elements[1].elements) {
      found.push_back(key.text);
    }
  } while (cursor != "0");
  std::sort(found.begin(), found.end());
  return found;
}

void Scan(const Connect& connect) {
  const auto client = connect();
  Words set{"MSET", "other", "1"};
  std::vector<std::string> all;
  std::vector<std::string> ones;
  for (size_t i = 0; i < 5000; ++i) {
    set.insert(set.end(), {Key(i), "1"});
    all.push_back(Key(i));
    if (Key(i)[1] == '1') {
      ones.push_back(Key(i));
    }
  }
  std::sort(all.begin(), all.end());
  std::sort(ones.begin(), ones.end());
  IsStatus(client->Call(set), "OK");
  Check(Scanned(*client, "k*") == all, {});
  Check(Scanned(*client, "k1*") == ones, {});
  Check(Scanned(*client, "none*").empty(), {});
}

void Errors(const Connect& connect) {
  const auto client = connect();
  IsStatus(client->Call({"SET", "k", "text"}), "OK");
  IsError(client->Call({"INCR", "k"}), "ERR value is not an integer or out of range");
  IsError(client->Call({"INCRBYFLOAT", "k", "1"}), "ERR value is not a valid float");
  IsError(client->Call({"nonsense", "a"}),
          "ERR unknown command 'nonsense', with args beginning with: 'a' ");
  IsError(client->Call({"GET"}), "ERR wrong number of arguments for 'get' command");
  IsText(client->Call({"GET", "k"}), "text");
}

// See client.py for what is said.
void Reconnect(const Connect& connect) {
  const auto client = connect();
  size_t acknowledged = 0;
  for (;; ++acknowledged) {
    const Reply reply = client->Call({"SET", Key(acknowledged), std::to_string(acknowledged)});
    if (reply.type == 0) {
      break;
    }
    IsStatus(reply, "OK");
    if (acknowledged == 200) {
      std::cout << "writing" << std::endl;
    }
  }
  std::string line;
  Check(std::getline(std::cin, line) && line == "restarted", {});
  Check(client->Reconnect(), {});
  for (size_t i = 0; i < acknowledged; ++i) {
    IsText(client->Call({"GET", Key(i)}), std::to_string(i));
  }
  IsStatus(client->Call({"SET", "more", "1"}), "OK");
}

}  // namespace
}  // namespace luna::clients

int main(int count, char** words) {
  using namespace luna::clients;
  const std::map<std::string, std::function<void(const Connect&)>> scenarios{
      {"strings", Strings}, {"expiry", Expiry},   {"multi", Multi},
      {"begin", Begin},     {"handles", Handles}, {"pipeline", Pipeline},
      {"scan", Scan},       {"errors", Errors},   {"reconnect", Reconnect}};
  if (count != 4 || !scenarios.contains(words[2])) {
    std::cerr << "usage: luna_hiredis_client PORT SCENARIO blocking|asynchronous\n";
    return 2;
  }
  const int port = std::atoi(words[1]);
  const bool blocking = std::string(words[3]) == "blocking";
  scenarios.at(words[2])([=] {
    auto connection = blocking ? ConnectBlocking(port) : ConnectAsynchronous(port);
    Check(connection != nullptr, {});
    return connection;
  });
  return 0;
}
