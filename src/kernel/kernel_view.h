// A view of a Kernel: streams, objects, manifests and identity are that Kernel's, jobs are
// its own. For who opens an engine on one Kernel, closes it and opens it again: a replica that
// leads, follows and leads again. The jobs of an engine end with it. Thread rule: safe.
#pragma once

#include <memory>

#include "kernel/kernel.h"

namespace luna::kernel {

// `kernel` outlives the view.
std::unique_ptr<Kernel> NewKernelView(Kernel& kernel, const background::BackgroundOptions& options);

}  // namespace luna::kernel
