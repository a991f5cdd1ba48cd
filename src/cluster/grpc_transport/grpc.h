// gRPC's headers, after the one whose macros some of theirs define again, in the same sense.
// Thread rule: declares nothing.
#pragma once

// clang-format off
#include "base/mutex.h"

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
// clang-format on
