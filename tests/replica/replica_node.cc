#include "replica/replica_node.h"

#include <utility>

namespace luna::replica {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr int kMaxTries = 20;

}  // namespace

void Scene::At(uint64_t when, std::function<void()> what) {
  queue_.push({.when = std::max(when, now_),
               .order = order_++,
               .what = std::make_shared<std::function<void()>>(std::move(what))});
}

void Scene::RunUntil(uint64_t end) {
  while (!queue_.empty() && queue_.top().when <= end) {
    const auto what = queue_.top().what;
    now_ = queue_.top().when;
    queue_.pop();
    (*what)();
  }
  now_ = end;
}

uint64_t Scene::Random(uint64_t bound) {
  uint64_t x = (random_ += 0x9E3779B97F4A7C15);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return (x ^ (x >> 31)) % bound;
}

Node::Node(Scene& scene, int id, const Settings& settings, uint64_t timeout)
    : scene_(scene), id_(id), settings_(settings), timeout_(timeout) {
  local_base_ = scene.Random(1'000'000'000'000);
}

void Node::Start() {
  ++life_;
  state_ = std::make_unique<ReplicaState>(settings_, scene_.Random(UINT64_MAX));
  TickForEver();
}

void Node::Kill() {
  ++life_;
  ++tenure_;
  state_.reset();
  paused_until_ = 0;
  appending_ = serving_ = false;
  jobs_.clear();
  writes_.clear();  // their clients never hear of them
  values_.clear();
}

void Node::SetRate(double rate) {
  local_base_ = Local();
  real_base_ = scene_.now();
  rate_ = rate;
}

Nanos Node::Local() const {
  return local_base_ +
         static_cast<uint64_t>(static_cast<double>(scene_.now() - real_base_) * rate_);
}

void Node::After(uint64_t delay, std::function<void()> what) {
  scene_.At(scene_.now() + delay,
            [this, life = life_, what = std::move(what)] { Deliver(life, what); });
}

void Node::Deliver(int life, const std::function<void()>& what) {
  if (life != life_ || state_ == nullptr) {
    return;
  }
  if (scene_.now() < paused_until_) {
    scene_.At(paused_until_, [this, life, what] { Deliver(life, what); });
    return;
  }
  what();
}

uint64_t Node::Delay() {
  const bool slow = scene_.now() < scene_.faults_end && scene_.Chance(5);
  return slow ? scene_.Random(timeout_) : scene_.Between(100'000, 2 * kMillisecond);
}

void Node::Call(std::function<Reply()> serve, std::function<void()> timed_out) {
  const auto done = std::make_shared<bool>(false);
  After(timeout_, [done, timed_out = std::move(timed_out)] {
    if (!std::exchange(*done, true)) {
      timed_out();
    }
  });
  uint64_t arrival = scene_.now() + Delay();
  if (scene_.now() < cut_until_) {
    if (scene_.Chance(50)) {
      return;  // lost
    }
    // Or late, by far; no later than the end of all faults.
    arrival = std::min(scene_.now() + scene_.Random(3 * settings_.lease_nanos), scene_.faults_end);
  }
  scene_.At(arrival, [this, done, life = life_, serve = std::move(serve)] {
    Reply reply = serve();
    if (scene_.now() < cut_until_ || life != life_) {
      return;
    }
    After(Delay(), [done, reply = std::move(reply)] {
      if (!std::exchange(*done, true)) {
        reply();
      }
    });
  });
}

void Node::TickForEver() {
  Give(Tick{});
  After(scene_.Between(settings_.LookNanos() / 2, settings_.LookNanos()),
        [this] { TickForEver(); });
}

void Node::Give(const Event& event) {
  if (state_ != nullptr && scene_.now() >= paused_until_) {
    Do(state_->Handle(Local(), event));
  }
}

void Node::Do(const Actions& actions) {
  for (const Action& action : actions) {
    std::visit([this](const auto& each) { Do(each); }, action);
  }
}

// --- What a candidate does ---

void Node::Do(const replica::Look&) {
  Call([this]() -> Reply { return [this, saw = scene_.stream.Look(id_)] { Give(saw); }; },
       [this] { Give(LookFailed{}); });
}

void Node::Do(const FenceStream& action) {
  scene_.self_fences += action.expected_tail.has_value() ? 0 : 1;
  Call(
      [this, action, sent = Local(), writer = std::pair(id_, life_)]() -> Reply {
        const bool done =
            scene_.stream.Fence(action.expected_epoch, action.expected_tail, action.new_epoch);
        FenceOk fenced;
        if (done && action.start) {
          scene_.stream.Append(action.new_epoch, *action.expected_tail,
                               {.writer = writer, .kind = AppendKind::kLeaderStart});
          fenced.started = sent;
          ++scene_.starts_with_fence;
        }
        fenced.tail = scene_.stream.tail();
        return [this, done, fenced] { Give(done ? Event(fenced) : Event(FenceRefused{})); };
      },
      [this] { Give(FenceUnknown{}); });
}

void Node::Do(const CatchUp& action) {
  const int tenure = ++tenure_;
  tail_ = action.tail;
  appending_ = serving_ = false;
  jobs_.clear();
  Call(
      [this, action, tenure]() -> Reply {
        std::map<int, uint64_t> values;
        for (Sequence i = 0; i < action.tail; ++i) {
          for (const ModelWrite& write : scene_.stream.records()[i].writes) {
            values[write.key] = write.id;
          }
        }
        return [this, tenure, values = std::move(values)] {
          if (tenure == tenure_) {
            values_ = values;
            Give(CaughtUp{});
          }
        };
      },
      [this, tenure] {
        if (tenure == tenure_) {
          scene_.last_failure = scene_.now();
          Give(LeadFailed{});
        }
      });
}

void Node::Do(const AppendLeaderStart& action) {
  jobs_.push_back({.kind = AppendKind::kLeaderStart, .epoch = action.epoch});
  Pump();
}

void Node::Do(const Serve&) {
  ++scene_.elections;
  serving_ = true;
}

// --- What a leader does ---

void Node::Do(const AppendRenew& action) {
  scene_.rests += action.resting ? 1 : 0;
  jobs_.push_back({.kind = AppendKind::kRenew, .epoch = action.epoch, .resting = action.resting});
  Pump();
}

void Node::Do(const AppendTransfer& action) {
  ++scene_.transfers;
  serving_ = false;
  DropWrites();
  jobs_.push_back({.kind = AppendKind::kTransfer,
                   .epoch = action.epoch,
                   .target = action.target.empty() ? -1 : std::stoi(action.target)});
  Pump();
}

void Node::Do(const Yield& action) {
  ++scene_.yields;
  serving_ = false;
  DropWrites();
  jobs_.push_back({.epoch = action.epoch, .target = std::stoi(action.target), .yields = true});
  Pump();
}

void Node::Do(const StopServing&) {
  ++tenure_;
  appending_ = serving_ = false;
  jobs_.clear();
  DropWrites();
}

void Node::Do(const ConfirmEpoch& action) {
  Call(
      [this, action]() -> Reply {
        return [this, read = EpochRead{.question = action.question,
                                       .epoch = scene_.stream.epoch()}] { Give(read); };
      },
      [this, action] { Give(EpochReadFailed{action.question}); });
}

void Node::DropWrites() {
  for (const ModelWrite& write : std::exchange(writes_, {})) {
    scene_.checker.EndWrite(write.id, Answer::kFailed, scene_.now());
  }
}

void Node::Pump() {
  if (appending_ || (jobs_.empty() && (!serving_ || writes_.empty()))) {
    return;
  }
  Job job;
  if (!jobs_.empty()) {
    job = std::move(jobs_.front());
    jobs_.pop_front();
  } else {
    job = {.epoch = state_->epoch(), .writes = std::exchange(writes_, {})};
  }
  if (job.yields) {
    const Hinted hint{.epoch = job.epoch, .tail = tail_, .leader = std::to_string(job.target)};
    Give(Yielded{.tail = tail_, .target = std::to_string(job.target)});
    scene_.tell(job.target, hint);
    return;
  }
  appending_ = true;
  Give(AppendSent{job.kind});
  if (scene_.now() < scene_.faults_end && scene_.Random(500) == 0) {
    Ended(tenure_, job, AppendFailed{});
  } else {
    Submit(job);
  }
}

void Node::Submit(const Job& job) {
  const ModelRecord record{.writer = {id_, life_},
                           .kind = job.kind,
                           .resting = job.resting,
                           .target = job.target,
                           .writes = job.writes};
  Call(
      [this, job, record, expected = tail_, tenure = tenure_]() -> Reply {
        const bool done = scene_.stream.Append(job.epoch, expected, record);
        return [this, tenure, job, done] {
          Ended(tenure, job, done ? Event(AppendAcked{}) : Event(AppendFenced{}));
        };
      },
      [this, tenure = tenure_, job] { Ended(tenure, job, AppendUnknown{}); });
}

void Node::Ended(int tenure, const Job& job, const Event& outcome) {
  const bool unknown = std::holds_alternative<AppendUnknown>(outcome);
  const bool done =
      std::holds_alternative<AppendAcked>(outcome) || (unknown && settings_.mutants.unknown_is_ok);
  scene_.unknowns += unknown ? 1 : 0;
  if (tenure == tenure_) {
    appending_ = false;
    if (done) {
      ++tail_;
      for (const ModelWrite& write : job.writes) {
        values_[write.key] = write.id;
      }
    }
    Give(outcome);
  }
  Settle(job, done                                              ? Answer::kOk
              : unknown && !settings_.mutants.unknown_is_failed ? Answer::kOpen
                                                                : Answer::kFailed);
  Pump();
}

void Node::Settle(const Job& job, Answer answer) {
  for (const ModelWrite& write : job.writes) {
    scene_.checker.EndWrite(write.id, answer, scene_.now());
    if (answer == Answer::kOk) {
      scene_.last_write = std::max(scene_.last_write, began_[write.id]);
    }
    began_.erase(write.id);
  }
}

// --- What clients do ---

void Node::Write(int key) {
  After(0, [this, key] {
    Give(Requested{});
    if (serving_) {
      const uint64_t id = scene_.checker.BeginWrite(key, scene_.now());
      began_[id] = scene_.now();
      writes_.push_back({.key = key, .id = id});
      Pump();
    }
  });
}

void Node::Read(int key) {
  After(0, [this, key] { BeginRead({.key = key, .began = scene_.now()}); });
}

void Node::BeginRead(ReadCall call) {
  Actions actions;
  const Verdict verdict = state_->BeginRead(Local(), call.ticket, actions);
  Do(actions);
  if (verdict == Verdict::kWait && ++call.tries < kMaxTries) {
    After(Delay(), [this, call] { BeginRead(call); });
  } else if (verdict == Verdict::kYes) {
    After(scene_.Random(kMillisecond), [this, call]() mutable {
      call.value = values_.contains(call.key) ? values_.at(call.key) : 0;
      call.tries = 0;
      After(scene_.Random(kMillisecond), [this, call] { EndRead(call); });
    });
  }
}

void Node::EndRead(ReadCall call) {
  switch (state_->EndRead(Local(), call.ticket)) {
    case Verdict::kWait:
      if (++call.tries < kMaxTries) {
        After(Delay(), [this, call] { EndRead(call); });
      }
      break;
    case Verdict::kYes:
      if (scene_.judge_leases && call.ticket.epoch != scene_.stream.epoch()) {
        scene_.violation = "a strong read of epoch " + std::to_string(call.ticket.epoch) +
                           " was answered in epoch " + std::to_string(scene_.stream.epoch());
      }
      scene_.confirmed_reads += settings_.confirm ? 1 : 0;
      scene_.last_read = std::max(scene_.last_read, call.began);
      scene_.checker.Read(call.key, call.value, call.began, scene_.now());
      break;
    case Verdict::kNo:
      ++scene_.stopped_reads;
      break;
  }
}

}  // namespace luna::replica
