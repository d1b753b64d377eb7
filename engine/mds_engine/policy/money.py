"""Money, exact: whole millionths of a currency's unit, never a float."""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

import msgspec

_MICROS = 1_000_000
_MICRO = Decimal("0.000001")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class Money(msgspec.Struct, frozen=True):
    """An amount in one currency. Amounts of two currencies are never added up."""

    micros: int
    """Millionths of the currency's unit."""
    currency: str
    """ISO 4217, as `INR`."""

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read decimal text, as `0.005`. Raises ValueError if it is none, or finer than a millionth."""
        if not _CURRENCY.match(currency):
            raise ValueError(f'"{currency}" is not a currency; write three capitals, as "INR"')
        exact = Context(prec=24, traps=[Inexact, InvalidOperation])
        try:
            amount = exact.quantize(Decimal(text), _MICRO)
        except Inexact:
            raise ValueError(f'"{text}" is finer than a millionth of {currency}') from None
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount.is_nan():
            raise ValueError(f'"{text}" is not an amount; write decimal text, as "0.005"')
        return cls(int(amount.scaleb(6)), currency)

    @property
    def text(self) -> str:
        """The amount as exact decimal text with at least two decimals, as `0.35`, without the currency."""
        whole, micros = divmod(abs(self.micros), _MICROS)
        decimals = f"{micros:06d}".rstrip("0").ljust(2, "0")
        return f"{'-' if self.micros < 0 else ''}{whole}.{decimals}"

    def __str__(self) -> str:
        """Amount and currency, as `0.35 USD`."""
        return f"{self.text} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        """Add an amount of the same currency. Raises ValueError for another one."""
        if other.currency != self.currency:
            raise ValueError(f"{self} and {other} cannot be added: two currencies")
        return Money(self.micros + other.micros, self.currency)

    def __mul__(self, times: int) -> "Money":
        """So many times this amount."""
        return Money(self.micros * times, self.currency)

    def __bool__(self) -> bool:
        """False if it is nothing."""
        return self.micros != 0
