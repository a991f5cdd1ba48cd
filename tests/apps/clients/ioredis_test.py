"""ioredis, over RESP2: the protocol it speaks."""

import unittest

from client import Scenarios
from node import HERE, NodeTest, install


def setUpModule():
    install()


class Ioredis(Scenarios, NodeTest):
    program = ["node", HERE / "ioredis_client.js"]


if __name__ == "__main__":
    unittest.main()
