"""What each kind of command does to the engine, a module a subject; `mds_engine.steering` sends it there."""
