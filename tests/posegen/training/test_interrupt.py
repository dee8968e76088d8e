import os
import signal

import pytest

from posegen.training.interrupt import Interrupt, watch_signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_noted_and_the_second_leaves(number: int, code: int) -> None:
    with watch_signals() as interrupt:
        interrupt.graceful = True
        os.kill(os.getpid(), number)
        assert interrupt.received == number
        assert interrupt.exit_code == code
        with pytest.raises(SystemExit) as stop:
            os.kill(os.getpid(), number)
    assert stop.value.code == code


def test_before_training_a_signal_leaves_at_once() -> None:
    with watch_signals(), pytest.raises(SystemExit) as stop:
        os.kill(os.getpid(), signal.SIGINT)
    assert stop.value.code == 130


def test_former_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with watch_signals():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    assert Interrupt().received is None


def test_what_waits_outside_of_python_is_ended_by_the_system() -> None:
    with watch_signals((signal.SIGTERM,)) as interrupt:
        before = signal.getsignal(signal.SIGINT)
        with interrupt.at_once():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
            assert signal.getsignal(signal.SIGINT) == before  # another's
        assert signal.getsignal(signal.SIGTERM) == interrupt.handle
