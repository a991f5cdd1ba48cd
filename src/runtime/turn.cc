#include "runtime/turn.h"

#include "base/assert.h"

namespace luna::runtime {

void Turn::Take() {
  std::unique_ptr<Event> my_turn;
  {
    base::MutexLock lock(mutex_);
    if (!taken_) {
      taken_ = true;
      return;
    }
    my_turn = runtime_.NewEvent();
    waiters_.push_back(my_turn.get());
  }
  my_turn->Wait();
}

void Turn::Give() {
  Event* next = nullptr;
  {
    base::MutexLock lock(mutex_);
    LUNA_ASSERT(taken_);
    if (waiters_.empty()) {
      taken_ = false;
      return;
    }
    // The turn stays taken: a newcomer cannot slip in before the one who is woken here.
    next = waiters_.front();
    waiters_.pop_front();
  }
  next->Set();
}

}  // namespace luna::runtime
