"""How many live streams may be open at a time: in this process, and of one address."""

from __future__ import annotations

from collections import Counter

from vacancies.errors import Overloaded, TooManyViewers
from vacancies.proxies import Address, network_of

RETRY_AFTER_SECONDS = 30


class Places:
    """The places of a process; `refused` counts whom it had none for."""

    def __init__(self, most: int, most_of_network: int) -> None:
        self.most = most
        self._most_of_network = most_of_network
        self._by_network: Counter[str] = Counter()
        self.taken = 0
        self.refused = 0

    def take(self, address: Address | None) -> Place:
        """A place for a viewer from there. Raises `Overloaded` and `TooManyViewers`. This machine
        itself may have all of them: its proxy says who asks."""
        is_local = address is None or address.is_loopback
        network = "" if address is None or is_local else network_of(address)
        if self.taken >= self.most:
            self.refused += 1
            raise Overloaded("Too many viewers are connected. Try again shortly.")
        if network and self._by_network[network] >= self._most_of_network:
            self.refused += 1
            raise TooManyViewers(
                f"{self._most_of_network} live streams are open from your network. Close one, or"
                " ask for the list itself now and then.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self.taken += 1
        if network:
            self._by_network[network] += 1
        return Place(self, network)

    def give_back(self, network: str) -> None:
        self.taken -= 1
        if network:
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]


class Place:
    """Of one viewer, from before its stream begins to after its end."""

    __slots__ = ("_network", "_places")

    def __init__(self, places: Places, network: str) -> None:
        self._places: Places | None = places
        self._network = network

    def leave(self) -> None:
        """May be called more than once."""
        places, self._places = self._places, None
        if places is not None:
            places.give_back(self._network)
