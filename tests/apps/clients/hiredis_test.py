"""hiredis, blocking and asynchronous, over RESP2: a program of our own linked with it.

The environment names the program (LUNA_HIREDIS_CLIENT).
"""

import os
import unittest

from client import ClientTest, Scenarios, need

PROGRAM = os.environ.get("LUNA_HIREDIS_CLIENT")


def setUpModule():
    need("the test", PROGRAM, "libhiredis-dev")


class Blocking(Scenarios, ClientTest):
    program = [PROGRAM]
    more = ["blocking"]


class Asynchronous(Scenarios, ClientTest):
    program = [PROGRAM]
    more = ["asynchronous"]


if __name__ == "__main__":
    unittest.main()
