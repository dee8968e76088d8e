"""Messages over a socket that neither side ever waits on."""

import socket
import struct
import threading

_LENGTH = struct.Struct("<Q")
_CHUNK = 1 << 18


class Channel:
    """Whole messages, in their order, each way.

    Nothing blocks, because two ends that both wait for the other to read would wait for ever:
    what the socket does not take stays here until `flush` is called again. `send` and `flush` are
    safe to use from several threads; `receive` from one.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._unread = bytearray()

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something is left for `flush` to send."""
        return bool(self._unsent)

    def send(self, *messages: bytes) -> bool:
        """Put `messages` in the queue, and send what the socket takes; True: it took all."""
        with self._lock:
            for message in messages:
                self._unsent += _LENGTH.pack(len(message))
                self._unsent += message
            return self._send()

    def flush(self) -> bool:
        """Send what the socket takes now; True: nothing is left."""
        with self._lock:
            return self._send()

    def _send(self) -> bool:
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                return False
            except OSError:
                # The other end is gone, which `receive` tells.
                self._unsent.clear()
                return True
            del self._unsent[:sent]
        return True

    def receive(self) -> list[bytes]:
        """What came whole since the last call, perhaps nothing. Raises `EOFError` at the end."""
        while True:
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError as error:
                raise EOFError from error
            if not data:
                if messages := self._whole():
                    return messages
                raise EOFError
            self._unread += data
            if len(data) < _CHUNK:
                break
        return self._whole()

    def _whole(self) -> list[bytes]:
        messages = []
        start, end = 0, len(self._unread)
        while start + _LENGTH.size <= end:
            first = start + _LENGTH.size
            last = first + _LENGTH.unpack_from(self._unread, start)[0]
            if last > end:
                break
            messages.append(bytes(self._unread[first:last]))
            start = last
        del self._unread[:start]
        return messages

    def close(self) -> None:
        self._socket.close()
