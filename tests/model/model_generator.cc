#include "model/model_generator.h"

#include <array>
#include <span>

#include "simulation/seeded_random.h"

namespace luna::test {

namespace {

constexpr uint64_t kCollections = 4;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed * 2 + 1), keys_(8 + random_.Below(60)) {
    script_.seed = seed;
    script_.file_max_nanos = random_.Chance(300) ? 200'000 : 0;
    large_ = random_.Chance(150);
  }

  ModelScript Run() {
    script_.lines.push_back(OpenLine());
    const uint64_t made = 1 + random_.Below(3);
    for (uint64_t i = 0; i < made; ++i) {
      script_.lines.push_back("create c" + std::to_string(i));
    }
    const uint64_t steps = 30 + random_.Below(70);
    for (uint64_t i = 0; i < steps; ++i) {
      random_.Chance(200) ? Parallel() : script_.lines.push_back(Step());
    }
    return std::move(script_);
  }

 private:
  std::string Pick(std::span<const char* const> choices) {
    return choices[random_.Below(choices.size())];
  }
  std::string Number(uint64_t limit) { return std::to_string(random_.Below(limit)); }
  std::string Collection() { return "c" + Number(random_.Chance(900) ? 2 : kCollections); }
  std::string Key() {
    if (random_.Chance(20)) {
      return "long*" + std::to_string(random_.Below(400));
    }
    const std::string number = Number(keys_);
    return (number.size() < 2 ? "k0" : "k") + number;
  }
  std::string Counter() { return "n" + Number(6); }
  std::string Value() {
    const std::string tag = "v" + std::to_string(++values_) + "-";
    const uint64_t kind = random_.Below(100);
    if (kind < 60) {
      return tag + "*" + Number(40);
    }
    if (kind < 95) {
      return tag + "*" + Number(1500);
    }
    return tag + "*" + (large_ && kind >= 98 ? std::to_string(65'536 + random_.Below(9000))
                                             : Number(9000));
  }
  std::string Span() {
    std::string from = Key();
    std::string to = random_.Chance(100) ? Key() : "k" + Number(100);
    if (to < from) {
      std::swap(from, to);
    }
    return from + " " + (random_.Chance(50) ? "z" : to);
  }

  std::string OpenLine() {
    constexpr std::array<const char*, 4> kMemtables = {"64", "64", "128", "4096"};
    constexpr std::array<const char*, 3> kTables = {"64", "64", "1024"};
    constexpr std::array<const char*, 4> kBlocks = {"1024", "2048", "8192", "65536"};
    constexpr std::array<const char*, 3> kBits = {"0", "12", "20"};
    constexpr std::array<const char*, 8> kDurability = {"device", "device", "device",  "device",
                                                        "device", "device", "process", "relaxed"};
    constexpr std::array<const char*, 3> kSpace = {"1.1", "1.25", "3"};
    constexpr std::array<const char*, 4> kRetention = {"0", "0", "1000", "100000"};
    return "open memtable=" + Pick(kMemtables) + " table=" + Pick(kTables) +
           " block=" + Pick(kBlocks) + " bits=" + Pick(kBits) +
           " durability=" + Pick(kDurability) + " space=" + Pick(kSpace) +
           " retention=" + Pick(kRetention) + " interval=" + std::to_string(1 + random_.Below(60));
  }

  std::string Scan() {
    std::string line = "scan " + Collection();
    if (random_.Chance(400)) {
      line += " begin=" + Key();
    }
    if (random_.Chance(400)) {
      line += " end=" + Key();
    }
    if (random_.Chance(150)) {
      line += " prefix=k" + (random_.Chance(500) ? Number(6) : "");
    }
    if (random_.Chance(300)) {
      line += " limit=" + std::to_string(1 + random_.Below(12));
    }
    line += random_.Chance(400) ? " rev" : "";
    std::string walk;
    const uint64_t steps = random_.Chance(150) ? 0 : random_.Below(2 * keys_);
    for (uint64_t i = 0; i < steps; ++i) {
      const uint64_t kind = random_.Below(100);
      walk += (walk.empty() ? "" : ",");
      walk += kind < 85 ? "n" : kind < 93 ? "p" : "s" + Key();
    }
    return line + (walk.empty() ? "" : " walk=" + walk);
  }

  std::string Write() {
    const uint64_t kind = random_.Below(100);
    if (kind < 50) {
      return "put " + Collection() + " " + Key() + " " + Value() +
             (random_.Chance(100) ? " " + std::to_string(500 + random_.Below(20'000)) : "");
    }
    if (kind < 65) {
      return "del " + Collection() + " " + Key();
    }
    if (kind < 70) {
      return "delrange " + Collection() + " " + Span();
    }
    if (kind < 85) {
      return "incr " + Collection() + " " + (random_.Chance(950) ? Counter() : Key()) + " " +
             (random_.Chance(300) ? "-" : "") + Number(1000);
    }
    return "append " + Collection() + " " + (random_.Chance(950) ? Key() : Counter()) + " " +
           "a" + std::to_string(++values_) + ".";
  }

  std::string TransactionOperation() {
    const uint64_t kind = random_.Below(100);
    if (kind < 30) {
      return "get " + Collection() + " " + (random_.Chance(800) ? Key() : Counter());
    }
    if (kind < 33) {
      return "getu " + Collection() + " " + Key();
    }
    if (kind < 42) {
      return Scan();
    }
    if (kind < 45) {
      constexpr std::array<const char*, 3> kKinds = {"exists", "missing", "equals"};
      return "require " + Collection() + " " + Key() + " " + Pick(kKinds) + " " + Value();
    }
    if (kind < 53) {
      constexpr std::array<const char*, 3> kKinds = {"save ", "back ", "release "};
      return Pick(kKinds) + "s" + Number(2);
    }
    return Write();
  }

  std::string Operations(uint64_t most) {
    std::string text;
    for (uint64_t i = 1 + random_.Below(most); i > 0; --i) {
      text += " ; " + TransactionOperation();
    }
    return text + (random_.Chance(50) ? " ; rollback" : "");
  }
  std::string Isolated() { return random_.Chance(700) ? "serializable" : "snapshot"; }
  std::string Durability() {
    return random_.Chance(50) ? " durability=device" : "";
  }

  std::string TransactionLine() {
    return "txn " + Isolated() + Durability() +
           (random_.Chance(100) ? " id=" + std::to_string(++ids_) : "") + Operations(8);
  }

  std::string Batch() {
    std::string text = "batch" + Durability();
    for (uint64_t i = 1 + random_.Below(10); i > 0; --i) {
      std::string write = Write();
      while (write.starts_with("incr") || write.starts_with("append")) {
        write = Write();
      }
      text += " ; " + write;
    }
    return text;
  }

  // Transactions that meet: few keys, several fibers.
  void Parallel() {
    const uint64_t fibers = 2 + random_.Below(3);
    const uint64_t keys = keys_;
    keys_ = 1 + random_.Below(6);
    for (uint64_t fiber = 1; fiber <= fibers; ++fiber) {
      for (uint64_t i = 1 + random_.Below(4); i > 0; --i) {
        const uint64_t kind = random_.Below(100);
        std::string line = kind < 75   ? TransactionLine()
                           : kind < 85 ? Batch()
                           : kind < 90 ? "flush " + Collection()
                           : kind < 93 ? "compact " + Collection()
                           : kind < 97 ? "snapread " + Snapshot() + " " + Scan()
                                       : "verify";
        script_.lines.push_back(std::to_string(fiber) + ": " + line);
      }
    }
    keys_ = keys;
  }

  std::string Snapshot() { return "s" + Number(3); }

  std::string Read() {
    const uint64_t kind = random_.Below(100);
    if (kind < 30) {
      return "get " + Collection() + " " + Key();
    }
    if (kind < 40) {
      return "multiget " + Collection() + " " + Key() + " " + Key() + " " + Counter();
    }
    if (kind < 70) {
      return Scan();
    }
    if (kind < 80) {
      return "snap " + Snapshot();
    }
    if (kind < 94) {
      return "snapread " + Snapshot() + " " +
             (random_.Chance(500) ? Scan() : "get " + Collection() + " " + Key());
    }
    if (kind < 97) {
      return "unsnap " + Snapshot();
    }
    return "past " + Number(5000) + " " + Collection();
  }

  std::string Upkeep() {
    const uint64_t kind = random_.Below(100);
    if (kind < 30) {
      return "flush " + Collection();
    }
    if (kind < 45) {
      return "compact " + Collection() + (random_.Chance(300) ? " " + Span() : "");
    }
    if (kind < 55) {
      return "ingest " + Collection() + " k" + Number(9) + " " +
             std::to_string(1 + random_.Below(60)) + " " + Value();
    }
    if (kind < 75) {
      return "sleep " + Number(random_.Chance(200) ? 120'000 : 3000);
    }
    if (kind < 82) {
      return "create " + Collection();
    }
    if (kind < 85) {
      return "drop " + Collection();
    }
    if (kind < 88) {
      return "rename " + Collection() + " " + Collection();
    }
    constexpr std::array<const char*, 5> kWhole = {"checkpoint", "backup", "verify", "persist",
                                                   "stats"};
    return Pick(kWhole);
  }

  std::string Trouble() {
    const uint64_t kind = random_.Below(100);
    if (kind < 45) {
      return OpenLine();
    }
    if (kind < 85) {
      constexpr std::array<const char*, 2> kWhen = {"before", "after"};
      constexpr std::array<const char*, 4> kSurvival = {"lost", "kept", "mixed", "mixed"};
      return "cut " + std::to_string(1 + random_.Below(random_.Chance(500) ? 12 : 150)) + " " +
             Pick(kWhen) + " " + Pick(kSurvival);
    }
    constexpr std::array<const char*, 3> kFaults = {"sync", "write", "full"};
    return "fault " + Pick(kFaults) + " " + std::to_string(1 + random_.Below(20));
  }

  std::string Step() {
    const uint64_t kind = random_.Below(100);
    if (kind < 25) {
      return Write();
    }
    if (kind < 45) {
      return Read();
    }
    if (kind < 65) {
      return TransactionLine();
    }
    if (kind < 72) {
      return Batch();
    }
    if (kind < 76) {
      return "all | " + Isolated() + Operations(5) + " | " + Isolated() + Operations(5);
    }
    return kind < 94 ? Upkeep() : Trouble();
  }

  simulation::SeededRandom random_;
  uint64_t keys_;
  bool large_ = false;
  uint64_t values_ = 0;
  uint64_t ids_ = 0;
  ModelScript script_;
};

}  // namespace

ModelScript GenerateScript(uint64_t seed) { return Generator(seed).Run(); }

}  // namespace luna::test
