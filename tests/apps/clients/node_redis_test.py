"""node-redis (the package `redis`), over RESP2 and RESP3."""

import unittest

from client import Scenarios
from node import HERE, NodeTest, install


def setUpModule():
    install()


class Resp2(Scenarios, NodeTest):
    program = ["node", HERE / "node_redis_client.js"]
    more = ["2"]


class Resp3(Scenarios, NodeTest):
    program = ["node", HERE / "node_redis_client.js"]
    more = ["3"]


if __name__ == "__main__":
    unittest.main()
