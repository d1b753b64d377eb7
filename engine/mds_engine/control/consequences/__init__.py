"""What commands will do, in sentences, from a snapshot alone: a module a subject. Pure.

`mds_engine.control.preview` sends each command to its own.
"""
