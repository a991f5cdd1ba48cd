# luna_rados_test(NAME CLUSTER): the test NAME, made already, runs on one of two throw-away Ceph
# clusters, which tests/rados starts before the first test that needs them and stops after the last.
# On `memory` OSDs forget with their process; on `disk` they may be killed.

# Sockets lie below these: the path must be short, and differ from that of another build.
string(MD5 luna_rados_place ${PROJECT_BINARY_DIR})
string(SUBSTRING ${luna_rados_place} 0 12 luna_rados_place)
set(LUNA_RADOS_PLACE /tmp/luna-ceph-${luna_rados_place})
set(LUNA_RADOS_SCRIPT ${PROJECT_SOURCE_DIR}/scripts/ceph-devcluster)

function(luna_rados_test name cluster)
  set_tests_properties(${name} PROPERTIES LABELS rados TIMEOUT 900
    FIXTURES_REQUIRED rados_${cluster} RESOURCE_LOCK rados_${cluster})
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
    LUNA_CEPH_CONF=${LUNA_RADOS_PLACE}-${cluster}/ceph.conf LUNA_CEPH_SCRIPT=${LUNA_RADOS_SCRIPT})
endfunction()
