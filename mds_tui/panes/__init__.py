"""The six panes: each says what its columns are; the live grid does the rest."""
