"""The vendors' true wire formats on loopback, with faults on demand.

`server.Simulator` runs vendors; `faults` says what can go wrong with them;
`control` and `control_client` steer them from another process. All of them tell
of one `market.Market`. A vendor is a module or folder with one subclass of
`vendor.Vendor`, named in `server.VENDORS`; it knows its wire format and nothing
of faults, ports and counts. Nothing here imports `mds_engine.sources`.
"""
