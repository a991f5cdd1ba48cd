// FineHistogram: how often which value came, exact to 0.8 %: 128 steps per power of two. For one
// thread that measures; those of several threads are added up. base::Histogram is the one that many
// threads fill.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace luna::base {

class FineHistogram {
 public:
  FineHistogram();

  void Add(uint64_t value);
  void Add(const FineHistogram& other);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  double mean() const;  // 0 when empty
  // The value that `fraction` (0..1) of what was added did not exceed, rounded up by at most 0.8 %
  // and never above max(); 0 when empty.
  uint64_t Quantile(double fraction) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace luna::base
