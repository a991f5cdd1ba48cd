#include "group/group_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/hash.h"
#include "base/try.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kThinkNanos = 16 * kMillisecond;
constexpr uint64_t kHoldNanos = 150 * kMillisecond;
constexpr uint64_t kPatienceNanos = 60'000 * kMillisecond;  // far beyond every take-over

// A hash of everything in the two collections.
Result<uint64_t> HashAll(Snapshot& snapshot, Led& led) {
  uint64_t hash = 0;
  for (const auto& collection : led.collections) {
    const auto iterator = TRY(snapshot.Scan(*collection));
    for (; iterator->Valid(); iterator->Next()) {
      hash = base::Hash(iterator->key(), hash);
      hash = base::Hash(iterator->value(), hash);
    }
    TRY(iterator->status());
  }
  return hash;
}

// What a leader never answers, whatever happens to it.
bool IsDamage(Reason reason) {
  return reason == Reason::kBadChecksum || reason == Reason::kBadFormat ||
         reason == Reason::kLostData || reason == Reason::kObjectMissing ||
         reason == Reason::kCollectionMissing || reason == Reason::kSnapshotTooOld;
}

}  // namespace

std::string RegisterKey(uint64_t number) {
  return "r" + std::to_string(number);
}

std::string PairKey(uint64_t number) {
  return "p" + std::to_string(number);
}

std::string FormatValue(uint64_t value, uint64_t at_most) {
  return std::to_string(value) + ":" +
         std::string(base::Hash(std::to_string(value)) % at_most,
                     static_cast<char>('a' + value % 26));
}

std::optional<uint64_t> ParseValue(const std::string& bytes) {
  uint64_t value = 0;
  const auto [end, problem] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  const size_t length = static_cast<size_t>(end - bytes.data());
  if (problem != std::errc() || length == bytes.size() || bytes[length] != ':' ||
      bytes.find_first_not_of(static_cast<char>('a' + value % 26), length + 1) !=
          std::string::npos) {
    return std::nullopt;
  }
  return value;
}

GroupClient::GroupClient(GroupScene& scene, uint64_t number)
    : scene_(scene),
      number_(number),
      random_(scene.random.Fork()),
      at_(random_.Below(scene.servers.size())) {}

// --- Servers ---

void GroupClient::NextServer() {
  server_.reset();
  at_ = (at_ + 1) % scene_.servers.size();
}

bool GroupClient::PickServer() {
  server_ = scene_.servers[at_];
  return server_ != nullptr;
}

GroupClient::Told GroupClient::Judge(const Status& done) {
  if (!server_->alive() || (!done.ok() && done.error().reason() == Reason::kSyncFailed)) {
    ++scene_.report.unknowns;
    return Told::kUnknown;
  }
  if (!done.ok()) {
    scene_.report.conflicts += done.error().code() == ErrorCode::kConflict ? 1 : 0;
    return Told::kNo;
  }
  ++scene_.report.writes;
  return Told::kYes;
}

void GroupClient::Note(const std::string& key, RegisterOperation operation, Told told) {
  operation.ended = scene_.history.Tick();
  operation.open = told == Told::kUnknown;
  if (told != Told::kNo) {
    scene_.history.Add(key, operation);
  }
  scene_.world.trace().Add(key, {number_, operation.write.value_or(0), operation.read.value_or(0),
                                 static_cast<uint64_t>(told)});
}

template <class T>
std::optional<T> GroupClient::StrongRead(const Use<T>& use) {
  if (!PickServer()) {
    return std::nullopt;
  }
  replica::ReplicaServer& replica = server_->replica();
  const journal::Epoch begun_in = scene_.witness.epoch();
  std::optional<replica::ReadTicket> ticket =
      random_.Chance(500) ? replica.BeginReadAtOnce() : std::nullopt;
  if (!ticket.has_value()) {
    const auto begun = replica.BeginRead();
    if (!begun.ok()) {
      return std::nullopt;
    }
    ticket = *begun;
  }
  server_->runtime().Yield();
  auto got = server_->host().With(use);
  server_->runtime().Yield();
  if (!got.has_value() || !replica.EndRead(*ticket).ok()) {
    scene_.report.refused_reads += got.has_value() ? 1 : 0;
    return std::nullopt;
  }
  if (!server_->alive()) {
    return std::nullopt;
  }
  if (scene_.judge_leases && ticket->epoch != scene_.witness.epoch()) {
    scene_.Blame("a strong read of epoch " + std::to_string(ticket->epoch) +
                 " is answered in epoch " + std::to_string(scene_.witness.epoch()));
  }
  if (scene_.judge_reads && ticket->epoch < begun_in) {
    scene_.Blame("a strong read that began in epoch " + std::to_string(begun_in) +
                 " is answered under epoch " + std::to_string(ticket->epoch));
  }
  if (!got->ok()) {
    if (scene_.judge_reads && IsDamage(got->error().reason())) {
      scene_.Blame("a leader's read: " + got->error().ToString());
    }
    return std::nullopt;
  }
  ++scene_.report.reads;
  return std::move(**got);
}

// The follower's service would do the same around a command.
template <class T>
std::optional<T> GroupClient::StrongReadElsewhere(
    const std::function<Result<T>(FollowedHere&)>& use) {
  if (!PickServer()) {
    return std::nullopt;
  }
  const auto got = server_->follower().With([&](FollowedHere& here) -> Result<T> {
    const auto ticket = TRY(here.gate->Begin(command::Freshness::Strong(), true));
    server_->runtime().Yield();
    T read = TRY(use(here));
    server_->runtime().Yield();
    TRY(here.gate->End(ticket, true));
    return read;
  });
  if (!got.has_value() || !server_->alive()) {
    return std::nullopt;
  }
  if (!got->ok()) {
    ++scene_.report.refused_elsewhere;
    return std::nullopt;
  }
  ++scene_.report.reads_elsewhere;
  return std::move(**got);
}

std::optional<uint64_t> GroupClient::Parse(const std::string& key,
                                           const std::optional<std::string>& bytes) {
  if (!bytes.has_value()) {
    return 0;
  }
  const std::optional<uint64_t> value = ParseValue(*bytes);
  if (!value.has_value()) {
    scene_.Blame("key " + key + " holds what nobody wrote: " + bytes->substr(0, 40));
  }
  return value;
}

// --- Registers ---

bool GroupClient::Put(const std::string& key, uint64_t collection) {
  if (!PickServer()) {
    return false;
  }
  RegisterOperation operation{.began = scene_.history.Tick(), .write = ++scene_.values};
  const auto done = server_->host().With([&](Led& led) {
    return led.collections[collection]->Put(key, FormatValue(*operation.write, scene_.value_bytes));
  });
  if (!done.has_value()) {
    return false;
  }
  const Told told = Judge(*done);
  Note(key, operation, told);
  return told == Told::kYes;
}

bool GroupClient::Get(const std::string& key, uint64_t collection) {
  const RegisterOperation operation{.began = scene_.history.Tick()};
  const auto got = StrongRead<std::optional<std::string>>(
      [&](Led& led) { return led.collections[collection]->Get(key); });
  return got.has_value() && NoteRead(key, operation, *got);
}

bool GroupClient::GetElsewhere(const std::string& key, uint64_t collection) {
  const RegisterOperation operation{.began = scene_.history.Tick()};
  const auto got = StrongReadElsewhere<std::optional<std::string>>(
      [&](FollowedHere& here) { return here.collections[collection]->Get(key); });
  return got.has_value() && NoteRead(key, operation, *got);
}

bool GroupClient::NoteRead(const std::string& key, RegisterOperation operation,
                           const std::optional<std::string>& bytes) {
  operation.read = Parse(key, bytes);
  if (operation.read.has_value() && scene_.judge_reads) {
    Note(key, operation, Told::kYes);
  }
  return true;
}

bool GroupClient::Exchange(const std::string& key, uint64_t collection) {
  if (!PickServer()) {
    return false;
  }
  RegisterOperation operation{.began = scene_.history.Tick(), .write = ++scene_.values};
  const auto exchange = [&](Led& led) -> Status {
    const auto transaction = TRY(led.database->Begin());
    const auto before = TRY(transaction->Get(*led.collections[collection], key));
    operation.read = Parse(key, before);
    server_->runtime().Sleep(random_.Below(8) * kMillisecond);
    TRY(transaction->Put(*led.collections[collection], key,
                         FormatValue(*operation.write, scene_.value_bytes)));
    TRY(transaction->Commit());
    return {};
  };
  const auto done = server_->host().With(exchange);
  if (!done.has_value()) {
    return false;
  }
  const Told told = Judge(*done);
  Note(key, operation, told);
  return told != Told::kUnknown;
}

// --- Pairs ---

bool GroupClient::WritePair(const std::string& key) {
  if (!PickServer()) {
    return false;
  }
  RegisterOperation operation{.began = scene_.history.Tick(), .write = ++scene_.values};
  const std::string bytes = FormatValue(*operation.write, scene_.value_bytes);
  const auto done = server_->host().With([&](Led& led) -> Status {
    WriteBatch batch;
    batch.Put(*led.collections[0], key, bytes);
    batch.Put(*led.collections[1], key, bytes);
    TRY(led.database->Write(batch));
    return {};
  });
  if (!done.has_value()) {
    return false;
  }
  const Told told = Judge(*done);
  Note(key, operation, told);
  return told == Told::kYes;
}

bool GroupClient::ReadPair(const std::string& key) {
  const RegisterOperation operation{.began = scene_.history.Tick()};
  const auto got =
      StrongRead<Pair>([&](Led& led) { return TakePair(*led.database, led.collections, key); });
  return got.has_value() && NotePair(key, operation, *got);
}

bool GroupClient::ReadPairElsewhere(const std::string& key) {
  const RegisterOperation operation{.began = scene_.history.Tick()};
  const auto got = StrongReadElsewhere<Pair>(
      [&](FollowedHere& here) { return TakePair(*here.database, here.collections, key); });
  return got.has_value() && NotePair(key, operation, *got);
}

Result<GroupClient::Pair> GroupClient::TakePair(
    Database& database, const std::array<std::shared_ptr<Collection>, 2>& collections,
    const std::string& key) {
  const auto snapshot = TRY(database.GetSnapshot());
  auto first = TRY(snapshot->Get(*collections[0], key));
  server_->runtime().Yield();
  return Pair(std::move(first), TRY(snapshot->Get(*collections[1], key)));
}

bool GroupClient::NotePair(const std::string& key, const RegisterOperation& operation,
                           const Pair& got) {
  if (got.first != got.second) {
    scene_.Blame("half of a transaction: of pair " + key + " one is " +
                 got.first.value_or("missing").substr(0, 20) + " and the other one " +
                 got.second.value_or("missing").substr(0, 20));
  }
  return NoteRead(key, operation, got.first);
}

// --- Counter, ledger, snapshots ---

bool GroupClient::AskOutcome(const TransactionId& id, Timestamp started) {
  const uint64_t deadline = scene_.Now() + kPatienceNanos;
  while (scene_.Now() < deadline && scene_.violation.empty()) {
    if (PickServer()) {
      ++scene_.report.asked;
      const auto outcome =
          server_->host().With([&](Led& led) { return led.database->GetOutcome(id, started); });
      if (outcome.has_value() && outcome->ok() && server_->alive()) {
        return (*outcome)->committed;
      }
      if (outcome.has_value() && !outcome->ok() &&
          outcome->error().reason() == Reason::kOutcomeNotKept) {
        scene_.Blame("an outcome was forgotten: " + outcome->error().ToString());
      }
      server_->replica().Request();
    }
    NextServer();
    scene_.world.Sleep(5 * kMillisecond);
  }
  scene_.Blame("nobody told the outcome of a transaction");
  return false;
}

bool GroupClient::Increment() {
  if (!PickServer()) {
    return false;
  }
  const TransactionId id{.high = number_ + 1, .low = ++ids_};
  Timestamp started = 0;
  const auto increment = [&](Led& led) -> Status {
    TransactionOptions options;
    options.id = id;
    const auto transaction = TRY(led.database->Begin(options));
    started = started == 0 ? transaction->start_timestamp() : started;
    TRY(transaction->Increment(*led.collections[0], kCounterKey, 1));
    TRY(transaction->Commit());
    return {};
  };
  const auto done = server_->host().With(increment);
  if (!done.has_value() || started == 0) {
    return false;
  }
  const Told told = Judge(*done);
  if (random_.Chance(200)) {
    // The reply was lost, as the client sees it: it sends the same once more.
    (void)server_->host().With(increment);
  }
  const bool sure = told == Told::kYes && random_.Chance(800);
  const bool counted = sure || AskOutcome(id, started);
  if (told == Told::kYes && !counted && scene_.violation.empty()) {
    scene_.Blame("an acknowledged increment is said to be aborted");
  }
  scene_.report.counted += counted ? 1 : 0;
  if (scene_.violation.empty()) {
    scene_.increments.push_back({.id = id, .started = started, .counted = counted});
  }
  return counted;
}

void GroupClient::RecallOutcomes() {
  constexpr size_t kAsked = 10;
  const size_t step = scene_.increments.size() / kAsked + 1;
  for (size_t i = 0; i < scene_.increments.size() && scene_.violation.empty(); i += step) {
    const GroupScene::Increment& increment = scene_.increments[i];
    if (AskOutcome(increment.id, increment.started) != increment.counted &&
        scene_.violation.empty()) {
      scene_.Blame("an increment that was " + std::string(increment.counted ? "" : "not ") +
                   "counted is said to be otherwise");
    }
  }
}

std::optional<int64_t> GroupClient::Count() {
  const auto got = StrongRead<std::optional<std::string>>(
      [&](Led& led) { return led.collections[0]->Get(kCounterKey); });
  if (!got.has_value()) {
    return std::nullopt;
  }
  return got->has_value() ? std::stoll(**got) : 0;
}

bool GroupClient::WriteLedger() {
  if (!PickServer()) {
    return false;
  }
  const std::string key = "l" + std::to_string(number_) + "-" + std::to_string(++ledger_);
  const auto done = server_->host().With([&](Led& led) {
    return led.collections[1]->Put(key, FormatValue(++scene_.values, scene_.value_bytes));
  });
  if (!done.has_value() || Judge(*done) != Told::kYes) {
    return false;
  }
  scene_.ledger.push_back(key);
  return true;
}

bool GroupClient::FindLedger() {
  using Keys = std::vector<std::string>;
  const auto got = StrongRead<Keys>([&](Led& led) -> Result<Keys> {
    Keys keys;
    ScanOptions options;
    options.prefix = "l";
    const auto iterator = TRY(led.collections[1]->Scan(options));
    for (; iterator->Valid(); iterator->Next()) {
      keys.emplace_back(iterator->key());
    }
    TRY(iterator->status());
    return keys;
  });
  if (!got.has_value()) {
    return false;
  }
  for (const std::string& key : scene_.ledger) {
    if (!std::binary_search(got->begin(), got->end(), key)) {
      scene_.Blame("the acknowledged write of " + key + " is lost");
    }
  }
  return true;
}

bool GroupClient::HoldSnapshot() {
  bool same = true;
  const auto held = StrongRead<bool>([&](Led& led) -> Result<bool> {
    const auto snapshot = TRY(led.database->GetSnapshot());
    const uint64_t before = TRY(HashAll(*snapshot, led));
    server_->runtime().Sleep(random_.Below(kHoldNanos));
    same = TRY(HashAll(*snapshot, led)) == before;
    return true;
  });
  if (!same) {
    scene_.Blame("a snapshot changed while it was held");
  }
  scene_.report.snapshots += held.has_value() ? 1 : 0;
  return held.has_value();
}

// --- All of it ---

// Who was told something by a follower goes to see whether the leader knows it.
void GroupClient::ReadBothWays(const std::function<bool()>& elsewhere,
                               const std::function<bool()>& there) {
  const uint64_t leading = std::exchange(at_, random_.Below(scene_.servers.size()));
  const bool told = elsewhere();
  at_ = leading;
  server_.reset();
  if (told && random_.Chance(500)) {
    (void)there();
    server_.reset();
  }
}

void GroupClient::Operate() {
  const uint64_t number = random_.Below(kRegisters);
  const std::string key = RegisterKey(number);
  const std::string pair = PairKey(random_.Below(kPairs));
  if (random_.Chance(350)) {
    random_.Chance(700)
        ? ReadBothWays([&] { return GetElsewhere(key, number % 2); },
                       [&] { return Get(key, number % 2); })
        : ReadBothWays([&] { return ReadPairElsewhere(pair); }, [&] { return ReadPair(pair); });
    return;
  }
  const uint64_t what = random_.Below(100);
  const bool done = what < 24   ? Put(key, number % 2)
                    : what < 48 ? Get(key, number % 2)
                    : what < 58 ? Exchange(key, number % 2)
                    : what < 68 ? WritePair(pair)
                    : what < 80 ? ReadPair(pair)
                    : what < 88 ? Increment()
                    : what < 97 ? WriteLedger()
                                : HoldSnapshot();
  if (!done) {
    if (server_ != nullptr) {
      server_->replica().Request();
    }
    NextServer();
  }
  server_.reset();
}

void GroupClient::Watch() {
  while (!scene_.over) {
    uint64_t pause = random_.Below(kThinkNanos);
    if (scene_.Now() >= scene_.quiet_until) {
      const auto got = StrongRead<std::optional<std::string>>(
          [](Led& led) { return led.collections[0]->Get(kCounterKey); });
      if (got.has_value()) {
        pause /= 4;
      } else {
        NextServer();
      }
      server_.reset();
    }
    scene_.world.Sleep(pause);
  }
}

void GroupClient::Run() {
  while (!scene_.over) {
    if (scene_.Now() >= scene_.quiet_until) {
      Operate();
    }
    scene_.world.Sleep(random_.Below(kThinkNanos));
  }
}

}  // namespace luna::test
