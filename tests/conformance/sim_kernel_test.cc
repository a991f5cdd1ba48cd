// The suites of the Kernel's contract in the simulator, as they are: on a store that answers at
// once, and on one whose messages take time and overtake one another.
#include "simulation/sim_kernel/sim_kernel.h"

#include "conformance/journal_conformance.h"
#include "conformance/kernel_conformance.h"
#include "conformance/manifest_conformance.h"
#include "conformance/sim_ground.h"
#include "conformance/storage_conformance.h"
#include "simulation/sim_kernel/sim_journal.h"
#include "simulation/sim_kernel/sim_storage.h"

namespace luna::conformance {

namespace {

using sim_kernel::NewSimJournal;
using sim_kernel::NewSimStorage;
using sim_kernel::SimFaults;

class SimJournalPlace : public JournalPlace {
 public:
  explicit SimJournalPlace(const SimFaults& faults) : ground_(faults) {}
  std::unique_ptr<journal::Journal> Open() override {
    return NewSimJournal(ground_.OpenEndpoint());
  }
  std::string link_target() const override { return ground_.url("-copy"); }
  std::unique_ptr<journal::Journal> OpenLinked() override {
    return NewSimJournal(ground_.OpenEndpoint("-copy"));
  }

 private:
  SimGround ground_;
};

class SimStoragePlace : public StoragePlace {
 public:
  explicit SimStoragePlace(const SimFaults& faults) : ground_(faults) { Reopen(); }
  storage::Storage& storage() override { return *storage_; }
  void Reopen() override { storage_ = NewSimStorage(ground_.OpenEndpoint()); }
  storage::Storage& Linked(const std::string& directory) override {
    EXPECT_EQ(directory, directory_for_links());
    linked_ = NewSimStorage(ground_.OpenEndpoint("-links"));
    return *linked_;
  }
  std::string directory_for_links() const override { return ground_.url("-links"); }

 private:
  SimGround ground_;
  std::unique_ptr<storage::Storage> storage_;
  std::unique_ptr<storage::Storage> linked_;
};

class SimManifestPlace : public ManifestPlace {
 public:
  explicit SimManifestPlace(const SimFaults& faults) : ground_(faults) {}
  runtime::Runtime& runtime() override { return ground_.runtime(); }
  journal::Journal& journal() override { return *journal_; }
  storage::Storage& storage() override { return *storage_; }

 private:
  SimGround ground_;
  const std::unique_ptr<journal::Journal> journal_ = NewSimJournal(ground_.OpenEndpoint());
  const std::unique_ptr<storage::Storage> storage_ = NewSimStorage(ground_.OpenEndpoint());
};

class SimKernelPlace : public KernelPlace {
 public:
  explicit SimKernelPlace(const SimFaults& faults) : ground_(faults) {}
  runtime::Runtime& runtime() override { return ground_.runtime(); }
  std::string url() const override { return ground_.url(); }
  std::string checkpoint() const override { return ground_.url("-copy"); }
  Result<std::unique_ptr<kernel::Kernel>> Open(const std::string& url, runtime::Runtime& runtime,
                                               bool create) override {
    auto kernel =
        TRY(sim_kernel::SimKernel::OpenAs(ground_.server(), ground_.store(), runtime, url,
                                          {.create_if_missing = create, .background = {}}));
    return std::unique_ptr<kernel::Kernel>(std::move(kernel));
  }

 private:
  SimGround ground_;
};

template <typename Base, typename Place, const SimFaults& faults>
std::unique_ptr<Base> Make() {
  return std::make_unique<Place>(faults);
}

INSTANTIATE_TEST_SUITE_P(Sim, JournalConformance,
                         testing::Values(&Make<JournalPlace, SimJournalPlace, kNoFaults>,
                                         &Make<JournalPlace, SimJournalPlace, kRestless>));
INSTANTIATE_TEST_SUITE_P(Sim, StorageConformance,
                         testing::Values(&Make<StoragePlace, SimStoragePlace, kNoFaults>,
                                         &Make<StoragePlace, SimStoragePlace, kRestless>));
INSTANTIATE_TEST_SUITE_P(Sim, ManifestConformance,
                         testing::Values(&Make<ManifestPlace, SimManifestPlace, kNoFaults>,
                                         &Make<ManifestPlace, SimManifestPlace, kRestless>));
INSTANTIATE_TEST_SUITE_P(Sim, KernelConformance,
                         testing::Values(&Make<KernelPlace, SimKernelPlace, kNoFaults>,
                                         &Make<KernelPlace, SimKernelPlace, kRestless>));

}  // namespace

}  // namespace luna::conformance
