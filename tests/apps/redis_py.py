"""The client library redis-py as `redis`; None where Debian's python3-redis is not installed."""

import sys

try:
    import redis
except ImportError:
    sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, for another interpreter, too
    try:
        import redis
    except ImportError:
        redis = None
