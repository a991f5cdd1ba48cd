// How jemalloc, which lunad is linked with, is to behave (decision 0026).
#include <jemalloc/jemalloc.h>

// One arena for a processor; what was freed a second ago goes back to the system, also when nobody
// allocates. Huge pages stay off: an idle connection would hold all of its room. MALLOC_CONF in
// the environment goes before this.
const char* malloc_conf =
    "percpu_arena:percpu,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true";
