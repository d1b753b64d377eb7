"""What stands in a desk's configuration file: comments, secrets and three vendors."""

TEXT = """\
# The desk's own.
[engine]
name = "desk"
state_path = ":memory:"

[streams]
regular_hours = false

[sources.zerodha]
kind = "kite"
api_key = "first-secret" # of the desk
access_token = "second-secret"

[sources.yahoo]   # free
kind = "yahoo"
priority = 10

# --- Crypto ---
[sources.binance]
kind = "binance"

[routes.NSE]
sources = ["zerodha", "yahoo"]

[routes.BINANCE]

[console]
watch = ["BINANCE:BTCUSDT"]
"""
