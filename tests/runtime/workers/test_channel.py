import select
import socket

import numpy as np
import pytest

from posegen_runtime.workers.channel import Channel


def test_two_that_both_send_a_lot_wait_for_nobody() -> None:
    one, other = map(Channel, socket.socketpair())
    draw = np.random.default_rng(0)
    sent = [[draw.bytes(int(n)) for n in draw.integers(0, 300_000, 60)] for _ in range(2)]
    for mine, its in zip(*sent, strict=True):
        one.send(mine)
        other.send(its, b"")
    assert one.waiting
    got: list[list[bytes]] = [[], []]
    while len(got[0]) < 60 or len(got[1]) < 120:
        got[0] += other.receive()
        got[1] += one.receive()
        one.flush()
        other.flush()
    assert got[0] == sent[0]
    assert got[1][::2] == sent[1]
    assert set(got[1][1::2]) == {b""}
    assert one.flush()


def test_what_came_before_the_end_is_given_first() -> None:
    one, other = map(Channel, socket.socketpair())
    assert other.receive() == []
    one.send(b"last")
    one.close()
    assert other.receive() == [b"last"]
    with pytest.raises(EOFError):
        other.receive()
    assert other.send(b"to nobody")
    assert select.select([other], [], [], 0)[0]
