#include "apps/luna_simulate/kill_cycles.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "luna/luna.h"
#include "simulation/seeded_random.h"

namespace luna::simulate {

namespace {

constexpr uint64_t kWriters = 4;
constexpr uint64_t kSlots = 2000;
constexpr const char* kNames[] = {"first", "second"};

std::string SlotKey(uint64_t writer, uint64_t slot) {
  return "writer-" + std::to_string(writer) + "-slot-" + std::to_string(slot);
}

std::string SlotValue(uint64_t number) {
  std::string value = std::to_string(number) + " ";
  value.resize(100 + number * 37 % 900, 'x');
  return value;
}

// One cell of eight bytes a writer; written in place, so a kill leaves the old or the new number.
class Ledger {
 public:
  explicit Ledger(const std::string& directory)
      : file_(open((directory + "/ledger").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {}
  ~Ledger() { close(file_); }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  uint64_t Read(uint64_t writer) const {
    uint64_t number = 0;
    const ssize_t got = pread(file_, &number, sizeof number, static_cast<off_t>(writer * 8));
    return got == sizeof number ? number : 0;
  }
  void Write(uint64_t writer, uint64_t number) {
    if (pwrite(file_, &number, sizeof number, static_cast<off_t>(writer * 8)) != sizeof number) {
      std::perror("ledger");
      std::abort();
    }
  }

 private:
  const int file_;
};

struct Opened {
  std::unique_ptr<Universe> universe;
  std::shared_ptr<Database> database;
  std::vector<std::shared_ptr<Collection>> collections;
};

Result<Opened> OpenAll(const std::string& directory) {
  Options options{.location = directory + "/universe"};
  options.memory_budget_bytes = uint64_t{64} << 20;
  options.durability = Durability::kProcess;
  options.memtable_bytes = 1 << 20;  // many flushes, so that kills meet them
  options.table_bytes = 1 << 20;
  Opened opened;
  auto universe = Universe::Open(options);
  if (!universe.ok()) {
    return universe.error();
  }
  opened.universe = std::move(universe).value();
  auto database = opened.universe->OpenOrCreateDatabase("kill");
  if (!database.ok()) {
    return database.error();
  }
  opened.database = std::move(database).value();
  for (const char* name : kNames) {
    auto collection = opened.database->OpenOrCreateCollection(name);
    if (!collection.ok()) {
      return collection.error();
    }
    opened.collections.push_back(std::move(collection).value());
  }
  return opened;
}

Status WriteNumber(Opened& opened, uint64_t writer, uint64_t number) {
  const std::string key = SlotKey(writer, number % kSlots);
  const std::string value = SlotValue(number);
  const auto committed = opened.database->Transact([&](Transaction& transaction) -> Status {
    for (const auto& collection : opened.collections) {
      if (const Status put = transaction.Put(*collection, key, value); !put.ok()) {
        return put;
      }
    }
    return {};
  });
  return committed.ok() ? Status() : Status(committed.error());
}

// The newest number up to `last` that went to the slot; 0: none.
uint64_t NewestIn(uint64_t slot, uint64_t last) {
  const uint64_t newest = last - (last + kSlots - slot) % kSlots;
  return newest > last ? 0 : newest;
}

std::string CheckSlot(Opened& opened, uint64_t writer, uint64_t slot, uint64_t acknowledged) {
  const std::string key = SlotKey(writer, slot);
  const auto first = opened.collections[0]->Get(key);
  const auto second = opened.collections[1]->Get(key);
  if (!first.ok() || !second.ok()) {
    return (first.ok() ? second.error() : first.error()).ToString();
  }
  if (*first != *second) {
    return key + " differs between the collections: half a transaction";
  }
  const uint64_t expected = NewestIn(slot, acknowledged);
  const bool maybe_next = (acknowledged + 1) % kSlots == slot;
  const bool as_expected = expected == 0 ? !*first : *first == SlotValue(expected);
  if (as_expected || (maybe_next && *first == SlotValue(acknowledged + 1))) {
    return "";
  }
  return key + " holds '" + first->value_or("nothing").substr(0, 20) + "', but number " +
         std::to_string(expected) + " was acknowledged (the last one is " +
         std::to_string(acknowledged) + ")";
}

test::Verdict CheckAll(const std::string& directory, bool verify) {
  auto opened = OpenAll(directory);
  if (!opened.ok()) {
    return {false, "cannot open after the kill: " + opened.error().ToString(), 0};
  }
  const Ledger ledger(directory);
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    const uint64_t acknowledged = ledger.Read(writer);
    for (uint64_t slot = 0; slot < kSlots; ++slot) {
      if (std::string problem = CheckSlot(*opened, writer, slot, acknowledged); !problem.empty()) {
        return {false, problem, 0};
      }
    }
  }
  if (verify) {
    const auto report = opened->universe->Verify();
    if (!report.ok() || !report->damage.empty()) {
      return {false, "verify: " + (report.ok() ? report->damage[0] : report.error()).ToString(), 0};
    }
  }
  return {};
}

}  // namespace

int RunKillChild(const std::string& directory) {
  auto opened = OpenAll(directory);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.error().ToString().c_str());
    return 1;
  }
  Ledger ledger(directory);
  std::vector<std::thread> writers;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      // What was under way when the last child died is written again: same number, same bytes.
      for (uint64_t number = ledger.Read(writer) + 1;; ++number) {
        if (const Status done = WriteNumber(*opened, writer, number); !done.ok()) {
          std::fprintf(stderr, "%s\n", done.error().ToString().c_str());
          _exit(1);
        }
        ledger.Write(writer, number);
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  return 0;
}

test::Verdict RunKillCycle(const std::string& program, const std::string& directory,
                           uint64_t seed) {
  mkdir(directory.c_str(), 0755);
  simulation::SeededRandom random(seed);
  const auto micros = static_cast<useconds_t>(20'000 + random.Below(900'000));
  const pid_t child = fork();
  if (child == 0) {
    execl(program.c_str(), program.c_str(), "--scenario", "kill-child", "--directory",
          directory.c_str(), static_cast<char*>(nullptr));
    std::perror(program.c_str());
    _exit(127);
  }
  usleep(micros);
  int status = 0;
  if (waitpid(child, &status, WNOHANG) == child) {
    return {false, "the child ended by itself (see its error above)", 0};
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return test::RunIsolated([&] { return CheckAll(directory, seed % 10 == 0); }, 120);
}

}  // namespace luna::simulate
