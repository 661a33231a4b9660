"""Devices and processes: the only package that knows pmap, shard_map, meshes and jax.distributed.

Open `meshes.py` first (which devices share an array, and how), then `parallel.py` (training steps on all of them).
`processes.py` joins several processes into one run at an address that `coordinator.py` checks, `watchdog.py` ends a
process whose partner is gone, `stop.py` turns SIGTERM into a graceful stop, `threads.py` does host work beside the
devices.
"""
