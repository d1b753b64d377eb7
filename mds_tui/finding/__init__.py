"""How an operator finds things without knowing where they are: the `:` line, keys, jumping. Mostly pure."""
